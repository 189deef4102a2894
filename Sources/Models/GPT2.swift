import Checkpoint
import Compute
import NumberFormats
import Transformer
import JSON

// GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"): a decoder with learned positions,
// norms before each block and a tied vocabulary. Reference: transformers' modeling_gpt2.

// MARK: - Configuration

extension GPT2 {
    package struct Configuration: Sendable, Hashable {
        package var vocabulary = 50257
        package var size = 768
        package var layers = 12
        package var heads = 12
        package var hidden = 3072
        package var positions = 1024
        package var epsilon: Float = 1e-5
        package var activation = Activation.geluTanh
        package var isTied = true
        /// Scores are divided by √(head dimension).
        package var scalesScores = true
        /// Scores of layer L are divided by L + 1 as well.
        package var scalesScoresByLayer = false

        package init() {}

        /// Reads a Hugging Face `config.json`.
        package init(_ file: JSONReader) throws {
            vocabulary = try file.int("vocab_size", default: 50257)
            size = try file.int("n_embd", default: 768)
            layers = try file.int("n_layer", default: 12)
            heads = try file.int("n_head", default: 12)
            positions = try file.int("n_positions", default: 1024)
            try ModelError.requireRange(
                file.file,
                [
                    ("vocab_size", vocabulary, 1...2_000_000), ("n_embd", size, 1...65536),
                    ("n_layer", layers, 1...1024),
                    ("n_head", heads, 1...1024), ("n_positions", positions, 1...1_048_576),
                ])
            hidden = try file.int("n_inner", default: 4 * size)
            try ModelError.requireRange(file.file, [("n_inner", hidden, 1...1_000_000)])
            epsilon = Float(try file.double("layer_norm_epsilon", default: 1e-5))
            activation = try Activation(named: "activation_function", in: file, default: "gelu_new")
            isTied = try file.bool("tie_word_embeddings", default: true)
            scalesScores = try file.bool("scale_attn_weights", default: true)
            scalesScoresByLayer = try file.bool("scale_attn_by_inverse_layer_idx", default: false)
            guard size % heads == 0 else {
                throw ModelError.configuration(
                    file: file.file, key: "n_head", problem: "\(heads) heads do not divide the model size \(size)")
            }
            guard size / heads <= AttentionSelection.largestHead else {
                throw ModelError.configuration(
                    file: file.file, key: "n_head",
                    problem:
                        "heads of \(size / heads) elements; at most \(AttentionSelection.largestHead) are supported")
            }
        }

        func attentionShape(layer: Int) -> AttentionShape {
            var shape = AttentionShape(heads: heads, headDimension: size / heads)
            if !scalesScores { shape.scale = 1 }
            if scalesScoresByLayer { shape.scale /= Float(layer + 1) }
            return shape
        }
    }
}

// MARK: - Model

/// GPT-2 on a device.
package final class GPT2: DecoderOnlyModel {
    package let configuration: Configuration
    package let parameters = ParameterList()
    package let tokenDecoder: TokenDecoder

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let root = ParameterScope(list: parameters, purpose: .weightsDecoder)
        let scope = root("transformer")
        let embedding = scope.matrix("wte.weight", outputs: c.vocabulary, inputs: c.size)
        let positions = scope.table("wpe.weight", rows: c.positions, columns: c.size)
        let layers = (0..<c.layers).map { index in
            let layer = scope("h.\(index)")
            let attention = layer("attn")
            let feedForward = layer("mlp")
            return PreNormLayer(
                attentionNorm: LayerNorm(layer("ln_1"), size: c.size, epsilon: c.epsilon),
                attention: Attention(
                    kind: .selfAttention, layer: index, shape: c.attentionShape(layer: index),
                    fused: Linear(transposed: attention("c_attn"), inputs: c.size, outputs: 3 * c.size),
                    output: Linear(transposed: attention("c_proj"), inputs: c.size, outputs: c.size)),
                feedForwardNorm: LayerNorm(layer("ln_2"), size: c.size, epsilon: c.epsilon),
                feedForward: FeedForward(
                    expand: Linear(transposed: feedForward("c_fc"), inputs: c.size, outputs: c.hidden),
                    contract: Linear(transposed: feedForward("c_proj"), inputs: c.hidden, outputs: c.size),
                    hidden: c.hidden,
                    activation: c.activation))
        }
        let norm = LayerNorm(scope("ln_f"), size: c.size, epsilon: c.epsilon)
        let output = c.isTied ? embedding : root.matrix("lm_head.weight", outputs: c.vocabulary, inputs: c.size)
        tokenDecoder = TokenDecoder(
            shape: .init(
                name: "GPT-2", size: c.size, vocabulary: c.vocabulary, contextLength: c.positions,
                attention: c.attentionShape(layer: 0)),
            parameters: parameters,
            parts: .init(
                embedding: embedding, positions: positions, rotary: nil, layers: layers, norm: norm, output: output))
    }
}

// MARK: - Files

extension GPT2 {
    package static var modelTypes: [String] { ["gpt2"] }

    /// Some files leave the first name out: `h.0.attn.c_attn.weight`.
    package static func naming(of files: ModelFiles) -> any CheckpointNaming {
        HuggingFaceNaming(optionalPrefixes: ["transformer."])
    }

    package static func make(from files: ModelFiles) throws -> GPT2 {
        guard let file = files.configuration else {
            throw ModelError.configuration(
                file: files.path, key: "model_type",
                problem: "GPT-2 is read from Hugging Face folders; there is no config.json")
        }
        let model = GPT2(configuration: try Configuration(file.main))
        try WeightSource(checkpoint: files.checkpoint, naming: naming(of: files)).assignFormats(to: model.parameters)
        return model
    }
}
