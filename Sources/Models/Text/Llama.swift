import Checkpoint
import Compute
import NumberFormats
import Transformer
import JSON

// Llama (Touvron et al. 2023; "The Llama 3 Herd of Models", 2024): a decoder with grouped-query attention, rotary
// positions, root-mean-square norms and a gated feed-forward. Reference: transformers' modeling_llama.

// MARK: - Configuration

extension Llama {
    package struct Configuration: Sendable, Hashable {
        package var vocabulary = 32000
        package var hiddenSize = 4096
        package var layers = 32
        package var heads = 32
        package var keyValueHeads = 32
        package var headDimension = 128
        package var intermediateSize = 11008
        /// Positions the model was trained for.
        package var trainedPositions = 2048
        /// Positions that memory is planned for.
        package var contextLength = 2048
        package var epsilon: Float = 1e-6
        package var activation = Activation.silu
        package var isTied = false
        package var attentionHasBias = false
        package var feedForwardHasBias = false
        package var theta = 10_000.0
        package var rotaryDimension = 128
        package var rotaryScaling = RotaryPositions.Scaling.none
        /// Positions of a prompt that run at once.
        package var prefillRows = Decoder.Declaration.defaultPrefillRows
        /// Queries and keys are laid out for neighboring pairs, as in GGUF files.
        package var hasInterleavedPairs = false

        /// Positions that memory is planned for by default, where the model could have more.
        package static let defaultContext = 4096

        package init() {}

        /// Reads a Hugging Face `config.json`, or the part of one that describes the text model.
        package init(_ file: JSONReader) throws {
            vocabulary = try file.int("vocab_size", default: 32000)
            hiddenSize = try file.int("hidden_size", default: 4096)
            layers = try file.int("num_hidden_layers", default: 32)
            heads = try file.int("num_attention_heads", default: 32)
            keyValueHeads = try file.int("num_key_value_heads", default: heads)
            try ModelError.requireRange(file.file, [("num_attention_heads", heads, 1...1024)])
            headDimension = try file.int("head_dim", default: hiddenSize / heads)
            intermediateSize = try file.int("intermediate_size", default: 11008)
            trainedPositions = try file.int("max_position_embeddings", default: 2048)
            epsilon = Float(try file.double("rms_norm_eps", default: 1e-6))
            activation = try Activation(named: "hidden_act", in: file, default: "silu")
            isTied = try file.bool("tie_word_embeddings", default: false)
            attentionHasBias = try file.bool("attention_bias", default: false)
            feedForwardHasBias = try file.bool("mlp_bias", default: false)
            let rotary = try file.rotary()
            theta = rotary.theta
            rotaryDimension = headDimension
            rotaryScaling = try Self.scaling(rotary, trainedPositions: trainedPositions)
            try validate(
                file.file,
                keys: .init(
                    vocabulary: "vocab_size", hiddenSize: "hidden_size", layers: "num_hidden_layers",
                    heads: "num_attention_heads",
                    keyValueHeads: "num_key_value_heads", headDimension: "head_dim", rotaryDimension: "head_dim",
                    intermediateSize: "intermediate_size", positions: "max_position_embeddings", theta: "rope_theta"))
            contextLength = min(trainedPositions, Self.defaultContext)
        }

        private static func scaling(_ rotary: JSONReader.Rotary, trainedPositions: Int) throws
            -> RotaryPositions.Scaling
        {
            let parameters = rotary.parameters
            func positive(_ key: String, default fallback: Double? = nil) throws -> Double {
                let value =
                    if let fallback { try parameters.double(key, default: fallback) } else {
                        try parameters.double(key)
                    }
                guard value > 0, value.isFinite else {
                    throw ModelError.configuration(
                        file: parameters.file, key: parameters.path(of: key),
                        problem: "\(value) is not a positive number")
                }
                return value
            }
            switch rotary.type {
            case "default": return .none
            case "linear": return .linear(factor: try positive("factor"))
            case "llama3":
                let (low, high) = (try positive("low_freq_factor"), try positive("high_freq_factor"))
                guard low < high else {
                    throw ModelError.configuration(
                        file: parameters.file, key: parameters.path(of: "low_freq_factor"),
                        problem: "\(low) is not below high_freq_factor, \(high)")
                }
                return .llama3(
                    factor: try positive("factor"), lowFrequency: low, highFrequency: high,
                    originalPositions: try positive(
                        "original_max_position_embeddings", default: Double(trainedPositions)))
            default:
                throw ModelError.configuration(
                    file: parameters.file, key: "rope_type",
                    problem:
                        "the scaling “\(rotary.type)” of rotary positions is not supported (supported: default, linear, llama3)"
                )
            }
        }

        /// Reads the metadata of a GGUF file whose `general.architecture` is `llama`.
        package init(gguf: GGUFMetadata, checkpoint: Checkpoint) throws {
            func key(_ name: String) -> String { "llama.\(name)" }
            hiddenSize = try gguf.int(key("embedding_length"))
            layers = try gguf.int(key("block_count"))
            heads = try gguf.int(key("attention.head_count"))
            try ModelError.requireRange(gguf.file, [(key("attention.head_count"), heads, 1...1024)])
            keyValueHeads = try gguf.intIfPresent(key("attention.head_count_kv")) ?? heads
            headDimension = try gguf.intIfPresent(key("attention.key_length")) ?? hiddenSize / heads
            if let value = try gguf.intIfPresent(key("attention.value_length")), value != headDimension {
                throw ModelError.configuration(
                    file: gguf.file, key: key("attention.value_length"),
                    problem: "\(value), but keys have \(headDimension) elements: not supported")
            }
            if let experts = try gguf.intIfPresent(key("expert_count")), experts > 0 {
                throw ModelError.configuration(
                    file: gguf.file, key: key("expert_count"), problem: "mixtures of experts are not supported")
            }
            intermediateSize = try gguf.int(key("feed_forward_length"))
            trainedPositions = try gguf.int(key("context_length"))
            epsilon = Float(try gguf.double(key("attention.layer_norm_rms_epsilon")))
            theta = try gguf.doubleIfPresent(key("rope.freq_base")) ?? 10_000
            rotaryDimension = try gguf.intIfPresent(key("rope.dimension_count")) ?? headDimension
            hasInterleavedPairs = true
            let embedding = try checkpoint.entry("token_embd.weight")
            guard embedding.shape.count == 2 else {
                throw ModelError.unexpectedRank(
                    file: checkpoint.path, tensor: embedding.name, rank: 2, shape: embedding.shape)
            }
            vocabulary = embedding.shape[0]
            isTied = !checkpoint.contains("output.weight")
            attentionHasBias = checkpoint.contains("blk.0.attn_q.bias")
            feedForwardHasBias = checkpoint.contains("blk.0.ffn_gate.bias")
            if checkpoint.contains("rope_freqs.weight") {
                _ = try checkpoint.entry("rope_freqs.weight", shape: [rotaryDimension / 2])
                rotaryScaling = .divisors(try checkpoint.floats("rope_freqs.weight"))
            } else if let type = try gguf.stringIfPresent(key("rope.scaling.type")), type != "none" {
                guard type == "linear" else {
                    throw ModelError.configuration(
                        file: gguf.file, key: key("rope.scaling.type"),
                        problem: "the scaling “\(type)” of rotary positions is not supported (supported: none, linear)")
                }
                let factor = try gguf.double(key("rope.scaling.factor"))
                guard factor > 0, factor.isFinite else {
                    throw ModelError.configuration(
                        file: gguf.file, key: key("rope.scaling.factor"), problem: "\(factor) is not a positive number")
                }
                rotaryScaling = .linear(factor: factor)
            }
            try validate(
                gguf.file,
                keys: .init(
                    vocabulary: "token_embd.weight", hiddenSize: key("embedding_length"), layers: key("block_count"),
                    heads: key("attention.head_count"), keyValueHeads: key("attention.head_count_kv"),
                    headDimension: key("attention.key_length"), rotaryDimension: key("rope.dimension_count"),
                    intermediateSize: key("feed_forward_length"), positions: key("context_length"),
                    theta: key("rope.freq_base")))
            contextLength = min(trainedPositions, Self.defaultContext)
        }

        /// Plans memory for another number of positions, at most those the model was trained for; nil changes nothing.
        mutating func makeRoom(for positions: Int?) {
            if let positions { contextLength = max(1, min(positions, trainedPositions)) }
        }

        /// Names of the sizes in a file, for messages.
        private struct Keys {
            let vocabulary, hiddenSize, layers, heads, keyValueHeads, headDimension, rotaryDimension, intermediateSize,
                positions,
                theta: String
        }

        private func validate(_ file: String, keys: Keys) throws {
            try ModelError.requireRange(
                file,
                [
                    (keys.vocabulary, vocabulary, 1...2_000_000), (keys.hiddenSize, hiddenSize, 1...65536),
                    (keys.layers, layers, 1...1024),
                    (keys.heads, heads, 1...1024), (keys.keyValueHeads, keyValueHeads, 1...1024),
                    (keys.headDimension, headDimension, 1...AttentionSelection.largestHead),
                    (keys.rotaryDimension, rotaryDimension, 2...headDimension),
                    (keys.intermediateSize, intermediateSize, 1...1_000_000),
                    (keys.positions, trainedPositions, 1...100_000_000),
                ])
            guard heads % keyValueHeads == 0 else {
                throw ModelError.configuration(
                    file: file, key: keys.keyValueHeads,
                    problem: "\(heads) query heads do not divide into \(keyValueHeads) groups")
            }
            guard rotaryDimension % 2 == 0 else {
                throw ModelError.configuration(
                    file: file, key: keys.rotaryDimension,
                    problem: "\(rotaryDimension) is odd; rotary positions turn pairs")
            }
            guard theta > 0, theta.isFinite else {
                throw ModelError.configuration(
                    file: file, key: keys.theta, problem: "\(theta) is not a positive number")
            }
        }

        var attentionShape: AttentionShape {
            AttentionShape(heads: heads, keyValueHeads: keyValueHeads, headDimension: headDimension)
        }
    }
}

