import Checkpoint
import Compute
import NumberFormats
import Transformer
import JSON

// BLIP's captioning (Li et al. 2022, "Bootstrapping Language-Image Pre-training"): a vision transformer, and BERT as a
// decoder with cross-attention to it. Reference: transformers' modeling_blip and modeling_blip_text.

// MARK: - Configuration

extension BLIP {
    package struct Configuration: Sendable, Hashable {
        package var vision: VisionTower.Configuration
        package var vocabulary: Int
        package var hiddenSize: Int
        package var layers: Int
        package var heads: Int
        package var intermediateSize: Int
        package var positions: Int
        /// Positions that memory is planned for.
        package var contextLength: Int
        package var epsilon: Float
        package var activation: Activation
        /// The decoder's embedding is also its output projection.
        package var isTied: Bool
        /// `[DEC]`, with which decoding starts.
        package var startToken: Int
        /// `[SEP]`, which ends it.
        package var endToken: Int

        /// Reads a Hugging Face `config.json`.
        package init(_ file: JSONReader) throws {
            // BLIP's other tasks have other decoders under the same `model_type`.
            let classes = try file.strings("architectures", default: [Self.captioning])
            guard classes.contains(Self.captioning) else {
                throw ModelError.configuration(
                    file: file.file, key: "architectures",
                    problem: "“\(classes.joined(separator: ", "))” is not supported (supported: \(Self.captioning))")
            }
            func part(_ key: String) throws -> JSONReader {
                try file.object(key, default: [:])
            }
            vision = try VisionTower.Configuration(part("vision_config"), family: .blip)
            let text = try part("text_config")
            func key(_ name: String) -> String { text.path(of: name) }
            vocabulary = try text.int("vocab_size", default: 30524)
            hiddenSize = try text.int("hidden_size", default: 768)
            layers = try text.int("num_hidden_layers", default: 12)
            heads = try text.int("num_attention_heads", default: 8)
            intermediateSize = try text.int("intermediate_size", default: 3072)
            positions = try text.int("max_position_embeddings", default: 512)
            contextLength = positions
            epsilon = Float(try text.double("layer_norm_eps", default: 1e-12))
            activation = try Activation(named: "hidden_act", in: text, default: "gelu")
            isTied = try file.bool("tie_word_embeddings", default: text.bool("tie_word_embeddings", default: true))
            startToken = try text.int("bos_token_id", default: 30522)
            endToken = try text.int("sep_token_id", default: 102)
            try ModelError.requireRange(
                file.file,
                [
                    (key("vocab_size"), vocabulary, .from(1, to: 2_000_000)),
                    (key("hidden_size"), hiddenSize, .from(1, to: 65536)),
                    (key("num_hidden_layers"), layers, .from(1, to: 1024)),
                    (key("num_attention_heads"), heads, .from(1, to: 1024)),
                    (key("intermediate_size"), intermediateSize, .from(1, to: 1_000_000)),
                    (key("max_position_embeddings"), positions, .from(1, to: 65535)),
                ])
            try ModelError.requireRange(
                file.file,
                [
                    (key("bos_token_id"), startToken, .from(0, to: vocabulary - 1)),
                    (key("sep_token_id"), endToken, .from(0, to: vocabulary - 1)),
                ])
            guard hiddenSize % heads == 0, hiddenSize / heads <= AttentionSelection.largestHead else {
                throw ModelError.configuration(
                    file: file.file, key: key("num_attention_heads"),
                    problem:
                        "\(heads) heads do not divide the model size \(hiddenSize) into heads of at most \(AttentionSelection.largestHead)"
                )
            }
        }

        private static let captioning = "BlipForConditionalGeneration"

        var attention: AttentionShape { AttentionShape(heads: heads, headDimension: hiddenSize / heads) }
    }
}

// MARK: - Decoder

extension Attention.Names {
    /// BERT's; `scope` is "attention" or "crossattention".
    fileprivate static func bert(_ scope: String) -> Attention.Names {
        .init(
            query: "\(scope).self.query", key: "\(scope).self.key", value: "\(scope).self.value",
            output: "\(scope).output.dense")
    }
}

extension BLIP.Configuration {
    private func norm(_ scope: ParameterScope) -> LayerNorm { LayerNorm(scope, size: hiddenSize, epsilon: epsilon) }

