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

/// Code that the suites of models with cross-attention to pictures share.
enum PictureFixtures {
    static func open(_ name: String) throws -> (any PictureReader, ModelFiles) {
        let files = try ModelFiles(path: Fixtures.model(name).path)
        return (try #require(try ModelRegistry.make(from: files) as? any PictureReader), files)
    }

    static func layout(_ picture: String, _ model: any PictureReader, _ files: ModelFiles) throws -> ImageLayout {
        let image = try ImageFile.load(path: Fixtures.models.appending(path: "inputs/\(picture).png").path)
        return try type(of: model).imageProcessor(of: files).layout(width: image.width, height: image.height)
    }

    /// The recorded pixels, cut as the processor cuts a picture of that size.
    static func picture(_ name: String, _ golden: Golden, _ model: any PictureReader, _ files: ModelFiles) throws
        -> ProcessedImage
    {
        ProcessedImage(layout: try layout(name, model, files), pixelValues: try golden.floats("\(name)/pixel_values"))
    }

    /// Names of tensors that are no inputs, and not what the processor is tested with.
    static func computed(_ golden: Golden) -> Set<String> {
        Set(
            golden.tensors.keys.filter { name in
                !["input_ids", "pixel_values", "resized_u8", "decoder_start", "decoder_input_ids"].contains {
                    name.hasSuffix("/" + $0)
                }
            })
    }

    static func checkPlan(_ model: any PictureReader, _ files: ModelFiles) throws {
        let device = try Device(validation: false)
        let planned = model.plannedBuffers(unifiedMemory: device.properties.hasUnifiedMemory)
        try model.load(from: files, on: device) { _, _ in }
        #expect(
            planned.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted()
                == device.ledger.entries.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted())
        model.unload()
    }

    static func difference(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } }
}

@Suite(
    "Llama 3.2 Vision against PyTorch", .usesDevice,
    .serialized)
