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
        package var size: Int
        package var layers: Int
        package var heads: Int
        package var hidden: Int
        package var positions: Int
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
            size = try text.int("hidden_size", default: 768)
            layers = try text.int("num_hidden_layers", default: 12)
            heads = try text.int("num_attention_heads", default: 8)
            hidden = try text.int("intermediate_size", default: 3072)
            positions = try text.int("max_position_embeddings", default: 512)
            epsilon = Float(try text.double("layer_norm_eps", default: 1e-12))
            activation = try Activation(named: "hidden_act", in: text, default: "gelu")
            isTied = try file.bool("tie_word_embeddings", default: text.bool("tie_word_embeddings", default: true))
            startToken = try text.int("bos_token_id", default: 30522)
            endToken = try text.int("sep_token_id", default: 102)
            try ModelError.requireRange(
                file.file,
                [
                    (key("vocab_size"), vocabulary, 1...2_000_000), (key("hidden_size"), size, 1...65536),
                    (key("num_hidden_layers"), layers, 1...1024), (key("num_attention_heads"), heads, 1...1024),
                    (key("intermediate_size"), hidden, 1...1_000_000),
                    (key("max_position_embeddings"), positions, 1...65535),
                ])
            try ModelError.requireRange(
                file.file,
                [
                    (key("bos_token_id"), startToken, 0...vocabulary - 1),
                    (key("sep_token_id"), endToken, 0...vocabulary - 1),
                ])
            guard size % heads == 0, size / heads <= AttentionSelection.largestHead else {
                throw ModelError.configuration(
                    file: file.file, key: key("num_attention_heads"),
                    problem:
                        "\(heads) heads do not divide the model size \(size) into heads of at most \(AttentionSelection.largestHead)"
                )
            }
        }

        private static let captioning = "BlipForConditionalGeneration"

        var attention: AttentionShape { AttentionShape(heads: heads, headDimension: size / heads) }
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

extension PostNormDecoder {
    /// BERT with cross-attention, as BLIP has it; `scope` holds `bert` and `cls`.
    fileprivate init(blip scope: ParameterScope, configuration c: BLIP.Configuration, workspace: Workspace) {
        let bert = scope("bert")
        func norm(_ scope: ParameterScope) -> LayerNorm { LayerNorm(scope, size: c.size, epsilon: c.epsilon) }
        let embeddings = bert("embeddings")
        let tokens = embeddings.matrix("word_embeddings.weight", outputs: c.vocabulary, inputs: c.size)
        let embedding = Embedding(
            tokens: tokens, scale: 1,
            positions: PositionTable(
                embeddings.table("position_embeddings.weight", rows: c.positions, columns: c.size)),
            norm: norm(embeddings("LayerNorm")))
        let layers = (0..<c.layers).map { index in
            let layer = bert("encoder.layer.\(index)")
            return Layer(
                selfAttention: .selfAttention(
                    layer, kind: .selfAttention, layer: index, size: c.size, shape: c.attention,
                    names: .bert("attention")),
                selfNorm: norm(layer("attention.output.LayerNorm")),
                crossAttention: .crossAttention(
                    layer, layer: index, size: c.size, sourceSize: c.vision.layer.size, shape: c.attention,
                    names: .bert("crossattention")),
                crossNorm: norm(layer("crossattention.output.LayerNorm")),
                feedForward: FeedForward(
                    layer, names: ("intermediate.dense", "output.dense"), size: c.size, hidden: c.hidden,
                    activation: c.activation),
                feedForwardNorm: norm(layer("output.LayerNorm")))
        }
        let predictions = scope("cls.predictions")
        let transform = predictions("transform")
        let head = Head(
            transform: .init(
                dense: Linear(transform("dense"), inputs: c.size, outputs: c.size), activation: c.activation,
                norm: norm(transform("LayerNorm"))),
            output: c.isTied ? tokens : predictions.matrix("decoder.weight", outputs: c.vocabulary, inputs: c.size),
            bias: predictions.vector("bias", count: c.vocabulary))
        self.init(
            embedding: embedding, layers: layers, head: head, size: c.size, hidden: c.hidden, attention: c.attention,
            positions: c.positions,
            workspace: workspace)
    }
}

// MARK: - Model

/// BLIP's captioning on a device: a picture, and perhaps the beginning of its caption, in; the caption out.
package final class BLIP: PictureEncoderDecoder {
    package let configuration: Configuration
    package let runner: EncoderDecoderRunner
    package let tower: VisionTower

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let (parameters, workspace) = (ParameterList(), Workspace())
        tower = VisionTower(
            ParameterScope(list: parameters, prefix: "vision_model.", purpose: .weightsVision), configuration: c.vision,
            names: .blip,
            workspace: workspace)
        let decoder = PostNormDecoder(
            blip: ParameterScope(list: parameters, prefix: "text_decoder.", purpose: .weightsDecoder), configuration: c,
            workspace: workspace)
        runner = EncoderDecoderRunner(
            shape: .init(
                name: "BLIP", vocabulary: c.vocabulary, decoderLayers: c.layers, decoderHeads: c.heads,
                keyValueWidth: c.size,
                sourcePositions: c.vision.tokens, positions: c.positions),
            parameters: parameters, workspace: workspace, decoder: decoder, resources: [tower.input])
    }

    package var startTokens: [Int] { [configuration.startToken] }
    package var endTokens: Set<Int> { [configuration.endToken] }

    /// What decoding starts with behind a prompt: its `[CLS]` becomes `[DEC]`, and its `[SEP]` goes.
    /// - Parameter prompt: ids as the tokenizer gives them, `[CLS] … [SEP]`.
    package func startTokens(prompt: [Int]) -> [Int]? { startTokens + prompt.dropFirst().dropLast() }

    package static var usualImageProcessor: String { "Blip" }
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
        // An output projection of its own wins over the configuration's word; a missing one is the embedding.
        let decoder = "text_decoder."
        configuration.isTied =
            !(try EmbeddingAliases(checkpoint: files.checkpoint, naming: HuggingFaceNaming()).areDifferent(
                decoder + "cls.predictions.decoder.weight", decoder + "bert.embeddings.word_embeddings.weight"))
        let model = BLIP(configuration: configuration)
        try model.weightSource(files).assignFormats(to: model.runner.parameters)
        return model
    }

    package func weightSource(_ files: ModelFiles) -> WeightSource {
        WeightSource(checkpoint: files.checkpoint, naming: HuggingFaceNaming())
    }
}
