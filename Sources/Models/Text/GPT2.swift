import Checkpoint
import Compute
import JSON
import NumberFormats
import Transformer

// GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"): a decoder with learned positions,
// norms before each block and a tied vocabulary. Reference: transformers' modeling_gpt2.

// MARK: - Configuration

extension GPT2 {
    package struct Configuration: Sendable, Hashable {
        package var vocabulary = 50257
        package var hiddenSize = 768
        package var layers = 12
        package var heads = 12
        package var intermediateSize = 3072
        /// Positions that the model has.
        package var positions = 1024
        /// Positions that memory is planned for.
        package var contextLength = 1024
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
            hiddenSize = try file.int("n_embd", default: 768)
            layers = try file.int("n_layer", default: 12)
            heads = try file.int("n_head", default: 12)
            positions = try file.int("n_positions", default: 1024)
            try ModelError.requireRange(
                file.file,
                [
                    ("vocab_size", vocabulary, .from(1, to: 2_000_000)), ("n_embd", hiddenSize, .from(1, to: 65536)),
                    ("n_layer", layers, .from(1, to: 1024)),
                    ("n_head", heads, .from(1, to: 1024)), ("n_positions", positions, .from(1, to: 1_048_576)),
                ])
            contextLength = positions
            intermediateSize = try file.int("n_inner", default: 4 * hiddenSize)
            try ModelError.requireRange(file.file, [("n_inner", intermediateSize, .from(1, to: 1_000_000))])
            epsilon = Float(try file.double("layer_norm_epsilon", default: 1e-5))
            activation = try Activation(named: "activation_function", in: file, default: "gelu_new")
            isTied = try file.bool("tie_word_embeddings", default: true)
            scalesScores = try file.bool("scale_attn_weights", default: true)
            scalesScoresByLayer = try file.bool("scale_attn_by_inverse_layer_idx", default: false)
            guard hiddenSize % heads == 0 else {
                throw ModelError.configuration(
                    file: file.file, key: "n_head", problem: "\(heads) heads do not divide the model size \(hiddenSize)"
                )
            }
            guard hiddenSize / heads <= AttentionSelection.largestHead else {
                throw ModelError.configuration(
                    file: file.file, key: "n_head",
                    problem:
                        "heads of \(hiddenSize / heads) elements; at most \(AttentionSelection.largestHead) are supported"
                )
            }
        }

        /// Plans memory for fewer positions than the model has; nil changes nothing.
        mutating func makeRoom(for count: Int?) {
            if let count { contextLength = max(1, min(count, positions)) }
        }

        func attentionShape(layer: Int) -> AttentionShape {
            var shape = AttentionShape(heads: heads, headDimension: hiddenSize / heads)
            if !scalesScores { shape.scale = 1 }
            if scalesScoresByLayer { shape.scale /= Float(layer + 1) }
            return shape
        }
    }
}

// MARK: - Model

/// GPT-2 on a device.
package final class GPT2: Model {
    package let configuration: Configuration
    package let decoder: Decoder

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let parameters = ParameterList()
        decoder = Decoder(
            c.declaration("GPT-2", ParameterScope(list: parameters, purpose: .weightsDecoder)), parameters: parameters)
    }
}

extension GPT2.Configuration {
    /// The decoder; with a source, its blocks have cross-attention between self-attention and feed-forward
    /// (`add_cross_attention`).
    func declaration(_ name: String, _ root: ParameterScope, source: Decoder.Source? = nil) -> Decoder.Declaration {
        let scope = root("transformer")
        let embedding = scope.matrix("wte.weight", outputs: vocabulary, inputs: hiddenSize)
        let positionTable = scope.table("wpe.weight", rows: positions, columns: hiddenSize)
        let blocks = (0..<layers).map { block($0, scope("h.\($0)"), hasCrossAttention: source != nil) }
        let norm = norm(scope("ln_f"))
        let output = isTied ? embedding : root.matrix("lm_head.weight", outputs: vocabulary, inputs: hiddenSize)
        return Decoder.Declaration(
            name: name, hiddenSize: hiddenSize, vocabularySize: vocabulary, contextLength: contextLength,
            embedding: TokenEmbedding(embedding, positions: PositionTable(positionTable)), blocks: blocks,
            finalNorm: norm, output: OutputProjection(output), source: source)
    }

    private func norm(_ scope: ParameterScope) -> LayerNorm { LayerNorm(scope, size: hiddenSize, epsilon: epsilon) }

    private func block(_ index: Int, _ scope: ParameterScope, hasCrossAttention: Bool) -> TransformerBlock {
        let (own, cross, feedForward) = (scope("attn"), scope("crossattention"), scope("mlp"))
        let shape = attentionShape(layer: index)
        func linear(_ scope: ParameterScope, _ inputs: Int, _ outputs: Int) -> Linear {
            Linear(transposed: scope, inputs: inputs, outputs: outputs)
        }
        return TransformerBlock(
            selfAttention: .init(
                Attention(
                    kind: .selfAttention, layer: index, shape: shape,
                    fused: linear(own("c_attn"), hiddenSize, 3 * hiddenSize),
                    output: linear(own("c_proj"), hiddenSize, hiddenSize)),
                norms: .pre(norm(scope("ln_1")))),
            crossAttention: hasCrossAttention
                ? .init(
                    Attention(
                        layer: index, shape: shape, query: linear(cross("q_attn"), hiddenSize, hiddenSize),
                        keyValue: linear(cross("c_attn"), hiddenSize, 2 * hiddenSize),
                        output: linear(cross("c_proj"), hiddenSize, hiddenSize)),
                    norms: .pre(norm(scope("ln_cross_attn")))) : nil,
            feedForward: .init(
                FeedForward(
                    expand: linear(feedForward("c_fc"), hiddenSize, intermediateSize),
                    contract: linear(feedForward("c_proj"), intermediateSize, hiddenSize),
                    intermediateSize: intermediateSize, activation: activation),
                norms: .pre(norm(scope("ln_2")))))
    }
}

// MARK: - Files

extension GPT2 {
    package static var modelTypes: [String] { ["gpt2"] }

    /// Some files leave the first name out: `h.0.attn.c_attn.weight`.
    package func weightSource(of files: ModelFiles) -> WeightSource {
        WeightSource(checkpoint: files.checkpoint, naming: HuggingFaceNaming(optionalPrefixes: ["transformer."]))
    }

    package static func make(from files: ModelFiles) throws -> GPT2 {
        guard let file = files.configuration else {
            throw ModelError.configuration(
                file: files.path, key: "model_type",
                problem: "GPT-2 is read from Hugging Face folders; there is no config.json")
        }
        var configuration = try Configuration(file.main)
        configuration.makeRoom(for: files.options.contextLength)
        let model = GPT2(configuration: configuration)
        try model.assignStoredFormats(of: files)
        return model
    }
}
