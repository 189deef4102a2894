import JSON
import Checkpoint
import Compute
import NumberFormats
import Foundation
import Media
import TestSupport
import Testing

@testable import Models
@testable import Transformer

/// A fixture whose pictures are tokens.
struct PictureFixture: Sendable, CustomStringConvertible {
    let model: String
    /// Prefix under which the fixture keeps vision tensors of a case with one picture.
    let visionPrefix: @Sendable (_ name: String, _ picture: String) -> String
    var description: String { model }

    static let all = [
        PictureFixture(model: "llava") { _, picture in "\(picture)/" },
        PictureFixture(model: "smolvlm") { name, _ in "\(name)/" },
    ]

    func open() throws -> (any PromptPictureReader, ModelFiles) {
        let files = try ModelFiles(path: Fixtures.model(model).path)
        return (try #require(try ModelRegistry.make(from: files) as? any PromptPictureReader), files)
    }

    struct Case {
        let name: String
        /// Without the file's ending.
        let pictures: [String]
        let text: String
        let expanded: String?
    }

    func cases(_ golden: Golden) throws -> [Case] {
        let prompts = try #require(golden.meta["prompts"]?.objectValue)
        return try prompts.sorted { $0.key < $1.key }.map { name, prompt in
            Case(
                name: name,
                pictures: try #require(prompt["images"]?.stringArray).map {
                    $0.replacingOccurrences(of: ".png", with: "")
                },
                text: try #require(prompt["text"]?.stringValue), expanded: prompt["expanded"]?.stringValue)
        }
    }

    /// The recorded pixels, cut as the processor cuts a picture of that size.
    static func picture(_ name: String, _ golden: Golden, _ model: any PictureReader, _ files: ModelFiles) throws
        -> ProcessedImage
    {
        let image = try ImageFile.load(path: Fixtures.models.appending(path: "inputs/\(name).png").path)
        let layout = try type(of: model).imageProcessor(of: files).layout(width: image.width, height: image.height)
        return ProcessedImage(layout: layout, pixelValues: try golden.floats("\(name)/pixel_values"))
    }
}

@Suite(
    "Models whose pictures are tokens, against PyTorch", .usesDevice,
    .serialized)
struct PictureDecoderTests {
    @Test(
        "every tensor within its tolerance, ids exact, memory all accounted and all returned",
        arguments: PictureFixture.all)
    func golden(_ fixture: PictureFixture) throws {
        let device = try Device(validation: true)
        let golden = try Fixtures.golden(fixture.model)
        let (model, files) = try fixture.open()
        try model.load(from: files, on: device) { _, _ in }
        var compared: Set<String> = []
        for run in try fixture.cases(golden) {
            let pictures = try run.pictures.map { try PictureFixture.picture($0, golden, model, files) }
            let greedy = try golden.integers("\(run.name)/greedy")
            var text = TraceComparison(golden: golden, prefix: "\(run.name)/")
            var vision = TraceComparison(golden: golden, prefix: fixture.visionPrefix(run.name, run.pictures[0]))
            var options = TraceOptions()
            options.maximumTokens = greedy.count
            try model.trace(
                .pictures(pictures), prompt: golden.integers("\(run.name)/input_ids"), options: options
            ) { tensor in
                if tensor.name.hasPrefix("vision.") || tensor.name == "image_features" {
                    try vision.check(tensor)
                } else {
                    try text.check(tensor, as: tensor.name == "generated_ids" ? "greedy" : nil)
                }
            }
            compared.formUnion(text.compared.union(vision.compared))
        }
        // All but the inputs, and what the processor is tested with.
        let computed = golden.checkpoint.names.filter { name in
            !["input_ids", "pixel_values", "resized_u8", "pixel_attention_mask"].contains { name.hasSuffix("/" + $0) }
        }
        #expect(Set(computed).subtracting(compared) == [])
        #expect(device.instance.validationMessages == [])
        model.unload()
        #expect(device.ledger.total == 0, "\(device.ledger.entries)")
    }

