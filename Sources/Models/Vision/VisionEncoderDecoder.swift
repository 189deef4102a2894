import Checkpoint
import Compute
import NumberFormats
import Transformer
import JSON

// A vision transformer and a text decoder put together (transformers' modeling_vision_encoder_decoder): ViT or DeiT
// (Dosovitskiy et al. 2021; Touvron et al. 2021) with GPT-2 for captions, or with TrOCR's decoder (Li et al. 2021) for
// lines of writing.

// MARK: - Configuration

extension VisionEncoderDecoder {
    /// The text side.
    package enum TextModel: Sendable, Hashable {
        case gpt2(GPT2.Configuration)
        case trocr(BARTConfiguration)
    }

    package struct Configuration: Sendable, Hashable {
        package var vision: VisionTower.Configuration
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
            case "vit": vision = try VisionTower.Configuration(encoder, family: .vit)
            case "deit":
                vision = try VisionTower.Configuration(encoder, family: .vit)
                vision.hasDistillationToken = true
            case let other: throw unsupported("encoder.model_type", other, ["deit", "vit"])
            }
            let width: Int
            switch try decoder.string("model_type") {
            case "gpt2":
                let configuration = try GPT2.Configuration(decoder)
                self.decoder = .gpt2(configuration)
                width = configuration.hiddenSize
            case "trocr":
                let configuration = try BARTConfiguration(trocr: decoder)
                self.decoder = .trocr(configuration)
                width = configuration.hiddenSize
            case let other: throw unsupported("decoder.model_type", other, ["gpt2", "trocr"])
            }
            let given = try decoder.intIfPresent("cross_attention_hidden_size")
            sourceSize = given == nil || given == 0 ? width : vision.layer.hiddenSize
            if let given, given != 0 {
                guard given == vision.layer.hiddenSize else {
                    throw ModelError.configuration(
                        file: main.file, key: "decoder.cross_attention_hidden_size",
                        problem: "\(given) is not the encoder's width, \(vision.layer.hiddenSize)")
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
            try ModelError.requireRange(main.file, [("decoder_start_token_id", startToken, 0...vocabulary - 1)])
        }

        /// Tokens that the text side writes.
        var vocabulary: Int {
            switch decoder {
            case .gpt2(let text): text.vocabulary
            case .trocr(let text): text.decoderVocabulary
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
            }
        }
    }
}

extension BARTConfiguration {
    /// Reads the part of a `config.json` that describes TrOCR's decoder.
    fileprivate init(trocr file: JSONReader) throws {
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
        positions = try file.int("max_position_embeddings", default: 512)
        contextLength = positions
        isTied = try file.bool("tie_word_embeddings", default: true)
        let padding = try file.int("pad_token_id", default: 1)
        try ModelError.requireRange(
            file.file,
            [
                (key("vocab_size"), vocabulary, 1...2_000_000), (key("d_model"), hiddenSize, 1...65536),
                (key("decoder_layers"), decoder.layers, 1...1024),
                (key("decoder_attention_heads"), decoder.heads, 1...1024),
                (key("decoder_ffn_dim"), decoder.intermediateSize, 1...1_000_000),
                (key("max_position_embeddings"), positions, 1...65535),
            ])
        try ModelError.requireRange(file.file, [(key("pad_token_id"), padding, 0...vocabulary - 1)])
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
    package let tower: VisionTower
    /// Brings the tower's features to the decoder's width, where that is another (`enc_to_dec_proj`).
    private let projection: (linear: Linear, place: Slot)?

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let (parameters, workspace) = (ParameterList(), Workspace())
        let width = c.vision.layer.hiddenSize
        tower = VisionTower(
            ParameterScope(list: parameters, prefix: "encoder.", purpose: .weightsVision), configuration: c.vision,
            names: .vit, workspace: workspace)
        let projector = ParameterScope(list: parameters, prefix: "enc_to_dec_proj.", purpose: .weightsProjector)
        projection =
            c.sourceSize == width
            ? nil
            : (
                Linear(projector, inputs: width, outputs: c.sourceSize),
                workspace.reserve("source", rows: c.vision.tokens, columns: c.sourceSize, phase: "vision")
            )
        let root = ParameterScope(list: parameters, prefix: "decoder.", purpose: .weightsDecoder)
        let declaration: Decoder.Declaration
        switch c.decoder {
        case .gpt2(let text):
            declaration = text.declaration("ViT with GPT-2", root, source: .init(capacity: c.vision.tokens))
        case .trocr(let text):
            let scope = root("model.decoder")
            func table(_ scope: ParameterScope, _ name: String) -> Parameter {
                scope.matrix(name, outputs: text.decoderVocabulary, inputs: text.hiddenSize)
            }
            let embedding = table(scope, "embed_tokens.weight")
            declaration = text.decoderDeclaration(
                "TrOCR", scope, table: embedding,
                output: OutputProjection(text.isTied ? embedding : table(root, "output_projection.weight")),
                sourceSize: c.sourceSize, sourcePositions: c.vision.tokens)
        }
        decoder = Decoder(declaration, parameters: parameters, workspace: workspace, resources: [tower.input])
    }

    package func sourceFeatures(_ output: Tensor, on stream: CommandStream) throws -> Tensor? {
        guard let (linear, place) = projection else { return nil }
        let features = place.rows(output.rows)
        try linear(output, into: features, on: stream)
        return features
    }

    package var startTokens: [Int] { [configuration.startToken] }
    package var endTokens: Set<Int> { configuration.endTokens }

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
        // An output projection of its own decides against the configuration; a missing one is the embedding.
        let aliases = EmbeddingAliases(checkpoint: files.checkpoint, naming: HuggingFaceNaming())
        switch configuration.decoder {
        case .gpt2(var text):
            text.isTied = !(try aliases.areDifferent("decoder.lm_head.weight", "decoder.transformer.wte.weight"))
            configuration.decoder = .gpt2(text)
        case .trocr(var text):
            text.isTied =
                !(try aliases.areDifferent(
                    "decoder.output_projection.weight", "decoder.model.decoder.embed_tokens.weight"))
            configuration.decoder = .trocr(text)
        }
        configuration.makeRoom(for: files.options.contextLength)
        let model = VisionEncoderDecoder(configuration: configuration)
        try model.assignStoredFormats(of: files)
        return model
    }
}
