import AttentionTypes
import Checkpoint
import Compute
import JSON
import Transformer

// T5 (Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer") and its
// relatives: norms before each block without mean or bias, no biases at all, positions only as a bias of attention scores,
// which are not scaled. FLAN-T5, ByT5, CodeT5, MADLAD-400 and Flan-UL2 are T5 by their configurations; mT5 (Xue et al.
// 2021) differs in defaults, UMT5 (Chung et al. 2023) has a bias in every layer. Reference: transformers' modeling_t5,
// modeling_mt5, modeling_umt5.

// MARK: - Configuration

extension T5 {
    /// Properties of T5 and its relatives that configurations do not give, and values for absent keys.
    fileprivate struct Relative {
        var name: String
        var vocabulary = 250_112
        var heads = 6
        var intermediateSize = 1024
        var layers = 8
        var feedForward = "gated-gelu"
        var isTied = true
        /// True where tied models multiply the decoder's output by hiddenSize^-½.
        var scalesOutput = true
        var hasBiasPerLayer = false

        static let t5 = Relative(
            name: "T5", vocabulary: 32128, heads: 8, intermediateSize: 2048, layers: 6, feedForward: "relu")
        static let byType = [
            "t5": t5,
            "mt5": Relative(name: "mT5", isTied: false, scalesOutput: false),
            "umt5": Relative(name: "UMT5", hasBiasPerLayer: true),
        ]
    }