struct MllamaTests {
    private func open() throws -> (Mllama, ModelFiles, Golden) {
        let (model, files) = try PictureFixtures.open("mllama")
        return (try #require(model as? Mllama), files, try Fixtures.golden("mllama"))
    }

    private func pictures(of run: String, _ golden: Golden, _ model: Mllama, _ files: ModelFiles) throws
        -> [ProcessedImage]
    {
        let names = try #require(golden.meta["prompts"]?[run]?["images"]?.stringArray)
        return try names.map {
            try PictureFixtures.picture($0.replacingOccurrences(of: ".png", with: ""), golden, model, files)
        }
    }

    @Test("every tensor of every case within its tolerance, ids exact, memory all accounted and all returned")
    func golden() throws {
        let device = try Device(validation: true)
        let (model, files, golden) = try open()
        try model.load(from: files, on: device) { _, _ in }
        let cases = try #require(golden.meta["prompts"]?.objectValue).keys.sorted()
        #expect(cases.count == (Fixtures.available ? 4 : 2))
        var compared: Set<String> = []
        for run in cases {
            var comparison = TraceComparison(golden: golden, prefix: "\(run)/")
            var options = TraceOptions()
            options.maximumTokens = try golden.shape("\(run)/greedy")[0]
            try model.trace(
                .pictures(pictures(of: run, golden, model, files)), prompt: golden.integers("\(run)/input_ids"),
                options: options
            ) { try comparison.check($0, as: $0.name == "generated_ids" ? "greedy" : nil) }
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

    @Test("a prompt in pieces, turns, and pictures that come later give what one pass gives")
    func turns() throws {
        let (loaded, files, golden) = try open()
        var configuration = loaded.configuration
        configuration.text.prefillRows = 5
        let model = Mllama(configuration: configuration)
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        let pictures = try pictures(of: "two", golden, model, files)
        let prompt = try golden.integers("two/input_ids")
        let reference = try golden.floats("two/step0.logits")
        let last = prompt.count - 1
        let expected = Array(reference[(last * model.vocabulary)...])
        let bound = 1e-3 * (reference.map { abs($0) }.max() ?? 0)

        // More pictures than there was room for.
        try model.readPictures([pictures[0]], keeping: 0)
        _ = try model.prefill(Array(prompt[..<4]), at: 0, logitRows: [])
        let whole = Array(prompt)
        #expect { try model.prefill(whole, at: 0, logitRows: []) } throws: { "\($0)".contains("2 image tokens") }
        try model.readPictures(pictures, keeping: 1)
        #expect(model.position == 0, "texts that saw other pictures have to run again")
        let inPieces = try model.prefill(prompt, at: 0, logitRows: [last])
        #expect(PictureFixtures.difference(try #require(inPieces[last]), expected) < bound)

        // The pictures stay where nothing changes; the last tokens come one by one.
        try model.readPictures(pictures, keeping: 2)
        #expect(model.position == prompt.count)
        _ = try model.prefill(Array(prompt[9..<12]), at: 9, logitRows: [])
        var logits: [Float] = []
        for token in prompt[12...] { logits = try model.advance(tokens: [token]).logits[0] }
        #expect(PictureFixtures.difference(logits, expected) < bound)
    }

    @Test("hypotheses that decode together give what each gives alone")
    func hypotheses() throws {
        let (model, files, golden) = try open()
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        try model.readPictures(pictures(of: "wide", golden, model, files), keeping: 0)
        let prompt = try golden.integers("wide/input_ids")
        func alone(_ tokens: [Int]) throws -> [Float] {
            try #require(
                try model.prefill(prompt + tokens, at: 0, logitRows: [prompt.count + tokens.count - 1]).values.first)
        }
        let (a, b) = (try alone([4, 74]), try alone([7, 12]))
        try model.decoder.reserve(hypotheses: 2)
        _ = try model.prefill(prompt, at: 0, logitRows: [])
        try model.decoder.fork(hypotheses: 2)
        model.tap?.selection = .cross
        _ = try model.advance(tokens: [4, 7])
        let second = try model.advance(tokens: [74, 12])
        #expect(PictureFixtures.difference(second.logits[0], a) < 1e-4)
        #expect(PictureFixtures.difference(second.logits[1], b) < 1e-4)
        // Keys of empty tiles have no weight; the rest is a distribution.
        let keys = model.pictureKeys([try PictureFixtures.layout("image_e", model, files)], in: prompt)[0]
        for weights in second.attention.flatMap({ $0 }) {
            #expect(weights.keys == keys.count)
            for head in 0..<weights.heads {
                let row = Array(weights.row(head: head, query: 0))
                #expect(abs(row.reduce(0, +) - 1) < 1e-5)
                #expect(zip(row, keys).allSatisfy { $0.1.tile < 2 || $0.0 == 0 })
            }
        }
    }

    @Test(
        "without pictures the layers that look at them are left out, with and without pictures before",
        .needsLargeFixtures)
    func textOnly() throws {
        let (model, files, golden) = try open()
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        let prompt = (try golden.integers("wide/input_ids")).filter { $0 != model.configuration.pictureToken }
        model.tap?.selection = .everything
        let all = Array(0..<model.configuration.text.layers)
        let kept = all.filter { !model.configuration.crossLayers.contains($0) }
        func run() throws -> [Float] {
            _ = try model.prefill(prompt, at: 0, logitRows: [])
            let result = try model.advance(tokens: [5])
            #expect(result.attention[0].map(\.layer) == kept)
            return result.logits[0]
        }
        let before = try run()
        // The same as a Llama of the other layers.
        var text = model.configuration.text
        text.layers -= model.configuration.crossLayers.count
        let source = files.checkpoint
        let folder = try TemporaryFolder()
        let writer = try SafetensorsWriter(path: folder.path("model.safetensors"))
        for name in source.names where name.hasPrefix("language_model.") {
            var short = String(name.dropFirst("language_model.".count))
            var shape = try source.entry(name).shape
            var values = try source.floats(name)
            if let match = short.firstMatch(of: #/layers\.(\d+)\./#), let layer = Int(match.1) {
                guard let place = kept.firstIndex(of: layer) else { continue }
                short = short.replacingOccurrences(of: "layers.\(layer).", with: "layers.\(place).")
            }
            if short == "model.embed_tokens.weight" {
                shape[0] = text.vocabulary
                values = Array(values[..<(shape[0] * shape[1])])
            }
            try writer.add(short, shape: shape, floats: values)
        }
        try writer.finish()
        let llama = Llama(configuration: text)
        try llama.decoder.load(
            from: WeightSource(
                checkpoint: Checkpoint.open(folder.path("model.safetensors")), naming: HuggingFaceNaming()),
            on: TestDevice.open()
        ) { _, _ in }
        _ = try llama.prefill(prompt, at: 0, logitRows: [])
        #expect(PictureFixtures.difference(try llama.advance(tokens: [5]).logits[0], before) < 1e-4)

        try model.readPictures(pictures(of: "tall", golden, model, files), keeping: 0)
        _ = try model.prefill(golden.integers("tall/input_ids"), at: 0, logitRows: [])
        #expect(try model.advance(tokens: [5]).attention[0].map(\.layer) == all)
        try model.readPictures([], keeping: 0)
        #expect(PictureFixtures.difference(try run(), before) < 1e-6)
    }

    @Test("watching attention to pictures takes what was said it would", .needsLargeFixtures)
    func watching() throws {
        let device = try Device(validation: false)
        let (model, files, golden) = try open()
        try model.load(from: files, on: device) { _, _ in }
        try model.readPictures(pictures(of: "small", golden, model, files), keeping: 0)
        _ = try model.prefill(golden.integers("small/input_ids"), at: 0, logitRows: [])
        model.tap?.selection = .cross
        _ = try model.advance(tokens: [5])
        #expect(
            device.ledger.bytesByPurpose[.capture]
                == model.watchingBytes(unifiedMemory: device.properties.hasUnifiedMemory))
        model.unload()
    }

    @Test("weights that are converted while loading change little", arguments: [ElementFormat.f16, .q8_0])
    func converted(_ format: ElementFormat) throws {
        var (_, files, golden) = try open()
        files.options.weights = format
        let model = try #require(try ModelRegistry.make(from: files) as? Mllama)
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        try model.readPictures(pictures(of: "wide", golden, model, files), keeping: 0)
        let prompt = try golden.integers("wide/input_ids")
        let found = try model.prefill(prompt, at: 0, logitRows: Set(prompt.indices))
        let reference = try golden.floats("wide/step0.logits")
        let logits = prompt.indices.flatMap { found[$0] ?? [] }
        let error = zip(logits, reference).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let power = reference.reduce(Float(0)) { $0 + $1 * $1 }
        #expect((error / power).squareRoot() < (format == .f16 ? 0.01 : 0.1), "\((error / power).squareRoot())")
    }

    @Test("keys of attention are class tokens, patches and padding of each tile", .needsLargeFixtures)
    func keys() throws {
        let (model, files, golden) = try open()
        for run in ["small", "wide", "tall", "two"] {
            let layouts = try pictures(of: run, golden, model, files).map(\.layout)
            let keys = model.pictureKeys(layouts, in: try golden.integers("\(run)/input_ids"))
            #expect(keys.count == layouts.count)
            #expect(keys.flatMap { $0 }.map(\.key) == Array(0..<layouts.count * 40))
            for (layout, own) in zip(layouts, keys) {
                for (index, key) in own.enumerated() {
                    let (tile, place) = (index / 10, index % 10)
                    #expect(key.tile == tile && !key.isOverview)
                    guard place > 0, tile < layout.tiles.count else {
                        #expect(key.rectangle == nil)
                        continue
                    }
                    let size = layout.tileWidth / 3, (row, column) = ((place - 1) / 3, (place - 1) % 3)
                    #expect(
                        key.rectangle
                            == layout.tiles[tile].pictureRectangle(
                                x: column * size, y: row * size, width: size, height: size))
                    guard let rectangle = key.rectangle else { continue }
                    #expect(rectangle.x >= 0 && rectangle.x + rectangle.width <= Double(layout.imageWidth) + 1e-9)
                    #expect(rectangle.y >= 0 && rectangle.y + rectangle.height <= Double(layout.imageHeight) + 1e-9)
                }
            }
        }
    }