// MARK: - Model

/// Llama on a device.
package final class Llama: Model {
    package let configuration: Configuration
    package let decoder: Decoder

    /// Declares the model; nothing is allocated.
    package convenience init(configuration: Configuration) {
        self.init(configuration: configuration, scope: ParameterScope(list: ParameterList(), purpose: .weightsDecoder))
    }

    /// Declares the model as a part of a larger one, whose checkpoint has it under `scope`; see `Decoder` for the rest.
    package init(
        configuration c: Configuration, scope root: ParameterScope, workspace: Workspace = Workspace(),
        resources: [any DeviceResource] = [], overrides: (any EmbeddingOverrides)? = nil
    ) {
        configuration = c
        let rotary = c.rotary
        decoder = Decoder(
            c.declaration("Llama", root) { Self.block($0, $1, c, rotary) },
            parameters: root.list, workspace: workspace, resources: resources, overrides: overrides)
    }

    /// One block of the text model, which vision-language models use too.
    static func block(
        _ index: Int, _ scope: ParameterScope, _ c: Configuration, _ rotary: RotaryPositions
    ) -> TransformerBlock {
        TransformerBlock(
            selfAttention: .init(
                .selfAttention(
                    scope("self_attn"), layer: index, hiddenSize: c.hiddenSize, shape: c.attentionShape,
                    names: .init(
                        output: "o_proj", inputsHaveBias: c.attentionHasBias, outputHasBias: c.attentionHasBias),
                    options: .init(rotary: rotary)),
                norms: .pre(c.norm(scope("input_layernorm")))),
            feedForward: .init(
                GatedFeedForward(
                    scope("mlp"), hiddenSize: c.hiddenSize, intermediateSize: c.intermediateSize,
                    activation: c.activation, bias: c.feedForwardHasBias),
                norms: .pre(c.norm(scope("post_attention_layernorm")))))
    }
}