    @Test("the load plan is what loading allocates, to the byte", arguments: PictureFixture.all)
    func plan(_ fixture: PictureFixture) throws {
        let device = try Device(validation: false)
        let (model, files) = try fixture.open()
        let planned = model.plannedBuffers(unifiedMemory: device.properties.hasUnifiedMemory)
        try model.load(from: files, on: device) { _, _ in }
        #expect(
            planned.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted()
                == device.ledger.entries.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted())
        // And what a picture adds to it.
        let picture = try PictureFixture.picture("image_b", Fixtures.golden(fixture.model), model, files)
        let before = device.ledger.total
        try model.readPictures([picture], keeping: 0)
        #expect(device.ledger.total - before == model.pictureBuffers(for: picture.layout).reduce(0) { $0 + $1.bytes })
        try model.readPictures([], keeping: 0)
        #expect(device.ledger.total == before)
    }

    @Test(
        "weights converted while they are loaded take what was planned, and answer nearly alike",
        arguments: PictureFixture.all,
        [
            ElementFormat.f16, .q8_0,
        ])
    func conversion(_ fixture: PictureFixture, _ format: ElementFormat) throws {
        let device = try TestDevice.open()
        let golden = try Fixtures.golden(fixture.model)
        var files = try ModelFiles(path: Fixtures.model(fixture.model).path)
        files.options = LoadOptions(weights: format, contextLength: 100)
        let model = try #require(try ModelRegistry.make(from: files) as? any PromptPictureReader)
        #expect(model.contextLength == 100)
        let (planned, before) = (
            model.plannedBuffers(unifiedMemory: device.properties.hasUnifiedMemory), device.ledger.total
        )
        try model.load(from: files, on: device) { _, _ in }
        #expect(device.ledger.total - before == planned.reduce(0) { $0 + $1.bytes })
        defer { model.unload() }
        let prompt = try golden.integers("wide/input_ids")
        try model.readPictures([PictureFixture.picture("image_b", golden, model, files)], keeping: 0)
        let logits = try #require(try model.prefill(prompt, at: 0, logitRows: [prompt.count - 1]).values.first)
        let all = try golden.floats("wide/step0.logits")
        let expected = Array(all.suffix(model.vocabulary))
        let largest = expected.reduce(0) { max($0, abs($1)) }
        // Rounding of 11 and of 8 bits through a few layers whose weights are large on purpose.
        #expect(difference(logits, expected) < largest * (format == .f16 ? 0.02 : 0.25))
        #expect(difference(logits, expected) > 0)
    }