    package struct Configuration: Sendable, Hashable {
        /// The relative's name.
        package var name = "T5"
        package var vocabulary = 32128
        package var hiddenSize = 512
        package var headDimension = 64
        package var heads = 8
        package var intermediateSize = 2048
        package var encoderLayers = 6
        package var decoderLayers = 6
        package var buckets = 32
        package var maximumDistance = 128
        package var epsilon: Float = 1e-6
        package var activation = Activation.relu
        /// True where the feed-forward has a gate (T5 1.1, FLAN).
        package var isGated = false
        /// The embedding is also the output projection.
        package var isTied = true
        /// The decoder's output is multiplied by hiddenSize^-½ before the vocabulary.
        package var scalesOutput = true
        /// Positions that memory is planned for, in the source and in the decoder; the architecture has no limit.
        package var sourcePositions = 512
        package var positions = 512
        package var startToken = 0
        package var endTokens: Set<Int> = [1]
        /// Each layer has a bias by distance of its own, instead of the first one's for all.
        package var hasBiasPerLayer = false

        package init() {}

        /// Reads a Hugging Face `config.json` (and `generation_config.json`).
        package init(_ file: ModelConfiguration) throws {
            let main = file.main
            let relative = file.modelType.flatMap { Relative.byType[$0] } ?? .t5
            name = relative.name
            hasBiasPerLayer = relative.hasBiasPerLayer
            vocabulary = try main.int("vocab_size", default: relative.vocabulary)
            hiddenSize = try main.int("d_model", default: 512)
            headDimension = try main.int("d_kv", default: 64)
            heads = try main.int("num_heads", default: relative.heads)
            intermediateSize = try main.int("d_ff", default: relative.intermediateSize)
            encoderLayers = try main.int("num_layers", default: relative.layers)
            decoderLayers = try main.int("num_decoder_layers", default: encoderLayers)
            buckets = try main.int("relative_attention_num_buckets", default: 32)
            maximumDistance = try main.int("relative_attention_max_distance", default: 128)
            epsilon = Float(try main.double("layer_norm_epsilon", default: 1e-6))
            (activation, isGated) = try Self.feedForward(main, default: relative.feedForward)
            isTied = try main.bool("tie_word_embeddings", default: relative.isTied)
            // Older versions scale whenever the embeddings are tied; transformers 5 says so apart.
            scalesOutput = try relative.scalesOutput && main.bool("scale_decoder_outputs", default: isTied)
            sourcePositions = try main.int("n_positions", default: 512)
            positions = sourcePositions
            startToken = try main.int(
                "decoder_start_token_id", default: file.generation.int("decoder_start_token_id", default: 0))
            endTokens = Set(try file.generation.ints("eos_token_id", default: main.ints("eos_token_id", default: [1])))
            try validate(file: main.file)
        }

        /// Reads the metadata of a GGUF file whose `general.architecture` is `t5`.
        package init(gguf: GGUFMetadata, checkpoint: Checkpoint) throws {
            func key(_ name: String) -> String { "t5.\(name)" }
            let embedding = try checkpoint.entry("token_embd.weight")
            guard embedding.shape.count == 2 else {
                throw ModelError.unexpectedRank(
                    file: checkpoint.path, tensor: embedding.name, rank: 2, shape: embedding.shape)
            }
            vocabulary = embedding.shape[0]
            hiddenSize = try gguf.int(key("embedding_length"))
            heads = try gguf.int(key("attention.head_count"))
            try ModelError.requireRange(gguf.file, [(key("attention.head_count"), heads, .from(1, to: 1024))])
            headDimension = try gguf.intIfPresent(key("attention.key_length")) ?? hiddenSize / heads
            intermediateSize = try gguf.int(key("feed_forward_length"))
            encoderLayers = try gguf.int(key("block_count"))
            decoderLayers = try gguf.intIfPresent(key("decoder_block_count")) ?? encoderLayers
            buckets = try gguf.intIfPresent(key("attention.relative_buckets_count")) ?? 32
            epsilon = Float(try gguf.double(key("attention.layer_norm_rms_epsilon")))
            // The file does not name the activation: T5 has relu, and the versions with a gate the tanh form of gelu.
            isGated = checkpoint.contains("enc.blk.0.ffn_gate.weight")
            activation = isGated ? .geluTanh : .relu
            isTied = !checkpoint.contains("output.weight")
            scalesOutput = isTied
            sourcePositions = try gguf.intIfPresent(key("context_length")) ?? 512
            positions = sourcePositions
            startToken = try gguf.intIfPresent(key("decoder_start_token_id")) ?? 0
            endTokens = [try gguf.intIfPresent("tokenizer.ggml.eos_token_id") ?? 1]
            try validate(file: gguf.file)
        }

        /// `feed_forward_proj` is an activation, behind “gated-” where there is a gate; “gated-gelu” has always meant the
        /// tanh form.
        private static func feedForward(_ file: JSONReader, default fallback: String) throws
            -> (Activation, isGated: Bool)
        {
            let name = try file.string("feed_forward_proj", default: fallback)
            let isGated = name.hasPrefix("gated-")
            let function = isGated ? String(name.dropFirst("gated-".count)) : name
            if isGated && function == "gelu" { return (.geluTanh, true) }
            let only = JSONReader(
                .object(["feed_forward_proj": .string(function)]), file: file.file, path: file.path)
            return (try Activation(named: "feed_forward_proj", in: only, default: fallback), isGated)
        }

        private func validate(file: String) throws {
            try ModelError.requireRange(
                file,
                [
                    ("vocab_size", vocabulary, .from(1, to: 2_000_000)), ("d_model", hiddenSize, .from(1, to: 65536)),
                    ("d_kv", headDimension, .from(1, to: AttentionSelection.largestHead)),
                    ("num_heads", heads, .from(1, to: 1024)),
                    ("d_ff", intermediateSize, .from(1, to: 1_000_000)),
                    ("num_layers", encoderLayers, .from(1, to: 1024)),
                    ("num_decoder_layers", decoderLayers, .from(1, to: 1024)),
                    ("relative_attention_num_buckets", buckets, .from(4, to: 65536)),
                    ("relative_attention_max_distance", maximumDistance, .from(buckets / 2 + 1, to: 1_000_000)),
                    ("n_positions", positions, .from(1, to: 65535)),
                    ("decoder_start_token_id", startToken, .from(0, to: vocabulary - 1)),
                ])
        }
    }
}

// MARK: - Blocks

extension Attention.Names {
    fileprivate static let t5 = Attention.Names(
        query: "q", key: "k", value: "v", output: "o", inputsHaveBias: false, outputHasBias: false)
}

extension T5.Configuration {
    private var attention: AttentionShape { AttentionShape(heads: heads, headDimension: headDimension, scale: 1) }

    fileprivate func norm(_ scope: ParameterScope) -> RMSNorm {
        RMSNorm(scope, size: hiddenSize, epsilon: epsilon)
    }

