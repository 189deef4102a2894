import JSON
import Checkpoint
import Compute
import Foundation
import Media
import TestSupport
import Testing

@testable import Models
@testable import Transformer

enum FixtureProblem: Error { case unexpectedEncoder }

/// A fixture whose decoder attends to a picture that an encoder has read.
struct CaptionFixture: Sendable, CustomStringConvertible {
    let model: String
    var description: String { model }

    static let all = ["blip", "vit-gpt2", "trocr"].map { CaptionFixture(model: $0) }

    func open() throws -> (any PictureSource, ModelFiles, Golden) {
        let (model, files) = try PictureFixtures.open(model)
        return (try #require(model as? any PictureSource), files, try Fixtures.golden(self.model))
    }

    /// The picture a case is about.
    func picture(of run: String, _ golden: Golden) throws -> String {
        if let images = golden.meta["prompts"]?[run]?["images"]?.stringArray, let name = images.first {
            return name.replacingOccurrences(of: ".png", with: "")
        }
        return run == "forced" ? "image_a" : run
    }
}

@Suite(
    "Encoder-decoders of pictures against PyTorch", .usesDevice,
    .serialized)
struct PictureEncoderDecoderTests {
    @Test(
        "every tensor of every case within its tolerance, ids exact, memory all accounted and all returned",
        arguments: CaptionFixture.all)
    func golden(_ fixture: CaptionFixture) throws {
        let device = try Device(validation: true)
        let (model, files, golden) = try fixture.open()
        try model.load(from: files, on: device) { _, _ in }
        let cases = Set(
            golden.tensors.keys.filter { $0.contains("logits") }.compactMap {
                $0.split(separator: "/").first.map(String.init)
            })
        #expect(cases.count >= 2)
        var compared: Set<String> = []
        for run in cases.sorted() {
            var comparison = TraceComparison(golden: golden, prefix: "\(run)/")
            let picture = try PictureFixtures.picture(fixture.picture(of: run, golden), golden, model, files)
            var options = TraceOptions()
            if run == "forced" {
                try model.traceForced(
                    .pictures([picture]), tokens: golden.integers("forced/decoder_input_ids"), options: options
                ) { try comparison.check($0) }
            } else {
                options.maximumTokens = try golden.shape("\(run)/greedy")[0]
                try model.trace(
                    .pictures([picture]), prompt: golden.integers("\(run)/decoder_start"), options: options
                ) { try comparison.check($0, as: $0.name == "generated_ids" ? "greedy" : nil) }
            }
            compared.formUnion(comparison.compared)
        }
        #expect(PictureFixtures.computed(golden).subtracting(compared).sorted() == [])
        #expect(device.instance.validationMessages == [])
        model.unload()
        #expect(device.ledger.total == 0, "\(device.ledger.entries)")
    }

    @Test("the load plan is what loading allocates, to the byte", arguments: CaptionFixture.all)
    func plan(_ fixture: CaptionFixture) throws {
        let (model, files, _) = try fixture.open()
        try PictureFixtures.checkPlan(model, files)
    }

    @Test("what decoding starts with is the reference's", arguments: CaptionFixture.all)
    func start(_ fixture: CaptionFixture) throws {
        let (model, _, golden) = try fixture.open()
        if let blip = model as? BLIP {
            #expect(try golden.integers("caption/decoder_start") == blip.startTokens(prompt: []))
            let prompted = try golden.integers("prompted/decoder_start")
            // `[CLS]` 2 and `[SEP]` 3 around the prompt's own ids.
            #expect(blip.startTokens(prompt: [2] + prompted.dropFirst() + [3]) == prompted)
        } else {
            #expect(try golden.integers("image_a/decoder_start") == model.startTokens)
        }
        #expect(model.mostPictures == 1 && model.capabilities.watchedAttention == .cross)
    }

    @Test("hypotheses that decode together give what each gives alone", arguments: CaptionFixture.all)
    func hypotheses(_ fixture: CaptionFixture) throws {
        let (model, files, golden) = try fixture.open()
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        try model.readPictures([PictureFixtures.picture("image_b", golden, model, files)], keeping: 0)
        func alone(_ tokens: [Int]) throws -> [Float] {
            _ = try model.start(tokens: model.startTokens, hypotheses: 1, logitRows: [])
            return try tokens.map { try model.advance(tokens: [$0], parents: nil).logits[0] }.last ?? []
        }
        let (a, crossed) = (try alone([4, 74]), try alone([4, 12]))
        _ = try model.start(tokens: model.startTokens, hypotheses: 2, logitRows: [])
        _ = try model.advance(tokens: [4, 7], parents: nil)
        let second = try model.advance(tokens: [74, 12], parents: [0, 0])
        #expect(PictureFixtures.difference(second.logits[0], a) < 1e-4)
        #expect(PictureFixtures.difference(second.logits[1], crossed) < 1e-4)
    }