    @Test("a picture across pieces of a prompt traces like one within a piece")
    func pieces() throws {
        let golden = try Fixtures.golden("llava")
        let files = try ModelFiles(path: Fixtures.model("llava").path)
        var configuration = try LLaVA.Configuration(try #require(files.configuration).main)
        configuration.text.prefillRows = 16
        let model = LLaVA(configuration: configuration)
        try LLaVA.weightSource(of: files).assignFormats(to: model.parameters)
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        var comparison = TraceComparison(golden: golden, prefix: "pair/")
        var options = TraceOptions()
        options.maximumTokens = 1
        let pictures = try ["image_a", "image_b"].map { try PictureFixture.picture($0, golden, model, files) }
        try model.trace(.pictures(pictures), prompt: golden.integers("pair/input_ids"), options: options) {
            try comparison.check($0)
        }
        #expect(comparison.missing(["step0.", "step1."]) == [])
    }

    @Test("pictures that come turn by turn give what one pass gives, and another picture is noticed")
    func turns() throws {
        let golden = try Fixtures.golden("llava")
        let (model, files) = try PictureFixture.all[0].open()
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        let pictures = try ["image_a", "image_b"].map { try PictureFixture.picture($0, golden, model, files) }
        let prompt = try golden.integers("pair/input_ids")
        let last = prompt.count - 1
        try model.readPictures(pictures, keeping: 0)
        let whole = try #require(try model.prefill(prompt, at: 0, logitRows: [last])[last])

        // The second picture's tokens begin within the second piece; the first piece ends among the first one's.
        try model.readPictures([pictures[0]], keeping: 0)
        #expect(
            model.position == prompt.firstIndex(of: model.pictures.placeholder),
            "what another picture's tokens gave must not be kept")
        _ = try model.prefill(Array(prompt[..<20]), at: 0, logitRows: [])
        try model.readPictures(pictures, keeping: 1)
        #expect(model.position == 20)
        _ = try model.prefill(Array(prompt[20..<40]), at: 20, logitRows: [])
        let rest = try model.prefill(Array(prompt[40...]), at: 40, logitRows: [last - 40])
        #expect(difference(try #require(rest[last - 40]), whole) < 1e-4)

        // The first picture again in the second's place: what came before its tokens stays.
        let second = try #require(
            prompt.indices.filter { prompt[$0] == model.pictures.placeholder }.dropFirst(model.tokensPerTile).first)
        try model.readPictures([pictures[0], pictures[0]], keeping: 1)
        #expect(model.position == second)
        let other = try model.prefill(Array(prompt[second...]), at: second, logitRows: [last - second])
        #expect(difference(try #require(other[last - second]), whole) > 1e-3)
    }

    @Test("more image tokens than pictures, and pixels of another size, are typed errors")
    func badInput() throws {
        let golden = try Fixtures.golden("llava")
        let (model, files) = try PictureFixture.all[0].open()
        let picture = try PictureFixture.picture("image_a", golden, model, files)
        #expect(throws: TransformerError.self) { try model.readPictures([picture], keeping: 0) }
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        let prompt = try golden.integers("pair/input_ids")
        try model.readPictures([picture], keeping: 0)
        #expect { try model.prefill(prompt, at: 0, logitRows: []) } throws: {
            "\($0)".contains("\(2 * model.tokensPerTile) image tokens")
        }
        let short = ProcessedImage(layout: picture.layout, pixelValues: Array(picture.pixelValues.dropLast()))
        #expect(throws: TransformerError.self) { try model.readPictures([short], keeping: 0) }
        let (smolvlm, others) = try PictureFixture.all[1].open()
        let tiles = try PictureFixture.picture("image_b", Fixtures.golden("smolvlm"), smolvlm, others)
        #expect(throws: TransformerError.self) { try model.readPictures([tiles], keeping: 0) }
    }

    @Test("keys of attention are the picture's tokens, each with its place in the picture")
    func keys() throws {
        for fixture in PictureFixture.all {
            let golden = try Fixtures.golden(fixture.model)
            let (model, files) = try fixture.open()
            for run in try fixture.cases(golden) {
                let layouts = try run.pictures.map { try PictureFixture.picture($0, golden, model, files).layout }
                let ids = try golden.integers("\(run.name)/input_ids")
                let keys = model.pictureKeys(layouts, in: ids)
                #expect(keys.count == layouts.count)
                #expect(keys.flatMap { $0 }.map(\.key) == ids.indices.filter { ids[$0] == model.pictures.placeholder })
                for (layout, own) in zip(layouts, keys) {
                    #expect(own.count == model.pictureTokens(for: layout))
                    let side = model.patchGrid.columns / model.mergedPatches
                    for (index, key) in own.enumerated() {
                        let place = index % (side * side)
                        #expect(key.tile == index / (side * side))
                        let size = layout.tileWidth / side
                        #expect(
                            key.rectangle
                                == layout.tiles[key.tile].pictureRectangle(
                                    x: place % side * size, y: place / side * size, width: size, height: size))
                        #expect(key.isOverview == (layout.endsWithWholePicture && key.tile == layout.tiles.count - 1))
                        let rectangle = try #require(key.rectangle)
                        #expect(rectangle.x >= 0 && rectangle.x + rectangle.width <= Double(layout.imageWidth) + 1e-9)
                        #expect(rectangle.y >= 0 && rectangle.y + rectangle.height <= Double(layout.imageHeight) + 1e-9)
                    }
                }
            }
        }
    }

    @Test("a placeholder becomes what transformers' processors make of it", arguments: PictureFixture.all)
    func expansion(_ fixture: PictureFixture) throws {
        let golden = try Fixtures.golden(fixture.model)
        let (model, files) = try fixture.open()
        for run in try fixture.cases(golden) {
            let placeholder = try #require(model.picturePlaceholder)
            var text = ""
            for (index, piece) in run.text.components(separatedBy: placeholder).enumerated() {
                if index > 0 {
                    text += model.pictureText(
                        for: try PictureFixture.picture(run.pictures[index - 1], golden, model, files).layout)
                }
                text += piece
            }
            if let expanded = run.expanded { #expect(text == expanded) }
            let ids = try golden.integers("\(run.name)/input_ids")
            #expect(
                text.components(separatedBy: "<image>").count - 1
                    == ids.filter { $0 == model.pictures.placeholder }.count)
        }
    }

    @Test("a picture that was not cut is described by itself")
    func uncutPicture() throws {
        let (model, files) = try PictureFixture.all[1].open()
        var configuration = try ImageProcessorConfiguration(of: files)
        configuration.doImageSplitting = false
        let layout = try ImageProcessors.make(configuration).layout(width: 300, height: 200)
        #expect(
            model.pictureText(for: layout)
                == "<fake_token_around_image><global-img><image><image><image><image><fake_token_around_image>")
        let keys = model.pictureKeys([layout], in: Array(repeating: model.pictures.placeholder, count: 4))
        #expect(keys[0].count == 4 && keys[0].allSatisfy { !$0.isOverview && $0.tile == 0 })
    }

    @Test("all tokens of a layer, and several layers side by side, as vision_feature_* ask for")
    func featureChoices() throws {
        let golden = try Fixtures.golden("llava")
        let source = try Checkpoint.open(Fixtures.model("llava").path)
        let folder = try TemporaryFolder()
        // A second layer whose channels the projector multiplies by 0 changes nothing.
        let name = "multi_modal_projector.linear_1.weight"
        let (shape, weights) = (try source.entry(name).shape, try source.floats(name))
        let writer = try SafetensorsWriter(path: folder.path("model.safetensors"))
        for other in source.names where other != name {
            try writer.add(other, shape: source.entry(other).shape, floats: source.floats(other))
        }
        let rows = stride(from: 0, to: weights.count, by: shape[1]).flatMap {
            weights[$0..<$0 + shape[1]] + Array(repeating: 0, count: shape[1])
        }
        try writer.add(name, shape: [shape[0], 2 * shape[1]], floats: rows)
        try writer.finish()
        var members = try JSONReader(contentsOf: Fixtures.model("llava").appending(path: "config.json").path)
            .members
        members["vision_feature_layer"] = .array([.integer(-2), .integer(3)])
        members["vision_feature_select_strategy"] = .string("full")
        let configuration = try LLaVA.Configuration(JSONReader(.object(members), file: "config.json"))
        #expect(configuration.featureLayers == [2, 3] && configuration.keepsClassToken)
        let model = LLaVA(configuration: configuration)
        let files = try ModelFiles(path: folder.url.path)
        try LLaVA.weightSource(of: files).assignFormats(to: model.parameters)
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        let (_, original) = try PictureFixture.all[0].open()
        let picture = try PictureFixture.picture("image_b", golden, model, original)
        let tokens = model.tokensPerTile
        #expect(tokens == model.patchGrid.count + 1 && model.pictureTokens(for: picture.layout) == tokens)
        var features: [Float] = []
        var options = TraceOptions()
        options.maximumTokens = 0
        try model.trace(
            .pictures([picture]), prompt: Array(repeating: model.pictures.placeholder, count: tokens), options: options
        ) { tensor in
            if tensor.name == "image_features", case .floats(let values) = tensor.values { features = values }
        }
        // The class token's features come first.
        let size = configuration.text.hiddenSize
        #expect(features.count == tokens * size)
        #expect(
            try golden.compare(
                actual: Array(features.dropFirst(size)), shape: [tokens - 1, size], to: "image_b/image_features") == nil
        )
        let keys = model.pictureKeys([picture.layout], in: Array(repeating: model.pictures.placeholder, count: tokens))[
            0]
        #expect(keys[0].rectangle == nil)
        #expect(keys[1].rectangle != nil && keys[1].key == 1)
    }

    @Test("configurations that cannot be are errors that name file and key")
    func badConfigurations() {
        func error(_ members: JSONObject, smolvlm: Bool = false) -> String {
            let file = JSONReader(.object(members), file: "here/config.json")
            do {
                if smolvlm { _ = try SmolVLM.Configuration(file) } else { _ = try LLaVA.Configuration(file) }
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(error([:]) == "no error")
        #expect(error(["vision_feature_layer": .integer(-14)]).contains("vision_feature_layer"))
        #expect(error(["vision_feature_layer": .array([])]).contains("vision_feature_layer"))
        #expect(error(["vision_feature_select_strategy": .string("some")]).contains("vision_feature_select_strategy"))
        #expect(error(["text_config": .object(["model_type": .string("mystery")])]).contains("text_config.model_type"))
        #expect(
            error(["vision_config": .object(["model_type": .string("mystery")])]).contains("vision_config.model_type"))
        #expect(error(["vision_config": .object(["hidden_size": .integer(0)])]).contains("vision_config.hidden_size"))
        #expect(error(["scale_factor": .integer(0)], smolvlm: true).contains("scale_factor"))
        #expect(
            error(["scale_factor": .integer(2)], smolvlm: true).contains("scale_factor"), "7×7 patches do not divide")
        #expect(error(["scale_factor": .integer(7)], smolvlm: true) == "no error")
    }

    @Test(
        "checkpoints as transformers 5 names them load alike",
        arguments: [
            ["vision_tower.vision_model.": "vision_tower."],
            [
                "vision_tower.vision_model.": "model.vision_tower.", "language_model.model.": "model.language_model.",
                "language_model.lm_head.": "lm_head.", "multi_modal_projector.": "model.multi_modal_projector.",
            ],
        ])
    func otherNames(_ names: [String: String]) throws {
        let golden = try Fixtures.golden("llava")
        let source = try Checkpoint.open(Fixtures.model("llava").path)
        let folder = try TemporaryFolder()
        for (file, name) in [
            ("config.v4.json", "config.json"), ("preprocessor_config.json", "preprocessor_config.json"),
        ] {
            try FileManager.default.copyItem(
                at: Fixtures.model("llava").appending(path: file), to: folder.url.appending(path: name))
        }
        let writer = try SafetensorsWriter(path: folder.path("model.safetensors"))
        for name in source.names {
            let renamed = names.first { name.hasPrefix($0.key) }.map { $0.value + name.dropFirst($0.key.count) } ?? name
            try writer.add(renamed, shape: source.entry(name).shape, floats: source.floats(name))
        }
        try writer.finish()
        let files = try ModelFiles(path: folder.url.path)
        let model = try #require(try ModelRegistry.make(from: files) as? LLaVA)
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        var comparison = TraceComparison(golden: golden, prefix: "wide/")
        var options = TraceOptions()
        options.maximumTokens = 1
        try model.trace(
            .pictures([PictureFixture.picture("image_b", golden, model, files)]),
            prompt: golden.integers("wide/input_ids"), options: options
        ) { try comparison.check($0) }
        #expect(comparison.missing(["step0.", "step1."]) == [])
    }

    private func difference(_ a: [Float], _ b: [Float]) -> Float {
        zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }
}