    /// BERT with cross-attention; `scope` holds `bert` and `cls`.
    fileprivate func decoder(_ scope: ParameterScope) -> Decoder.Declaration {
        let bert = scope("bert")
        let embeddings = bert("embeddings")
        let tokens = embeddings.matrix("word_embeddings.weight", outputs: vocabulary, inputs: hiddenSize)
        let table = embeddings.table("position_embeddings.weight", rows: positions, columns: hiddenSize)
        let embedding = TokenEmbedding(
            tokens, positions: PositionTable(table), norm: norm(embeddings("LayerNorm")))
        let blocks = (0..<layers).map { block($0, bert("encoder.layer.\($0)")) }
        let predictions = scope("cls.predictions")
        let transform = predictions("transform")
        return Decoder.Declaration(
            name: "BLIP", hiddenSize: hiddenSize, vocabularySize: vocabulary, contextLength: contextLength,
            embedding: embedding, blocks: blocks,
            output: OutputProjection(
                isTied
                    ? tokens : predictions.matrix("decoder.weight", outputs: vocabulary, inputs: hiddenSize),
                bias: predictions.vector("bias", count: vocabulary),
                transform: .init(
                    dense: Linear(transform("dense"), inputs: hiddenSize, outputs: hiddenSize), activation: activation,
                    norm: norm(transform("LayerNorm")))),
            source: .init(capacity: vision.tokens))
    }

    private func block(_ index: Int, _ scope: ParameterScope) -> TransformerBlock {
        TransformerBlock(
            selfAttention: .init(
                .selfAttention(
                    scope, layer: index, hiddenSize: hiddenSize, shape: attention, names: .bert("attention")),
                norms: .post(norm(scope("attention.output.LayerNorm")))),
            crossAttention: .init(
                .crossAttention(
                    scope, layer: index, hiddenSize: hiddenSize, sourceSize: vision.layer.hiddenSize, shape: attention,
                    names: .bert("crossattention")),
                norms: .post(norm(scope("crossattention.output.LayerNorm")))),
            feedForward: .init(
                FeedForward(
                    scope, names: ("intermediate.dense", "output.dense"), hiddenSize: hiddenSize,
                    intermediateSize: intermediateSize, activation: activation),
                norms: .post(norm(scope("output.LayerNorm")))))
    }
}

// MARK: - Model

/// BLIP's captioning on a device: a picture, and perhaps the beginning of its caption, in; the caption out.
package final class BLIP: PictureSource {
    package let configuration: Configuration
    package let decoder: Decoder
    package let tower: any PictureEncoder

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let (parameters, workspace) = (ParameterList(), Workspace())
        tower = VisionTower(
            ParameterScope(list: parameters, prefix: "vision_model.", purpose: .weightsVision), configuration: c.vision,
            names: .blip, workspace: workspace)
        decoder = Decoder(
            c.decoder(ParameterScope(list: parameters, prefix: "text_decoder.", purpose: .weightsDecoder)),
            parameters: parameters, workspace: workspace, resources: tower.resources)
    }

    package var startTokens: [Int] { [configuration.startToken] }
    package var endTokens: Set<Int> { [configuration.endToken] }

    /// Decoding behind a prompt: its `[CLS]` becomes `[DEC]`, and its `[SEP]` goes.
    /// - Parameter prompt: ids as the tokenizer gives them, `[CLS] … [SEP]`.
    package func startTokens(prompt: [Int]) -> [Int]? { startTokens + prompt.dropFirst().dropLast() }

    package static var defaultImageProcessor: String { "Blip" }
}

// MARK: - Files

extension BLIP {
    package static var modelTypes: [String] { ["blip"] }

    package static func make(from files: ModelFiles) throws -> BLIP {
        guard let file = files.configuration else {
            throw ModelError.configuration(
                file: files.path, key: "model_type",
                problem: "BLIP is read from Hugging Face folders; there is no config.json")
        }
        var configuration = try Configuration(file.main)
        // An output projection of its own decides against the configuration; a missing one is the embedding.
        let decoder = "text_decoder."
        configuration.isTied =
            !(try EmbeddingAliases(checkpoint: files.checkpoint, naming: HuggingFaceNaming()).areDifferent(
                decoder + "cls.predictions.decoder.weight", decoder + "bert.embeddings.word_embeddings.weight"))
        if let length = files.options.contextLength {
            configuration.contextLength = max(1, min(length, configuration.positions))
        }
        let model = BLIP(configuration: configuration)
        try model.assignStoredFormats(of: files)
        return model
    }
}