    @Test(
        "keys of attention are the class tokens and the patches, each with its place in the picture",
        arguments: CaptionFixture.all)
    func keys(_ fixture: CaptionFixture) throws {
        let (model, files, _) = try fixture.open()
        let layout = try PictureFixtures.layout("image_b", model, files)
        let keys = try #require(model.pictureKeys([layout], in: []).first)
        #expect(keys.map(\.key) == Array(0..<10))
        #expect(keys[0].rectangle == nil)
        for (index, key) in keys.dropFirst().enumerated() {
            // The whole picture is squeezed into the square.
            let rectangle = try #require(key.rectangle)
            #expect(abs(rectangle.width - Double(layout.imageWidth) / 3) < 1e-9)
            #expect(abs(rectangle.x - Double(index % 3 * layout.imageWidth) / 3) < 1e-9)
            #expect(abs(rectangle.y - Double(index / 3 * layout.imageHeight) / 3) < 1e-9)
        }
    }

    @Test(
        "pixels of another size and decoding before a picture was read are typed errors", arguments: CaptionFixture.all)
    func badInput(_ fixture: CaptionFixture) throws {
        let (model, files, golden) = try fixture.open()
        let picture = try PictureFixtures.picture("image_a", golden, model, files)
        #expect(throws: TransformerError.self) { try model.readPictures([picture], keeping: 0) }
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        #expect(throws: TransformerError.self) {
            try model.start(tokens: model.startTokens, hypotheses: 1, logitRows: [])
        }
        #expect(throws: TransformerError.self) { try model.readPictures([picture, picture], keeping: 0) }
        #expect(throws: TransformerError.self) { try model.encode(pixels: picture.pixelValues.dropLast()) }
    }