extension Llama.Configuration {
    var rotary: RotaryPositions {
        RotaryPositions(
            shape: RotaryShape(
                headDimension: headDimension, rotaryDimension: rotaryDimension, isInterleaved: hasInterleavedPairs),
            positions: contextLength, theta: theta, scaling: rotaryScaling)
    }

    func norm(_ scope: ParameterScope) -> RMSNorm { RMSNorm(scope, size: hiddenSize, epsilon: epsilon) }

    /// The decoder, of blocks that `block` declares.
    /// - Parameter inputVocabulary: tokens that have embeddings, where they are more than have logits.
    func declaration(
        _ name: String, _ root: ParameterScope, inputVocabulary: Int? = nil, source: Decoder.Source? = nil,
        block: (_ index: Int, _ scope: ParameterScope) -> TransformerBlock
    ) -> Decoder.Declaration {
        let scope = root("model")
        let embedding = scope.matrix(
            "embed_tokens.weight", outputs: inputVocabulary ?? vocabulary, inputs: hiddenSize)
        let blocks = (0..<layers).map { block($0, scope("layers.\($0)")) }
        let norm = norm(scope("norm"))
        let output = isTied ? embedding : root.matrix("lm_head.weight", outputs: vocabulary, inputs: hiddenSize)
        return Decoder.Declaration(
            name: name, hiddenSize: hiddenSize, vocabularySize: vocabulary, inputVocabularySize: inputVocabulary,
            contextLength: contextLength, prefillRows: prefillRows, embedding: TokenEmbedding(embedding),
            blocks: blocks,
            finalNorm: norm, output: OutputProjection(output), source: source)
    }
}