    @Test("checkpoints as transformers 5 names them load alike", .needsLargeFixtures)
    func otherNames() throws {
        let (_, files, golden) = try open()
        let folder = try TemporaryFolder()
        for (file, name) in [
            ("config.v4.json", "config.json"), ("preprocessor_config.json", "preprocessor_config.json"),
        ] {
            try FileManager.default.copyItem(
                at: Fixtures.model("mllama").appending(path: file), to: folder.url.appending(path: name))
        }
        let writer = try SafetensorsWriter(path: folder.path("model.safetensors"))
        for name in files.checkpoint.names {
            let renamed =
                name.hasPrefix("language_model.model.")
                ? "model.language_model." + name.dropFirst("language_model.model.".count)
                : name.hasPrefix("language_model.") ? String(name.dropFirst("language_model.".count)) : "model." + name
            try writer.add(renamed, shape: files.checkpoint.entry(name).shape, floats: files.checkpoint.floats(name))
        }
        try writer.finish()
        let renamed = try ModelFiles(path: folder.url.path)
        let model = try #require(try ModelRegistry.make(from: renamed) as? Mllama)
        try model.load(from: renamed, on: TestDevice.open()) { _, _ in }
        var comparison = TraceComparison(golden: golden, prefix: "tall/")
        var options = TraceOptions()
        options.maximumTokens = 1
        try model.trace(
            .pictures(pictures(of: "tall", golden, model, renamed)), prompt: golden.integers("tall/input_ids"),
            options: options
        ) { try comparison.check($0) }
        #expect(comparison.missing(["vision.out", "step0.", "step1."]) == [])
    }

