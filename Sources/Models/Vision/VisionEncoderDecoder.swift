import Checkpoint
import Compute
import NumberFormats
import Transformer
import JSON

// A vision transformer and a text decoder put together (transformers' modeling_vision_encoder_decoder): ViT or DeiT
// (Dosovitskiy et al. 2021; Touvron et al. 2021) with GPT-2 for captions, or with TrOCR's decoder (Li et al. 2021) for
// lines of writing; Swin with mBART's decoder for documents: Donut (Kim et al. 2022), Nougat (Blecher et al. 2023).

// MARK: - Configuration

extension VisionEncoderDecoder {
    /// The text side.
    package enum TextModel: Sendable, Hashable {
        case gpt2(GPT2.Configuration)
        case trocr(BARTConfiguration)
        case mbart(BARTConfiguration)

        /// The architecture's name with its usual encoder.
        var name: String {
            switch self {
            case .gpt2: "ViT with GPT-2"
            case .trocr: "TrOCR"
            case .mbart: "Donut"
            }
        }

        /// The output projection's name; tied models lack it.
        var outputName: String {
            switch self {
            case .gpt2, .mbart: "lm_head.weight"
            case .trocr: "output_projection.weight"
            }
        }
    }

    /// The picture side.
    package enum Vision: Sendable, Hashable {
        case transformer(VisionTower.Configuration)
        case swin(SwinTower.Configuration)

        /// Columns of the features.
        var size: Int {
            switch self {
            case .transformer(let tower): tower.layer.hiddenSize
            case .swin(let tower): tower.channels(ofStage: tower.stages.count - 1)
            }
        }
    }

    package struct Configuration: Sendable, Hashable {
        package var vision: Vision
        package var decoder: TextModel
        /// Features that cross-attention reads: the encoder's own width, or what a layer between the two makes of it.
        package var sourceSize: Int
        package var startToken: Int
        package var endTokens: Set<Int>

        /// Reads a Hugging Face `config.json` (and `generation_config.json`).
        package init(_ file: ModelConfiguration) throws {
            let main = file.main
            let (encoder, decoder) = (try main.object("encoder"), try main.object("decoder"))
            func unsupported(_ key: String, _ type: String, _ known: [String]) -> ModelError {
                .configuration(
                    file: main.file, key: key,
                    problem: "“\(type)” is not supported (supported: \(known.joined(separator: ", ")))")
            }
            switch try encoder.string("model_type") {
            case "vit": vision = .transformer(try VisionTower.Configuration(encoder, family: .vit))
            case "deit":
                var tower = try VisionTower.Configuration(encoder, family: .vit)
                tower.hasDistillationToken = true
                vision = .transformer(tower)
            case "donut-swin": vision = .swin(try SwinTower.Configuration(encoder))
            case let other: throw unsupported("encoder.model_type", other, ["deit", "donut-swin", "vit"])
            }
            let width: Int
            switch try decoder.string("model_type") {
            case "gpt2":
                let configuration = try GPT2.Configuration(decoder)
                self.decoder = .gpt2(configuration)
                width = configuration.hiddenSize
            case "trocr":
                let configuration = try BARTConfiguration(decoder: decoder, positions: 512)
                self.decoder = .trocr(configuration)
                width = configuration.hiddenSize
            case "mbart":
                var configuration = try BARTConfiguration(decoder: decoder, positions: 1024)
                configuration.isPreNorm = true
                self.decoder = .mbart(configuration)
                width = configuration.hiddenSize
            case let other: throw unsupported("decoder.model_type", other, ["gpt2", "mbart", "trocr"])
            }
            let given = try decoder.intIfPresent("cross_attention_hidden_size")
            sourceSize = given == nil || given == 0 ? width : vision.size
            if let given, given != 0 {
                guard given == vision.size else {
                    throw ModelError.configuration(
                        file: main.file, key: "decoder.cross_attention_hidden_size",
                        problem: "\(given) is not the encoder's width, \(vision.size)")
                }
                if case .gpt2 = self.decoder, given != width {
                    throw ModelError.configuration(
                        file: main.file, key: "decoder.cross_attention_hidden_size",
                        problem: "GPT-2 attends to features of its own width, \(width), not \(given)")
                }
            }
            let ownStart = try decoder.int("decoder_start_token_id", default: decoder.int("bos_token_id", default: 0))
            startToken = try main.int(
                "decoder_start_token_id", default: file.generation.int("decoder_start_token_id", default: ownStart))
            let ownEnd = try main.ints("eos_token_id", default: decoder.ints("eos_token_id", default: []))
            endTokens = Set(try file.generation.ints("eos_token_id", default: ownEnd))
            try ModelError.requireRange(
                main.file, [("decoder_start_token_id", startToken, .from(0, to: vocabulary - 1))])
        }

        /// Tokens that the text side writes.
        var vocabulary: Int {
            switch decoder {
            case .gpt2(let text): text.vocabulary
            case .trocr(let text), .mbart(let text): text.decoderVocabulary
            }
        }

        /// Ties the output projection to the embedding, or not.
        mutating func tie(_ isTied: Bool) {
            switch decoder {
            case .gpt2(var text):
                text.isTied = isTied
                decoder = .gpt2(text)
            case .trocr(var text):
                text.isTied = isTied
                decoder = .trocr(text)
            case .mbart(var text):
                text.isTied = isTied
                decoder = .mbart(text)
            }
        }

        /// Plans memory for fewer positions than the model has; nil changes nothing.
        mutating func makeRoom(for count: Int?) {
            switch decoder {
            case .gpt2(var text):
                text.makeRoom(for: count)
                decoder = .gpt2(text)
            case .trocr(var text):
                text.makeRoom(for: count)
                decoder = .trocr(text)
            case .mbart(var text):
                text.makeRoom(for: count)
                decoder = .mbart(text)
            }
        }
    }
}