    @Test("encoders and decoders there is no code for, and sizes that do not fit, are errors that name file and key")
    func badConfigurations() throws {
        func error(encoder: JSONObject = [:], decoder: JSONObject = [:]) -> String {
            let main = JSONReader(
                .object([
                    "encoder": .object((["model_type": .string("vit")] as JSONObject).merging(encoder)),
                    "decoder": .object((["model_type": .string("trocr")] as JSONObject).merging(decoder)),
                ]), file: "here/config.json")
            do {
                _ = try VisionEncoderDecoder.Configuration(ModelConfiguration(folder: "here", main: main))
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(error() == "no error")
        #expect(error(encoder: ["model_type": .string("swin")]).contains("here/config.json: “encoder.model_type”"))
        #expect(error(decoder: ["model_type": .string("bert")]).contains("decoder.model_type"))
        #expect(
            error(decoder: ["cross_attention_hidden_size": .integer(700)]).contains(
                "decoder.cross_attention_hidden_size"))
        #expect(error(decoder: ["decoder_attention_heads": .integer(7)]).contains("decoder.decoder_attention_heads"))
        #expect(error(encoder: ["num_attention_heads": .integer(7)]).contains("encoder.num_attention_heads"))
        #expect(error(decoder: ["activation_function": .string("mystery")]).contains("here/config.json"))
    }

    @Test("BLIP's other tasks, and sizes that do not fit, are errors that name file and key")
    func badBLIP() throws {
        func error(_ members: JSONObject = [:], text: JSONObject = [:]) -> String {
            do {
                _ = try BLIP.Configuration(
                    JSONReader(
                        .object(members.merging(["text_config": .object(text)])), file: "here/config.json"))
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(error() == "no error")
        #expect(
            error(["architectures": .array([.string("BlipForQuestionAnswering")])]).contains(
                "here/config.json: “architectures”"))
        #expect(error(text: ["num_attention_heads": .integer(7)]).contains("text_config.num_attention_heads"))
        #expect(error(text: ["bos_token_id": .integer(40_000)]).contains("text_config.bos_token_id"))
        #expect(error(text: ["hidden_act": .string("mystery")]).contains("here/config.json"))
    }

    @Test("an encoder of another width reaches the decoder through a layer between")
    func bridge() throws {
        let (_, files, golden) = try CaptionFixture(model: "vit-gpt2").open()
        let checkpoint = files.checkpoint
        let folder = try TemporaryFolder()
        // A GPT-2 of 20 features: parts of the fixture's weights, and a layer that picks every feature of the decoder's.
        var main = try #require(files.configuration).main.members
        var decoder = try #require(main["decoder"]?.objectValue)
        decoder["n_embd"] = .integer(20)
        decoder["n_inner"] = .integer(40)
        main["decoder"] = .object(decoder)
        let configuration = try VisionEncoderDecoder.Configuration(
            ModelConfiguration(folder: "here", main: JSONReader(.object(main), file: "here/config.json")))
        #expect(configuration.sourceSize == 20)
        func part(_ name: String, _ shape: [Int]) throws -> [Float] {
            let (stored, values) = (try checkpoint.entry(name).shape, try checkpoint.floats(name))
            if shape.count == 1 { return Array(values[..<shape[0]]) }
            return (0..<shape[0]).flatMap { values[$0 * stored[1]..<$0 * stored[1] + shape[1]] }
        }
        let wide = VisionEncoderDecoder(configuration: configuration)
        func save(to name: String, project: Bool) throws -> String {
            let path = folder.path(name)
            let writer = try SafetensorsWriter(path: path)
            for parameter in wide.parameters.parameters.flatMap(\.parts) {
                if parameter.key.hasPrefix("enc_to_dec_proj") {
                    if !project { continue }
                    let values = (0..<parameter.shape.reduce(1, *)).map { Float(($0 * 7919) % 101) / 101 - 0.5 }
                    try writer.add(parameter.key, shape: parameter.shape, floats: values)
                } else if parameter.key.hasPrefix("decoder.") {
                    try writer.add(parameter.key, shape: parameter.shape, floats: part(parameter.key, parameter.shape))
                } else {
                    try writer.add(
                        parameter.key, shape: checkpoint.entry(parameter.key).shape,
                        floats: checkpoint.floats(parameter.key))
                }
            }
            try writer.finish()
            return path
        }
        func source(_ path: String) throws -> WeightSource {
            WeightSource(checkpoint: try Checkpoint.open(path), naming: HuggingFaceNaming())
        }
        try wide.decoder.load(from: source(save(to: "wide.safetensors", project: true)), on: TestDevice.open())
        #expect(wide.plannedBuffers(unifiedMemory: true).contains { $0.purpose == .weightsProjector })
        try wide.encode(pixels: golden.floats("image_a/pixel_values")[...])
        let output = try wide.decoder.readEncoderOutput()
        #expect(output.shape == [10, 36])
        let logits = try #require(try wide.start(tokens: [0], hypotheses: 1, logitRows: [0])[0])
        #expect(logits.allSatisfy { $0.isFinite })
        // Without the layer the file does not fit, and says so.
        let message = { () -> String in
            do {
                try wide.decoder.load(
                    from: source(save(to: "narrow.safetensors", project: false)), on: TestDevice.open())
                return ""
            } catch { return "\(error)" }
        }()
        #expect(message.contains("enc_to_dec_proj.weight"))
    }

    @Test("DeiT's two tokens come before the patches")
    func distillation() throws {
        let (source, files, golden) = try CaptionFixture(model: "vit-gpt2").open()
        let size = 36
        let folder = try TemporaryFolder()
        var config = try #require(files.configuration).main.members
        var encoder = try #require(config["encoder"]?.objectValue)
        encoder["model_type"] = .string("deit")
        config["encoder"] = .object(encoder)
        let model = try VisionEncoderDecoder(
            configuration: {
                var configuration = try VisionEncoderDecoder.Configuration(
                    ModelConfiguration(
                        folder: "here", main: JSONReader(.object(config), file: "here/config.json")))
                guard case .transformer(var tower) = configuration.vision else {
                    throw FixtureProblem.unexpectedEncoder
                }
                #expect(tower.tokens == 11)
                tower.layer.hiddenSize = size
                configuration.vision = .transformer(tower)
                return configuration
            }())
        // A distillation token that no one can tell from the class token by its position: a row of its own.
        let writer = try SafetensorsWriter(path: folder.path("model.safetensors"))
        for name in files.checkpoint.names {
            var (shape, values) = (try files.checkpoint.entry(name).shape, try files.checkpoint.floats(name))
            if name == "encoder.embeddings.position_embeddings" {
                shape[1] += 1
                values.insert(contentsOf: values[..<size], at: size)
            }
            try writer.add(name, shape: shape, floats: values)
        }
        try writer.add(
            "encoder.embeddings.distillation_token", shape: [1, 1, size],
            floats: files.checkpoint.floats("encoder.embeddings.cls_token"))
        try writer.finish()
        try model.decoder.load(
            from: WeightSource(
                checkpoint: Checkpoint.open(folder.path("model.safetensors")), naming: HuggingFaceNaming()),
            on: TestDevice.open())
        model.tap?.selection = .everything
        model.tap?.queryRows = .all
        try model.encode(pixels: golden.floats("image_a/pixel_values")[...])
        for weights in try #require(model.tap).takeRows() {
            #expect(weights.keys == 11)
            // Twins get the same, and look alike.
            for head in 0..<weights.heads {
                for query in 0..<11 {
                    let row = Array(weights.row(head: head, query: query))
                    #expect(abs(row[0] - row[1]) < 1e-6)
                }
            }
        }
        let keys = model.pictureKeys([try PictureFixtures.layout("image_a", source, files)], in: [])[0]
        #expect(keys.prefix(3).map { $0.rectangle == nil } == [true, true, false])
    }
}