    @Test("who sees which picture: the last one before, and those just before that one")
    func masks() throws {
        let pictures = MllamaPictures(placeholder: 9, keysPerTile: 2, tilesPerPicture: 2, room: 4)
        let source = CrossAttentionState(widths: [0: 4], capacity: 16, visibility: pictures)
        let device = try TestDevice.open()
        try source.allocate(on: device)
        defer { source.release() }
        for tiles in [1, 2, 2, 1] { try pictures.add(tiles: tiles, on: device) }
        source.set(count: pictures.keyCount)
        try source.prepare([1, 9, 2, 9, 9, 3], at: 0)
        try source.prepare([4, 9], at: 6)
        let mask = pictures.crossAttentionMask(positions: 8)
        #expect(
            mask == [
                [0, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0, 0],
                [0, 0, 1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0, 1, 0],
            ])
        let view = try #require(source.view(of: 0..<6))
        #expect(view.runs.map(\.queries) == [0..<1, 1..<3, 3..<4, 4..<6])
        #expect(view.attendingRows == [1..<6] && view.runs[0].mask == nil && view.count == 16)
        #expect(source.view(of: 5..<8)?.runs.map(\.queries) == [0..<2, 2..<3])
        #expect(source.view(of: 0..<1)?.attendingRows == [])
        // Tokens that run again are noted again.
        try source.prepare([5, 5], at: 4)
        #expect(source.view(of: 0..<6)?.runs.map(\.queries) == [0..<1, 1..<3, 3..<6])
    }

    @Test("configurations that cannot be are errors that name file and key")
    func badConfigurations() throws {
        func error(
            text: JSONObject = [:], vision: JSONObject = [:], _ members: JSONObject = [:]
        ) -> String {
            let all = members.merging(["text_config": .object(text), "vision_config": .object(vision)])
            do {
                _ = try Mllama.Configuration(JSONReader(.object(all), file: "here/config.json"))
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(error() == "no error")
        #expect(
            error(text: ["cross_attention_layers": .array([.integer(40)])]).contains(
                "text_config.cross_attention_layers"))
        #expect(error(text: ["num_attention_heads": .integer(7)]).contains("here/config.json"))
        #expect(error(vision: ["vision_output_dim": .integer(1280)]).contains("vision_config.vision_output_dim"))
        #expect(
            error(vision: ["intermediate_layers_indices": .array([.integer(33)])]).contains(
                "vision_config.intermediate_layers_indices"))
        #expect(error(vision: ["max_num_tiles": .integer(0)]).contains("vision_config.max_num_tiles"))
        #expect(error(vision: ["attention_heads": .integer(7)]).contains("vision_config.attention_heads"))
        #expect(error(vision: ["hidden_act": .string("mystery")]).contains("here/config.json"))
        #expect(error(["image_token_index": .integer(1_000_000)]).contains("image_token_index"))
    }

    @Test("pictures of another size, and more image tokens than pictures, are typed errors", .needsLargeFixtures)
    func badInput() throws {
        let (model, files, golden) = try open()
        let picture = try #require(try pictures(of: "small", golden, model, files).first)
        #expect(throws: TransformerError.self) { try model.readPictures([picture], keeping: 0) }
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        let short = ProcessedImage(layout: picture.layout, pixelValues: Array(picture.pixelValues.dropLast()))
        #expect(throws: TransformerError.self) { try model.readPictures([short], keeping: 0) }
        let prompt = try golden.integers("small/input_ids")
        #expect(throws: ModelError.self) { try model.prefill(prompt, at: 0, logitRows: []) }
        #expect(throws: TransformerError.self) {
            try model.prefill([model.configuration.inputVocabulary], at: 0, logitRows: [])
        }
    }
}
