import JSON
import Checkpoint
import Compute
import Foundation
import TestSupport
import Testing

@testable import Models
@testable import Transformer

/// A vision tower in a fixture's checkpoint: whose it is, and what the fixture calls its values.
struct TowerFixture: Sendable, CustomStringConvertible {
    let model: String
    let configurationKey: String
    let scope: String
    let family: VisionTower.Configuration.Family
    let names: VisionTower.Names
    /// Before the names of attention, hidden states and output.
    let prefix: String
    /// Golden names, `{case}/{part}.attn.L`.
    let part: String
    let pixels: String
    /// True where the golden output is behind the final norm.
    let output: String?
    var description: String { model }

    static let all = [
        TowerFixture(
            model: "llava", configurationKey: "vision_config", scope: "vision_tower.vision_model.", family: .clip,
            names: .clip,
            prefix: "image_b/", part: "vision", pixels: "image_b/pixel_values", output: nil),
        TowerFixture(
            model: "blip", configurationKey: "vision_config", scope: "vision_model.", family: .blip, names: .blip,
            prefix: "caption/",
            part: "enc", pixels: "image_a/pixel_values", output: "enc.out"),
        TowerFixture(
            model: "vit-gpt2", configurationKey: "encoder", scope: "encoder.", family: .vit, names: .vit,
            prefix: "image_a/", part: "enc",
            pixels: "image_a/pixel_values", output: "enc.out"),
        TowerFixture(
            model: "trocr", configurationKey: "encoder", scope: "encoder.", family: .vit, names: .vit,
            prefix: "image_a/", part: "enc",
            pixels: "image_a/pixel_values", output: "enc.out"),
    ]
}

@Suite(
    "Vision towers against PyTorch", .usesDevice,
    .serialized)
struct VisionTowerTests {
    @Test("attention, hidden states and output of CLIP, BLIP, ViT and TrOCR's ViT", arguments: TowerFixture.all)
    func towers(_ fixture: TowerFixture) throws {
        let device = try TestDevice.open()
        let golden = try Fixtures.golden(fixture.model)
        let files = try ModelFiles(path: Fixtures.model(fixture.model).path)
        let file = try #require(files.configuration).main.object(fixture.configurationKey)
        let (parameters, workspace) = (ParameterList(), Workspace())
        let tower = VisionTower(
            ParameterScope(list: parameters, prefix: fixture.scope, purpose: .weightsVision),
            configuration: try .init(file, family: fixture.family), names: fixture.names, workspace: workspace)
        let source = WeightSource(checkpoint: files.checkpoint, naming: HuggingFaceNaming())
        try source.assignFormats(to: parameters)
        try WeightLoader(device: device, source: source).load(parameters.layout)
        try workspace.allocate(on: device)
        try tower.input.allocate(on: device)
        defer {
            parameters.release()
            workspace.release()
            tower.input.release()
        }
        let (stream, tap) = (try CommandStream(device: device), AttentionTap(device: device))
        tap.selection = .everything
        tap.queryRows = .all
        func read(_ tensor: Tensor) throws -> [Float] {
            let host = try device.makeBuffer(
                byteCount: tensor.rows * tensor.columns * 4, purpose: .staging, label: "result", access: .readback)
            try stream.copy(
                from: tensor.byteRange,
                to: MemoryRange(buffer: host, offset: 0, byteCount: tensor.rows * tensor.columns * 4))
            try stream.finish()
            return host.read(Float.self, count: tensor.rows * tensor.columns)
        }
        var comparison = TraceComparison(golden: golden, prefix: fixture.prefix)
        func check(_ name: String, _ tensor: Tensor) throws {
            try comparison.check(TraceTensor(name, shape: [tensor.rows, tensor.columns], floats: read(tensor)))
        }
        let output = try tower.encode(
            golden.floats(fixture.pixels)[...], tap: tap,
            observe: { index, state in
                try check("\(fixture.part).hidden.\(index)", state)
            }, on: stream)
        if let name = fixture.output { try check(name, output) }
        for weights in tap.takeRows() {
            #expect(weights.kind == .vision)
            try comparison.check(TraceTensor("\(fixture.part).attn.\(weights.layer)", weights))
        }
        #expect(comparison.missing([fixture.part + "."]) == [])
        #expect(device.instance.validationMessages == [])
    }

    @Test("pixels become patch rows in the order of a convolution's weights")
    func patches() {
        // 2 × 3 patches of 2 pixels, and a column and a row that no patch reaches.
        let grid = PatchGrid(imageHeight: 5, imageWidth: 7, patchSize: 2)
        let pixels = (0..<grid.pixelValues).map { Float($0) }
        #expect((grid.rows, grid.columns, grid.count, grid.patchValues) == (2, 3, 6, 12))
        let rows = grid.arrange(pixels[...])
        #expect(rows.count == 6 * 12)
        #expect(Array(rows[..<12]) == [0, 1, 7, 8, 35, 36, 42, 43, 70, 71, 77, 78])
        // The last patch begins at row 2, column 4.
        #expect(Array(rows[60..<64]) == [18, 19, 25, 26])
    }

    @Test("sizes that cannot be are errors that name file and key")
    func badConfigurations() {
        func error(_ members: JSONObject) -> String {
            do {
                _ = try VisionTower.Configuration(
                    JSONReader(.object(members), file: "here/config.json", path: "vision_config"),
                    family: .clip)
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(error([:]) == "no error")
        #expect(error(["patch_size": .integer(0)]).contains("vision_config.patch_size"))
        #expect(error(["patch_size": .integer(225)]).contains("vision_config.patch_size"))
        #expect(error(["image_size": .integer(-4)]).contains("vision_config.image_size"))
        #expect(error(["num_attention_heads": .integer(7)]).contains("vision_config.num_attention_heads"))
        #expect(error(["num_channels": .integer(1)]).contains("vision_config.num_channels"))
        #expect(error(["image_size": .integer(8192), "patch_size": .integer(1)]).contains("patches"))
        #expect(error(["hidden_act": .string("mystery")]).contains("here/config.json"))
    }
}