extension BARTConfiguration {
    /// Reads the part of a `config.json` that describes TrOCR's or mBART's decoder.
    /// - Parameter positions: the default of the decoder's class.
    fileprivate init(decoder file: JSONReader, positions fallback: Int) throws {
        self.init()
        func key(_ name: String) -> String { file.path(of: name) }
        vocabulary = try file.int("vocab_size", default: 50265)
        decoderVocabulary = vocabulary
        hiddenSize = try file.int("d_model", default: 1024)
        decoder = Stack(
            layers: try file.int("decoder_layers", default: 12),
            heads: try file.int("decoder_attention_heads", default: 16),
            intermediateSize: try file.int("decoder_ffn_dim", default: 4096))
        activation = try Activation(named: "activation_function", in: file, default: "gelu")
        scalesEmbedding = try file.bool("scale_embedding", default: false)
        normalizesEmbedding = try file.bool("layernorm_embedding", default: true)
        positions = try file.int("max_position_embeddings", default: fallback)
        contextLength = positions
        isTied = try file.bool("tie_word_embeddings", default: true)
        let padding = try file.int("pad_token_id", default: 1)
        try ModelError.requireRange(
            file.file,
            [
                (key("vocab_size"), vocabulary, .from(1, to: 2_000_000)),
                (key("d_model"), hiddenSize, .from(1, to: 65536)),
                (key("decoder_layers"), decoder.layers, .from(1, to: 1024)),
                (key("decoder_attention_heads"), decoder.heads, .from(1, to: 1024)),
                (key("decoder_ffn_dim"), decoder.intermediateSize, .from(1, to: 1_000_000)),
                (key("max_position_embeddings"), positions, .from(1, to: 65535)),
            ])
        try ModelError.requireRange(file.file, [(key("pad_token_id"), padding, .from(0, to: vocabulary - 1))])
        guard hiddenSize % decoder.heads == 0, hiddenSize / decoder.heads <= AttentionSelection.largestHead else {
            throw ModelError.configuration(
                file: file.file, key: key("decoder_attention_heads"),
                problem:
                    "\(decoder.heads) heads do not divide the model size \(hiddenSize) into heads of at most \(AttentionSelection.largestHead)"
            )
        }
        positionKind =
            try file.bool("use_learned_position_embeddings", default: true)
            ? .learned(offset: 2) : .sinusoidal(.toTheEnd(first: padding + 1))
    }
}

// MARK: - Model

