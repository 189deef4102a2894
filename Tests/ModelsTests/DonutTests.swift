import Checkpoint
import Compute
import Foundation
import JSON
import Media
import TestSupport
import Testing

@testable import Models
@testable import Transformer

@Suite(
    "Donut against PyTorch", .usesDevice, .serialized,
    .enabled(if: Fixtures.contains("donut"), "needs the large fixtures"))
struct DonutTests {
    private func open() throws -> (VisionEncoderDecoder, ModelFiles, Golden) {
        let (model, files) = try PictureFixtures.open("donut")
        return (try #require(model as? VisionEncoderDecoder), files, try Fixtures.golden("donut"))
    }

    private func picture(_ run: String, _ golden: Golden) throws -> String {
        let images = try #require(golden.meta["prompts"]?[run]?["images"]?.stringArray)
        return try #require(images.first).replacingOccurrences(of: ".png", with: "")
    }

    @Test("every tensor of every case within its tolerance, ids exact, memory all accounted and all returned")
    func golden() throws {
        let device = try Device(validation: true)
        let (model, files, golden) = try open()
        try model.load(from: files, on: device) { _, _ in }
        var compared: Set<String> = []
        for run in ["read", "question", "read"] {
            var comparison = TraceComparison(golden: golden, prefix: "\(run)/")
            let picture = try PictureFixtures.picture(picture(run, golden), golden, model, files)
            var options = TraceOptions()
            options.maximumTokens = try golden.shape("\(run)/greedy")[0]
            try model.trace(
                .pictures([picture]), prompt: golden.integers("\(run)/decoder_start"), options: options
            ) { tensor in
                let name = tensor.name.replacingOccurrences(of: "enc.hidden.", with: "enc.stage.")
                try comparison.check(tensor, as: name == "generated_ids" ? "greedy" : name)
            }
            compared.formUnion(comparison.compared)
        }
        #expect(PictureFixtures.computed(golden).subtracting(compared).sorted() == [])
        #expect(device.instance.validationMessages == [])
        model.unload()
        #expect(device.ledger.total == 0, "\(device.ledger.entries)")
    }

    @Test("the load plan is what loading allocates, to the byte")
    func plan() throws {
        let (model, files, _) = try open()
        try PictureFixtures.checkPlan(model, files)
    }

    @Test("decoding starts with the start token, or with the prompt without the tokens around it")
    func start() throws {
        let (model, _, golden) = try open()
        #expect(try golden.integers("read/decoder_start") == model.startTokens)
        let prompt = try golden.integers("question/decoder_start")
        #expect(model.startTokens(prompt: [0] + prompt + [2]) == prompt)
        #expect(model.startTokens(prompt: prompt) == prompt)
        #expect(model.startTokens(prompt: [0, 2]) == model.startTokens)
    }

    @Test("each key of attention is a square of eight pixels, those over the black border nothing of the picture")
    func keys() throws {
        let (model, files, _) = try open()
        for name in ["image_a", "image_b", "image_c", "image_e"] {
            let layout = try PictureFixtures.layout(name, model, files)
            let keys = try #require(model.pictureKeys([layout], in: []).first)
            #expect(keys.map(\.key) == Array(0..<108))
            let content = layout.tiles[0].content
            var area = 0.0
            for (index, key) in keys.enumerated() {
                let (x, y) = (index % 9 * 8, index / 9 * 8)
                let isInside =
                    x < content.x + content.width && x + 8 > content.x && y < content.y + content.height
                    && y + 8 > content.y
                #expect((key.rectangle != nil) == isInside)
                area += (key.rectangle?.width ?? 0) * (key.rectangle?.height ?? 0)
            }
            // Together they cover the picture, once.
            #expect(abs(area / Double(layout.imageWidth * layout.imageHeight) - 1) < 1e-9)
        }
    }

    @Test("a window's places are those of the grid, rolled; padding is no place")
    func windows() {
        let grid = WindowGrid(rows: 3, columns: 4, window: 2, shift: 1)
        #expect(grid.count == 4 && grid.placesByWindow.count == 16)
        // Padded to 4 × 4 and rolled by one: the first window begins at row 1, column 1.
        #expect(grid.placesByWindow[0..<4].map { $0 ?? -1 } == [5, 6, 9, 10])
        #expect(grid.placesByWindow[4..<8].map { $0 ?? -1 } == [7, 4, 11, 8])
        #expect(grid.placesByWindow[12..<16].map { $0 ?? -1 } == [-1, -1, 3, 0])
        #expect(Set(grid.placesByWindow.compactMap { $0 }) == Set(0..<12))
        #expect(grid.regions(ofWindow: 0) == [0, 0, 0, 0] && grid.regions(ofWindow: 3) == [0, 1, 2, 3])
    }

    @Test("towers and decoders that do not fit are errors that name file and key")
    func badConfigurations() throws {
        func error(encoder: JSONObject = [:], decoder: JSONObject = [:]) -> String {
            let main = JSONReader(
                .object([
                    "encoder": .object((["model_type": .string("donut-swin")] as JSONObject).merging(encoder)),
                    "decoder": .object((["model_type": .string("mbart")] as JSONObject).merging(decoder)),
                ]), file: "here/config.json")
            do {
                _ = try VisionEncoderDecoder.Configuration(ModelConfiguration(folder: "here", main: main))
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(error() == "no error")
        #expect(error(encoder: ["num_heads": .array([.integer(2)])]).contains("here/config.json: “encoder.num_heads”"))
        #expect(error(encoder: ["embed_dim": .integer(100)]).contains("encoder.num_heads"))
        #expect(error(encoder: ["image_size": .array([.integer(50), .integer(64)])]).contains("encoder.image_size"))
        #expect(error(encoder: ["use_absolute_embeddings": .bool(true)]).contains("encoder.use_absolute_embeddings"))
        #expect(error(encoder: ["mlp_ratio": .number(0)]).contains("encoder.mlp_ratio"))
        #expect(error(decoder: ["decoder_attention_heads": .integer(7)]).contains("decoder.decoder_attention_heads"))
    }
}