// MARK: - Files

extension Llama {
    package static var modelTypes: [String] { ["llama"] }

    package func weightSource(of files: ModelFiles) -> WeightSource {
        WeightSource(
            checkpoint: files.checkpoint,
            naming: files.checkpoint.format == .gguf ? GGUFLlamaNaming() : HuggingFaceNaming())
    }

    package static func make(from files: ModelFiles) throws -> Llama { try make(from: files, contextLength: nil) }

    /// - Parameter contextLength: positions that memory is planned for; by default those of the files' options, or those
    ///   the model has, up to 4,096.
    package static func make(from files: ModelFiles, contextLength: Int?) throws -> Llama {
        var configuration: Configuration
        if let gguf = files.checkpoint.gguf {
            configuration = try Configuration(gguf: gguf, checkpoint: files.checkpoint)
        } else if let file = files.configuration {
            configuration = try Configuration(file.main)
        } else {
            throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
        }
        configuration.makeRoom(for: contextLength ?? files.options.contextLength)
        let model = Llama(configuration: configuration)
        try model.assignStoredFormats(of: files)
        return model
    }
}

// MARK: - Names in GGUF files

/// Names in GGUF files for Hugging Face's `model.layers.0.self_attn.q_proj.weight`.
///
/// Rows of query and key are in another order there, one that neighboring pairs are turned in.
package struct GGUFLlamaNaming: CheckpointNaming {
    package init() {}

    private static let modules = [
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
    ]
    private static let tops = ["model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"]

    package func candidates(for key: String) -> [StoredSlice] {
        guard let dot = key.lastIndex(of: ".") else { return [] }
        let (path, leaf) = (String(key[..<dot]), key[key.index(after: dot)...])
        if let top = Self.tops[path] { return [StoredSlice("\(top).\(leaf)")] }
        // model.layers.N.<module>
        let parts = path.split(separator: ".", maxSplits: 3)
        guard parts.count == 4, parts[0] == "model", parts[1] == "layers", let module = Self.modules[String(parts[3])]
        else { return [] }
        return [StoredSlice("blk.\(parts[2]).\(module).\(leaf)")]
    }
}