/// A vision encoder with a text decoder on a device: a picture in, its caption or its writing out.
package final class VisionEncoderDecoder: PictureSource {
    package let configuration: Configuration
    package let decoder: Decoder
    package let tower: any PictureEncoder
    /// Brings the tower's features to the decoder's width, where that is another (`enc_to_dec_proj`).
    private let projection: (linear: Linear, place: Slot)?

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let (parameters, workspace) = (ParameterList(), Workspace())
        let vision = ParameterScope(list: parameters, prefix: "encoder.", purpose: .weightsVision)
        tower =
            switch c.vision {
            case .transformer(let sizes):
                VisionTower(vision, configuration: sizes, names: .vit, workspace: workspace)
            case .swin(let sizes): SwinTower(vision, configuration: sizes, workspace: workspace)
            }
        let (width, positions) = (tower.outputSize, tower.tokens)
        let projector = ParameterScope(list: parameters, prefix: "enc_to_dec_proj.", purpose: .weightsProjector)
        projection =
            c.sourceSize == width
            ? nil
            : (
                Linear(projector, inputs: width, outputs: c.sourceSize),
                workspace.reserve("source", rows: positions, columns: c.sourceSize, phase: "vision")
            )
        let root = ParameterScope(list: parameters, prefix: "decoder.", purpose: .weightsDecoder)
        let declaration: Decoder.Declaration
        switch c.decoder {
        case .gpt2(let text):
            declaration = text.declaration(c.decoder.name, root, source: .init(capacity: positions))
        case .trocr(let text), .mbart(let text):
            let scope = root("model.decoder")
            func table(_ scope: ParameterScope, _ name: String) -> Parameter {
                scope.matrix(name, outputs: text.decoderVocabulary, inputs: text.hiddenSize)
            }
            let embedding = table(scope, "embed_tokens.weight")
            declaration = text.decoderDeclaration(
                c.decoder.name, scope, table: embedding,
                output: OutputProjection(text.isTied ? embedding : table(root, c.decoder.outputName)),
                sourceSize: c.sourceSize, sourcePositions: positions)
        }
        decoder = Decoder(declaration, parameters: parameters, workspace: workspace, resources: tower.resources)
    }

    package func sourceFeatures(_ output: Tensor, on stream: CommandStream) throws -> Tensor? {
        guard let (linear, place) = projection else { return nil }
        let features = place.rows(output.rows)
        try linear(output, into: features, on: stream)
        return features
    }

    package var startTokens: [Int] { [configuration.startToken] }
    package var endTokens: Set<Int> { configuration.endTokens }

    /// A prompt takes the start token's place in models that read documents: `<s_docvqa><s_question>…`.
    /// - Parameter prompt: ids as the tokenizer gives them, perhaps between `<s>` and an end token.
    package func startTokens(prompt: [Int]) -> [Int]? {
        guard case .mbart = configuration.decoder else { return nil }
        var prompt = prompt[...]
        if prompt.first == 0 { prompt = prompt.dropFirst() }
        if let last = prompt.last, endTokens.contains(last) { prompt = prompt.dropLast() }
        return prompt.isEmpty ? startTokens : Array(prompt)
    }

    /// A document's fields, `<s_total>` to `</s_total>`, and what separates or decides: `<sep/>`, `<yes/>`.
    package func isAnswerText(_ piece: String) -> Bool {
        guard case .mbart = configuration.decoder else { return false }
        return piece.hasPrefix("<s_") || piece.hasPrefix("</s_") || piece.hasSuffix("/>")
    }

    package static var defaultImageProcessor: String { "ViT" }
}

// MARK: - Files

extension VisionEncoderDecoder {
    package static var modelTypes: [String] { ["vision-encoder-decoder"] }

    package static func make(from files: ModelFiles) throws -> VisionEncoderDecoder {
        guard let file = files.configuration else {
            throw ModelError.configuration(
                file: files.path, key: "model_type",
                problem: "such models are read from Hugging Face folders; there is no config.json")
        }
        var configuration = try Configuration(file)
        // Stored weights decide against the configuration: a missing output projection is the embedding.
        let embedding =
            if case .gpt2 = configuration.decoder { "transformer.wte.weight" } else {
                "model.decoder.embed_tokens.weight"
            }
        let hasOwnOutput = try EmbeddingAliases(checkpoint: files.checkpoint, naming: HuggingFaceNaming()).areDifferent(
            "decoder." + configuration.decoder.outputName, "decoder." + embedding)
        if files.checkpoint.standIn == nil { configuration.tie(!hasOwnOutput) }
        configuration.makeRoom(for: files.options.contextLength)
        let model = VisionEncoderDecoder(configuration: configuration)
        try model.assignStoredFormats(of: files)
        return model
    }
}