    /// A block of the encoder (`kind` is `.encoder`) or the decoder, which has cross-attention.
    fileprivate func block(_ index: Int, _ scope: ParameterScope, kind: AttentionKind) -> TransformerBlock {
        let hasCrossAttention = kind == .selfAttention
        let last = scope(hasCrossAttention ? "layer.2" : "layer.1")
        return TransformerBlock(
            selfAttention: .init(
                .selfAttention(
                    scope("layer.0.SelfAttention"), kind: kind, layer: index, hiddenSize: hiddenSize, shape: attention,
                    names: .t5),
                norms: .pre(norm(scope("layer.0.layer_norm")))),
            crossAttention: hasCrossAttention
                ? .init(
                    .crossAttention(
                        scope("layer.1.EncDecAttention"), layer: index, hiddenSize: hiddenSize, sourceSize: hiddenSize,
                        shape: attention, names: .t5),
                    norms: .pre(norm(scope("layer.1.layer_norm")))) : nil,
            feedForward: .init(feedForward(last("DenseReluDense")), norms: .pre(norm(last("layer_norm")))))
    }

    private func feedForward(_ scope: ParameterScope) -> any FeedForwardBlock {
        if isGated {
            return GatedFeedForward(
                scope, names: .init(gate: "wi_0", up: "wi_1", down: "wo"), hiddenSize: hiddenSize,
                intermediateSize: intermediateSize, activation: activation)
        }
        return FeedForward(
            expand: Linear(scope("wi"), inputs: hiddenSize, outputs: intermediateSize, bias: false),
            contract: Linear(scope("wo"), inputs: intermediateSize, outputs: hiddenSize, bias: false),
            intermediateSize: intermediateSize, activation: activation)
    }

    fileprivate func relativePositions(
        _ stack: ParameterScope, isBidirectional: Bool, positions: Int, workspace: Workspace
    ) -> RelativePositions {
        let layers = hasBiasPerLayer ? (isBidirectional ? encoderLayers : decoderLayers) : 1
        return RelativePositions(
            (0..<layers).map { stack("block.\($0).layer.0.SelfAttention") },
            shape: .init(
                heads: heads, buckets: buckets, maximumDistance: maximumDistance, isBidirectional: isBidirectional,
                positions: positions),
            workspace: workspace, phase: isBidirectional ? "encoder" : "decoder")
    }
}

// MARK: - Model

/// T5 or a relative on a device: text in, text out.
package final class T5: TextSource {
    package let configuration: Configuration
    package let textEncoder: TextEncoder
    package let decoder: Decoder

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let (parameters, workspace) = (ParameterList(), Workspace())
        let scope = ParameterScope(list: parameters, purpose: .weightsDecoder)
        let embedding = scope.matrix("shared.weight", outputs: c.vocabulary, inputs: c.hiddenSize)
        let encoder = ParameterScope(list: parameters, prefix: "encoder.", purpose: .weightsEncoder)
        textEncoder = TextEncoder(
            vocabularySize: c.vocabulary, hiddenSize: c.hiddenSize, capacity: c.sourcePositions,
            embedding: TokenEmbedding(embedding),
            relativePositions: c.relativePositions(
                encoder, isBidirectional: true, positions: c.sourcePositions, workspace: workspace),
            blocks: (0..<c.encoderLayers).map { c.block($0, encoder("block.\($0)"), kind: .encoder) },
            finalNorm: c.norm(encoder("final_layer_norm")), workspace: workspace)
        let output = c.isTied ? embedding : scope.matrix("lm_head.weight", outputs: c.vocabulary, inputs: c.hiddenSize)
        let stack = scope("decoder")
        decoder = Decoder(
            .init(
                name: c.name, hiddenSize: c.hiddenSize, vocabularySize: c.vocabulary, contextLength: c.positions,
                embedding: TokenEmbedding(embedding),
                relativePositions: c.relativePositions(
                    stack, isBidirectional: false, positions: c.positions, workspace: workspace),
                blocks: (0..<c.decoderLayers).map { c.block($0, stack("block.\($0)"), kind: .selfAttention) },
                finalNorm: c.norm(stack("final_layer_norm")),
                output: OutputProjection(
                    output, scale: c.scalesOutput ? 1 / Float(c.hiddenSize).squareRoot() : nil),
                source: .init(capacity: c.sourcePositions)),
            parameters: parameters, workspace: workspace, resources: textEncoder.resources)
    }

    package var startTokens: [Int] { [configuration.startToken] }
    package var endTokens: Set<Int> { configuration.endTokens }
}

