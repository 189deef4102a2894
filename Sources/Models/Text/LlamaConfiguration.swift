import Checkpoint
import Compute
import Foundation
import JSON
import NumberFormats
import Transformer

// Sizes and options of Llama and its relatives, from `config.json` or GGUF metadata.

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
        /// Biases of the query, key and value projections.
        package var attentionHasBias = false
        package var outputHasBias = false
        package var feedForwardHasBias = false
        package var theta = 10_000.0
        package var rotaryDimension = 128
        package var rotaryScaling = RotaryPositions.Scaling.none
        /// Scaling that depends on the context length; overrides `rotaryScaling`.
        package var longRotary: LongRotary?
        /// Axes of the frequencies in models of pictures; see `RotaryPositions.Axes`.
        package var rotaryAxes: RotaryPositions.Axes?
        /// Base of the wavelengths in layers with a window, which then have no scaling.
        package var windowTheta: Double?
        /// Keys that a query sees in the layers `windowedLayers`, its own included.
        package var window: Int?
        package var windowedLayers: Set<Int> = []
        /// RMS norms of each head's queries and keys, before rotary positions.
        package var hasHeadNorms = false
        /// Norms before and behind attention and feed-forward.
        package var hasSandwichNorms = false
        /// Added to the stored weights of norms.
        package var normOffset: Float = 0
        /// Query, key and value are one stored matrix, and so are gate and expansion.
        package var isFused = false
        /// Factor of q·k; 1/√headDimension by default.
        package var scoreScale: Float?
        package var scoreCap: Float?
        package var logitCap: Float?
        package var embeddingScale: Float = 1
        /// Factor of what attention and feed-forward add to the residual stream.
        package var residualScale: Float = 1
        package var logitScale: Float = 1
        /// Positions of a prompt that run at once.
        package var prefillRows = Decoder.Declaration.defaultPrefillRows
        /// Queries and keys are laid out for neighboring pairs, as in GGUF files.
        package var hasInterleavedPairs = false

        /// Positions that memory is planned for by default, where the model could have more.
        package static let defaultContext = 4096

        package init() {}

        /// Values of keys that a `config.json` lacks, as transformers' configuration classes have them.
        package struct Defaults: Sendable {
            package var vocabulary = 32000
            package var hiddenSize = 4096
            package var layers = 32
            package var heads = 32
            /// As many as heads by default.
            package var keyValueHeads: Int?
            /// Hidden size ÷ heads by default.
            package var headDimension: Int?
            package var intermediateSize = 11008
            package var positions = 2048
            package var epsilon = 1e-6
            package var activationKey = "hidden_act"
            package var activation = "silu"
            package var isTied = false
            package var theta = 10_000.0

            package init() {}
        }

        /// Factors of Phi-3's longrope: divisors of the frequencies up to `originalPositions` of context, and beyond.
        package struct LongRotary: Sendable, Hashable {
            package var short: [Float]
            package var long: [Float]
            package var originalPositions: Int
            /// Factor of rotated queries and keys.
            package var amplitude: Float

            /// The scaling for a context length. Transformers chooses anew when a conversation grows beyond
            /// `originalPositions`; the keys in a cache cannot be turned again.
            func scaling(contextLength: Int) -> RotaryPositions.Scaling {
                .divisors(contextLength > originalPositions ? long : short, amplitude: amplitude)
            }
        }

        /// Reads a Hugging Face `config.json`, or the part of one that describes the text model.
        package init(_ file: JSONReader, defaults: Defaults = .init()) throws {
            vocabulary = try file.int("vocab_size", default: defaults.vocabulary)
            hiddenSize = try file.int("hidden_size", default: defaults.hiddenSize)
            layers = try file.int("num_hidden_layers", default: defaults.layers)
            heads = try file.int("num_attention_heads", default: defaults.heads)
            keyValueHeads = try file.int("num_key_value_heads", default: defaults.keyValueHeads ?? heads)
            try ModelError.requireRange(
                file.file,
                [
                    ("num_hidden_layers", layers, .from(1, to: 1024)),
                    ("num_attention_heads", heads, .from(1, to: 1024)),
                ])
            headDimension = try file.int("head_dim", default: defaults.headDimension ?? hiddenSize / heads)
            intermediateSize = try file.int("intermediate_size", default: defaults.intermediateSize)
            trainedPositions = try file.int("max_position_embeddings", default: defaults.positions)
            epsilon = Float(try file.double("rms_norm_eps", default: defaults.epsilon))
            activation = try Activation(named: defaults.activationKey, in: file, default: defaults.activation)
            isTied = try file.bool("tie_word_embeddings", default: defaults.isTied)
            attentionHasBias = try file.bool("attention_bias", default: false)
            outputHasBias = attentionHasBias
            feedForwardHasBias = try file.bool("mlp_bias", default: false)
            let rotary = try file.rotary(defaultTheta: defaults.theta)
            theta = rotary.theta
            rotaryDimension = headDimension
            try readScaling(rotary, file)
            try validate(
                file.file,
                keys: .init(
                    vocabulary: "vocab_size", hiddenSize: "hidden_size", layers: "num_hidden_layers",
                    heads: "num_attention_heads",
                    keyValueHeads: "num_key_value_heads", headDimension: "head_dim", rotaryDimension: "head_dim",
                    intermediateSize: "intermediate_size", positions: "max_position_embeddings", theta: "rope_theta"))
            contextLength = min(trainedPositions, Self.defaultContext)
        }

        /// Reads `sliding_window`, and which layers have it: those of `layer_types`, or those that `isWindowed` names.
        /// - Parameter size: for configurations without the key; `null` means no window.
        mutating func readWindows(
            _ file: JSONReader, default size: Int? = nil, isWindowed: (Int) -> Bool = { _ in true }
        ) throws {
            guard !file.isNull("sliding_window"), let size = try file.intIfPresent("sliding_window") ?? size else {
                return
            }
            try ModelError.requireRange(
                file.file, [(file.path(of: "sliding_window"), size, .from(1, to: 1_000_000_000))])
            let types = try file.strings("layer_types", default: [])
            guard types.isEmpty || types.count == layers else {
                throw ModelError.configuration(
                    file: file.file, key: file.path(of: "layer_types"),
                    problem: "names \(types.count) of \(layers) layers")
            }
            window = size
            windowedLayers = Set(
                (0..<layers).filter { types.isEmpty ? isWindowed($0) : types[$0] == "sliding_attention" })
        }

        /// Reads a number that multiplies something; it must be positive.
        static func positive(_ key: String, in file: JSONReader, default fallback: Double? = nil) throws -> Double {
            let value = if let fallback { try file.double(key, default: fallback) } else { try file.double(key) }
            guard value > 0, value.isFinite else {
                throw ModelError.configuration(
                    file: file.file, key: file.path(of: key), problem: "\(value) is not a positive number")
            }
            return value
        }

        private mutating func readScaling(_ rotary: JSONReader.Rotary, _ file: JSONReader) throws {
            guard ["longrope", "su"].contains(rotary.type) else {
                rotaryScaling = try Self.scaling(rotary, trainedPositions: trainedPositions)
                return
            }
            let parameters = rotary.parameters
            let partial = try parameters.rotaryShare() ?? file.rotaryShare() ?? 1
            try ModelError.requireRange(
                file.file, [("head_dim", headDimension, .from(1, to: AttentionSelection.largestHead))])
            let original = try parameters.int(
                "original_max_position_embeddings",
                default: file.int("original_max_position_embeddings", default: trainedPositions))
            try ModelError.requireRange(
                file.file, [("original_max_position_embeddings", original, .from(2, to: 100_000_000))])
            func factors(_ key: String) throws -> [Float] {
                let values = try parameters.member(key).doubles()
                guard values.count == Int(Double(headDimension) * partial) / 2,
                    values.allSatisfy({ $0 > 0 && $0.isFinite })
                else {
                    throw ModelError.configuration(
                        file: file.file, key: parameters.path(of: key),
                        problem:
                            "is not a positive number for each of the \(Int(Double(headDimension) * partial) / 2) frequencies"
                    )
                }
                return values.map { Float($0) }
            }
            let factor = try Self.positive(
                "factor", in: parameters, default: Double(trainedPositions) / Double(original))
            let amplitude = factor <= 1 ? 1 : (1 + log(factor) / log(Double(original))).squareRoot()
            longRotary = LongRotary(
                short: try factors("short_factor"), long: try factors("long_factor"), originalPositions: original,
                amplitude: Float(try Self.positive("attention_factor", in: parameters, default: amplitude)))
        }

        private static func scaling(_ rotary: JSONReader.Rotary, trainedPositions: Int) throws
            -> RotaryPositions.Scaling
        {
            let parameters = rotary.parameters
            func positive(_ key: String, default fallback: Double? = nil) throws -> Double {
                try Self.positive(key, in: parameters, default: fallback)
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
                        "the scaling “\(rotary.type)” of rotary positions is not supported (supported: default, linear, llama3, longrope)"
                )
            }
        }

        /// Reads the metadata of a GGUF file of Llama or a relative, whose keys start with `general.architecture`.
        package init(gguf: GGUFMetadata, checkpoint: Checkpoint) throws {
            let architecture = try gguf.string("general.architecture")
            func key(_ name: String) -> String { "\(architecture).\(name)" }
            hiddenSize = try gguf.int(key("embedding_length"))
            layers = try gguf.int(key("block_count"))
            heads = try gguf.int(key("attention.head_count"))
            try ModelError.requireRange(
                gguf.file,
                [
                    (key("attention.head_count"), heads, .from(1, to: 1024)),
                    (key("block_count"), layers, .from(1, to: 1024)),
                ])
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
            hasInterleavedPairs = ["llama", "granite"].contains(architecture)
            let embedding = try checkpoint.entry("token_embd.weight")
            guard embedding.shape.count == 2 else {
                throw ModelError.unexpectedRank(
                    file: checkpoint.path, tensor: embedding.name, rank: 2, shape: embedding.shape)
            }
            vocabulary = embedding.shape[0]
            isTied = !checkpoint.contains("output.weight")
            attentionHasBias = checkpoint.contains("blk.0.attn_q.bias")
            outputHasBias = checkpoint.contains("blk.0.attn_output.bias")
            hasHeadNorms = checkpoint.contains("blk.0.attn_q_norm.weight")
            hasSandwichNorms = checkpoint.contains("blk.0.post_ffw_norm.weight")
            isFused = checkpoint.contains("blk.0.attn_qkv.weight")
            scoreCap = try gguf.positive(key("attn_logit_softcapping"))
            logitCap = try gguf.positive(key("final_logit_softcapping"))
            window = try gguf.intIfPresent(key("attention.sliding_window")).flatMap { $0 > 0 ? $0 : nil }
            windowedLayers = window == nil ? [] : Set(0..<layers)
            feedForwardHasBias = checkpoint.contains("blk.0.ffn_gate.bias")
            if checkpoint.contains("rope_freqs.weight") {
                _ = try checkpoint.entry("rope_freqs.weight", shape: [rotaryDimension / 2])
                rotaryScaling = .divisors(try checkpoint.floats("rope_freqs.weight"))
            } else if checkpoint.contains("rope_factors_short.weight") {
                func factors(_ name: String) throws -> [Float] {
                    _ = try checkpoint.entry(name, shape: [rotaryDimension / 2])
                    return try checkpoint.floats(name)
                }
                longRotary = LongRotary(
                    short: try factors("rope_factors_short.weight"), long: try factors("rope_factors_long.weight"),
                    originalPositions: try gguf.intIfPresent(key("rope.scaling.original_context_length"))
                        ?? trainedPositions,
                    amplitude: try gguf.positive(key("rope.scaling.attn_factor")) ?? 1)
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
                    (keys.vocabulary, vocabulary, .from(1, to: 2_000_000)),
                    (keys.hiddenSize, hiddenSize, .from(1, to: 65536)),
                    (keys.layers, layers, .from(1, to: 1024)),
                    (keys.heads, heads, .from(1, to: 1024)), (keys.keyValueHeads, keyValueHeads, .from(1, to: 1024)),
                    (keys.headDimension, headDimension, .from(1, to: AttentionSelection.largestHead)),
                    (keys.rotaryDimension, rotaryDimension, .from(2, to: headDimension)),
                    (keys.intermediateSize, intermediateSize, .from(1, to: 1_000_000)),
                    (keys.positions, trainedPositions, .from(1, to: 100_000_000)),
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
            AttentionShape(
                heads: heads, keyValueHeads: keyValueHeads, headDimension: headDimension, scale: scoreScale,
                scoreCap: scoreCap)
        }

        /// The attention of a layer. A window that holds the whole context is none.
        func attentionShape(layer: Int) -> AttentionShape {
            var shape = attentionShape
            if let window, windowedLayers.contains(layer), window < contextLength { shape.window = window }
            return shape
        }
    }
}

extension GGUFMetadata {
    /// A number that bounds or multiplies something; nil where it is absent or 0.
    /// - Throws: `ModelError` for a negative or infinite one.
    func positive(_ key: String) throws -> Float? {
        guard let value = try doubleIfPresent(key), value != 0 else { return nil }
        guard value > 0, value.isFinite else {
            throw ModelError.configuration(file: file, key: key, problem: "\(value) is not a positive number")
        }
        return Float(value)
    }
}
