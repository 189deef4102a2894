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
    "Florence-2 against PyTorch", .usesDevice, .serialized,
    .enabled(if: Fixtures.contains("florence2"), "needs the large fixtures"))
struct Florence2Tests {
    /// Transformers' names, and those of the original repositories beside the processor's settings.
    static let folders = ["florence2", "florence2-original"]

    private func open(_ name: String) throws -> (Florence2, ModelFiles, Golden, TemporaryFolder) {
        let folder = try TemporaryFolder()
        for (source, file) in [
            (name, "config.json"), (name, "model.safetensors"), ("florence2", "preprocessor_config.json"),
        ] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path(file), withDestinationPath: Fixtures.model(source).appending(path: file).path)
        }
        let files = try ModelFiles(path: folder.path(""))
        let model = try #require(try ModelRegistry.make(from: files) as? Florence2)
        return (model, files, try Fixtures.golden("florence2"), folder)
    }

    /// The case's picture and the tokens of its prompt, the placeholders left out.
    private func input(_ run: String, _ model: Florence2, _ files: ModelFiles, _ golden: Golden) throws -> ModelInput {
        let images = try #require(golden.meta["prompts"]?[run]?["images"]?.stringArray)
        let name = try #require(images.first).replacingOccurrences(of: ".png", with: "")
        let ids = try golden.integers("\(run)/input_ids")
        #expect(ids.prefix(model.pictureRows).allSatisfy { $0 == model.configuration.text.vocabulary - 1 })
        return .prompted(
            try PictureFixtures.picture(name, golden, model, files), tokens: Array(ids.dropFirst(model.pictureRows)))
    }

    @Test(
        "every tensor of every case within its tolerance, ids exact, memory all accounted and all returned",
        arguments: folders)
    func golden(_ name: String) throws {
        let device = try Device(validation: true)
        let (model, files, golden, _) = try open(name)
        try model.load(from: files, on: device) { _, _ in }
        var compared: Set<String> = []
        for run in ["caption", "wide", "caption"] {
            var comparison = TraceComparison(golden: golden, prefix: "\(run)/")
            var options = TraceOptions()
            options.maximumTokens = try golden.shape("\(run)/greedy")[0]
            try model.trace(
                input(run, model, files, golden), prompt: golden.integers("\(run)/decoder_start"), options: options
            ) { try comparison.check($0, as: $0.name == "generated_ids" ? "greedy" : nil) }
            compared.formUnion(comparison.compared)
        }
        // What enters the text encoder shows in its first hidden state.
        #expect(
            PictureFixtures.computed(golden).subtracting(compared).filter { !$0.hasSuffix("enc.embeds") }.sorted()
                == [])
        #expect(device.instance.validationMessages == [])
        model.unload()
        #expect(device.ledger.total == 0, "\(device.ledger.entries)")
    }

    @Test("the load plan is what loading allocates, to the byte")
    func plan() throws {
        let (model, files, _, _) = try open("florence2")
        try PictureFixtures.checkPlan(model, files)
    }

    @Test("the first key is the mean, the others are the tower's squares, cut at the picture's edge")
    func keys() throws {
        let (model, files, _, _) = try open("florence2")
        for name in ["image_a", "image_b", "image_c", "image_e"] {
            let layout = try PictureFixtures.layout(name, model, files)
            let keys = try #require(model.pictureKeys([layout], in: []).first)
            #expect(keys.count == 26 && keys.map(\.key) == Array(0..<26) && model.pictureRows == 26)
            #expect(keys[0].rectangle == nil)
            let area = keys.reduce(0.0) { $0 + ($1.rectangle?.width ?? 0) * ($1.rectangle?.height ?? 0) }
            #expect(abs(area / Double(layout.imageWidth * layout.imageHeight) - 1) < 1e-9)
            // Sixteen of the 72 pixels that the picture is squeezed into.
            #expect(abs((keys[7].rectangle?.x ?? 0) - Double(layout.imageWidth) * 16 / 72) < 1e-9)
        }
    }

    @Test("pixels of another size, prompts that are too long and decoding without a picture are typed errors")
    func badInput() throws {
        let (model, files, golden, _) = try open("florence2")
        let picture = try PictureFixtures.picture("image_a", golden, model, files)
        #expect(throws: TransformerError.self) { try model.encode(picture, tokens: [0, 2]) }
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        #expect(throws: TransformerError.self) {
            try model.start(tokens: model.startTokens, hypotheses: 1, logitRows: [])
        }
        #expect(throws: TransformerError.self) {
            try model.encode(
                ProcessedImage(layout: picture.layout, pixelValues: Array(picture.pixelValues.dropLast(3))),
                tokens: [0, 2])
        }
        #expect(throws: TransformerError.self) {
            try model.encode(picture, tokens: Array(repeating: 5, count: model.configuration.text.positions - 25))
        }
        #expect(throws: TransformerError.self) { try model.encode(picture, tokens: [1_000_000]) }
        try model.readPictures([picture], keeping: 0)
        #expect(try model.decoder.readEncoderOutput().shape == [28, 36])
    }

    @Test("a task's mark stands for its sentence; unknown marks and missing words are typed errors")
    func tasks() throws {
        #expect(try Florence2Task.prompt(for: "") == "What does the image describe?")
        #expect(try Florence2Task.prompt(for: "<OD>") == "Locate the objects with category name in the image.")
        #expect(
            try Florence2Task.prompt(for: "<CAPTION_TO_PHRASE_GROUNDING>a red ball")
                == "Locate the phrases in the caption: a red ball")
        #expect(try Florence2Task.prompt(for: "What is it?") == "What is it?")
        #expect(
            try Florence2Task.prompt(for: "<REGION_TO_OCR> <loc_1><loc_2><loc_3><loc_4>")
                == "What text is in the region <loc_1><loc_2><loc_3><loc_4>?")
        for text in ["<NOTHING>", "<OD>a ball", "<REGION_TO_OCR>"] {
            #expect(throws: ModelError.self) { try Florence2Task.prompt(for: text) }
        }
    }

    @Test("sizes that do not fit are errors that name file and key")
    func badConfigurations() throws {
        func error(vision: JSONObject = [:], text: JSONObject = [:], size: Int = 768) -> String {
            let main = JSONReader(
                .object([
                    "vision_config": .object((["projection_dim": .integer(1024)] as JSONObject).merging(vision)),
                    "text_config": .object(text),
                ]), file: "here/config.json")
            let preprocessor = JSONReader(
                .object(["size": .object(["height": .integer(size), "width": .integer(size)])]),
                file: "here/preprocessor_config.json")
            do {
                _ = try Florence2.Configuration(
                    ModelConfiguration(folder: "here", main: main, preprocessor: preprocessor))
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(error() == "no error")
        #expect(error(size: 4096).contains("here/preprocessor_config.json: “size”"))
        #expect(error(vision: ["num_groups": .array([.integer(4)])]).contains("vision_config.num_groups"))
        #expect(
            error(vision: ["embed_dim": .array([128, 256, 512, 1023].map { .integer($0) })]).contains(
                "here/config.json: “vision_config.num_"))
        #expect(error(vision: ["projection_dim": .integer(7)]).contains("vision_config.projection_dim"))
        #expect(error(vision: ["window_size": .integer(0)]).contains("vision_config.window_size"))
        #expect(error(text: ["d_model": .integer(1000)]).contains("encoder_attention_heads"))
    }
}