// MARK: - Files

extension T5 {
    package static var modelTypes: [String] { Relative.byType.keys.sorted() }

    package static func make(from files: ModelFiles) throws -> T5 {
        var configuration: Configuration
        if let gguf = files.checkpoint.gguf, files.configuration == nil {
            configuration = try Configuration(gguf: gguf, checkpoint: files.checkpoint)
        } else if let file = files.configuration {
            configuration = try Configuration(file)
            // Configurations that were saved again may say that the output projection is tied when it is not: the tensor
            // decides.
            let aliases = EmbeddingAliases(checkpoint: files.checkpoint, naming: Naming())
            if configuration.isTied, try aliases.areDifferent("lm_head.weight", "shared.weight") {
                configuration.isTied = false
                configuration.scalesOutput =
                    try configuration.scalesOutput && file.main.bool("scale_decoder_outputs", default: false)
            }
        } else {
            throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
        }
        if let length = files.options.contextLength {
            configuration.sourcePositions = max(1, min(length, 65535))
            configuration.positions = configuration.sourcePositions
        }
        let model = T5(configuration: configuration)
        try model.assignStoredFormats(of: files)
        return model
    }

    package func weightSource(of files: ModelFiles) -> WeightSource {
        WeightSource(
            checkpoint: files.checkpoint,
            naming: files.checkpoint.format == .gguf && files.configuration == nil ? GGUFT5Naming() : Naming())
    }

    /// Hugging Face names; the embedding has several.
    struct Naming: CheckpointNaming {
        private let plain = HuggingFaceNaming(optionalPrefixes: ["model.", "transformer."])

        func candidates(for key: String) -> [StoredSlice] {
            let names =
                key == "shared.weight" ? [key, "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"] : [key]
            return names.flatMap { plain.candidates(for: $0) }
        }
    }
}

// MARK: - Names in GGUF files

/// Names in GGUF files for Hugging Face's `decoder.block.0.layer.1.EncDecAttention.q.weight`.
struct GGUFT5Naming: CheckpointNaming {
    private static let tops = [
        "shared": "token_embd", "encoder.final_layer_norm": "enc.output_norm",
        "decoder.final_layer_norm": "dec.output_norm", "lm_head": "output",
    ]
    private static let modules = [
        "SelfAttention.q": "attn_q", "SelfAttention.k": "attn_k", "SelfAttention.v": "attn_v",
        "SelfAttention.o": "attn_o",
        "SelfAttention.relative_attention_bias": "attn_rel_b", "EncDecAttention.q": "cross_attn_q",
        "EncDecAttention.k": "cross_attn_k",
        "EncDecAttention.v": "cross_attn_v", "EncDecAttention.o": "cross_attn_o", "DenseReluDense.wi": "ffn_up",
        "DenseReluDense.wi_0": "ffn_gate", "DenseReluDense.wi_1": "ffn_up", "DenseReluDense.wo": "ffn_down",
    ]
    /// A norm is named for the layer it stands before, by its place in the block.
    private static let norms = [
        "encoder": ["attn_norm", "ffn_norm"], "decoder": ["attn_norm", "cross_attn_norm", "ffn_norm"],
    ]

    func candidates(for key: String) -> [StoredSlice] {
        guard let dot = key.lastIndex(of: ".") else { return [] }
        let (path, leaf) = (String(key[..<dot]), key[key.index(after: dot)...])
        if let top = Self.tops[path] { return [StoredSlice("\(top).\(leaf)")] }
        // encoder.block.N.layer.M.<module>
        let parts = path.split(separator: ".", maxSplits: 5).map(String.init)
        guard parts.count == 6, parts[1] == "block", parts[3] == "layer", let norms = Self.norms[parts[0]],
            let place = Int(parts[4]),
            let module = parts[5] == "layer_norm" && norms.indices.contains(place)
                ? norms[place] : Self.modules[parts[5]]
        else { return [] }
        return [StoredSlice("\(parts[0].prefix(3)).blk.\(parts[2]).\(module).\(leaf)")]
    }
}
