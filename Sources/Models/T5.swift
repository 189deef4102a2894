import Checkpoint
import Compute
import NumberFormats
import Transformer
import JSON

// T5 (Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer") and its
// instruction-tuned FLAN variants: norms before each block without mean or bias, no biases at all, positions only as a
// bias of attention scores, which are not scaled. Reference: transformers' modeling_t5.

// MARK: - Configuration

extension T5 {
    package struct Configuration: Sendable, Hashable {
        package var vocabulary = 32128
        package var size = 512
        package var headDimension = 64
        package var heads = 8
        package var hidden = 2048
        package var encoderLayers = 6
        package var decoderLayers = 6
        package var buckets = 32
        package var maximumDistance = 128
        package var epsilon: Float = 1e-6
        package var activation = Activation.relu
        /// Whether the feed-forward has a gate (T5 1.1, FLAN).
        package var isGated = false
        /// The embedding is also the output projection.
        package var isTied = true
        /// The decoder's output is multiplied by size^-½ before the vocabulary.
        package var scalesOutput = true
        /// Positions to make room for, in the source and in the decoder: the architecture itself has no limit.
        package var sourcePositions = 512
        package var positions = 512
        package var startToken = 0
        package var endTokens: Set<Int> = [1]

        package init() {}

        /// Reads a Hugging Face `config.json` (and `generation_config.json`).
        package init(_ file: ModelConfiguration) throws {
            let main = file.main
            vocabulary = try main.int("vocab_size", default: 32128)
            size = try main.int("d_model", default: 512)
            headDimension = try main.int("d_kv", default: 64)
            heads = try main.int("num_heads", default: 8)
            hidden = try main.int("d_ff", default: 2048)
            encoderLayers = try main.int("num_layers", default: 6)
            decoderLayers = try main.int("num_decoder_layers", default: encoderLayers)
            buckets = try main.int("relative_attention_num_buckets", default: 32)
            maximumDistance = try main.int("relative_attention_max_distance", default: 128)
            epsilon = Float(try main.double("layer_norm_epsilon", default: 1e-6))
            (activation, isGated) = try Self.feedForward(main)
            isTied = try main.bool("tie_word_embeddings", default: true)
            // Older versions scale whenever the embeddings are tied; transformers 5 says so apart.
            scalesOutput = try main.bool("scale_decoder_outputs", default: isTied)
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
            size = try gguf.int(key("embedding_length"))
            heads = try gguf.int(key("attention.head_count"))
            try ModelError.requireRange(gguf.file, [(key("attention.head_count"), heads, 1...1024)])
            headDimension = try gguf.intIfPresent(key("attention.key_length")) ?? size / heads
            hidden = try gguf.int(key("feed_forward_length"))
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
        private static func feedForward(_ file: JSONReader) throws -> (Activation, isGated: Bool) {
            let name = try file.string("feed_forward_proj", default: "relu")
            let isGated = name.hasPrefix("gated-")
            let function = isGated ? String(name.dropFirst("gated-".count)) : name
            if isGated && function == "gelu" { return (.geluTanh, true) }
            let only = JSONReader(
                .object(["feed_forward_proj": .string(function)]), file: file.file, path: file.path)
            return (try Activation(named: "feed_forward_proj", in: only, default: "relu"), isGated)
        }

        private func validate(file: String) throws {
            try ModelError.requireRange(
                file,
                [
                    ("vocab_size", vocabulary, 1...2_000_000), ("d_model", size, 1...65536),
                    ("d_kv", headDimension, 1...AttentionSelection.largestHead), ("num_heads", heads, 1...1024),
                    ("d_ff", hidden, 1...1_000_000), ("num_layers", encoderLayers, 1...1024),
                    ("num_decoder_layers", decoderLayers, 1...1024),
                    ("relative_attention_num_buckets", buckets, 4...65536),
                    ("relative_attention_max_distance", maximumDistance, buckets / 2 + 1...1_000_000),
                    ("n_positions", positions, 1...65535), ("decoder_start_token_id", startToken, 0...vocabulary - 1),
                ])
        }
    }
}

// MARK: - Layers

extension Attention.Names {
    fileprivate static let t5 = Attention.Names(query: "q", key: "k", value: "v", output: "o", hasBias: false)
}

extension T5.Configuration {
    fileprivate var attention: AttentionShape { AttentionShape(heads: heads, headDimension: headDimension, scale: 1) }

    fileprivate func norm(_ scope: ParameterScope) -> RMSNorm { RMSNorm(scope, size: size, epsilon: epsilon) }

    fileprivate func feedForward(_ scope: ParameterScope) -> any FeedForwardBlock {
        if isGated {
            return GatedFeedForward(
                scope, names: .init(gate: "wi_0", up: "wi_1", down: "wo"), size: size, hidden: hidden,
                activation: activation)
        }
        return FeedForward(
            expand: Linear(scope("wi"), inputs: size, outputs: hidden, bias: false),
            contract: Linear(scope("wo"), inputs: hidden, outputs: size, bias: false), hidden: hidden,
            activation: activation)
    }

    fileprivate func relativePositions(
        _ stack: ParameterScope, isBidirectional: Bool, positions: Int, workspace: Workspace, phase: String
    ) -> RelativePositions {
        RelativePositions(
            stack("block.0.layer.0.SelfAttention"),
            shape: .init(
                heads: heads, buckets: buckets, maximumDistance: maximumDistance, isBidirectional: isBidirectional,
                positions: positions),
            workspace: workspace, phase: phase)
    }
}

// MARK: - Encoder

private struct Encoder {
    private struct Layer {
        let attentionNorm: RMSNorm
        let attention: Attention
        let feedForwardNorm: RMSNorm
        let feedForward: any FeedForwardBlock
    }

    private let embedding: Parameter
    let positions: RelativePositions
    private let layers: [Layer]
    private let norm: RMSNorm

    private let x: Slot
    private let normalized: Slot
    private let hidden: Slot
    private let attentionWorkspace: Attention.Workspace

    init(_ scope: ParameterScope, embedding: Parameter, configuration c: T5.Configuration, workspace: Workspace) {
        self.embedding = embedding
        let phase = "encoder"
        positions = c.relativePositions(
            scope, isBidirectional: true, positions: c.sourcePositions, workspace: workspace, phase: phase)
        layers = (0..<c.encoderLayers).map { index in
            let block = scope("block.\(index)")
            return Layer(
                attentionNorm: c.norm(block("layer.0.layer_norm")),
                attention: .selfAttention(
                    block("layer.0.SelfAttention"), kind: .encoder, layer: index, size: c.size, shape: c.attention,
                    names: .t5),
                feedForwardNorm: c.norm(block("layer.1.layer_norm")),
                feedForward: c.feedForward(block("layer.1.DenseReluDense")))
        }
        norm = c.norm(scope("final_layer_norm"))
        x = workspace.reserve("source", rows: c.sourcePositions, columns: c.size, phase: phase)
        normalized = workspace.reserve("normalized", rows: c.sourcePositions, columns: c.size, phase: phase)
        hidden = workspace.reserve(
            "hidden", rows: c.sourcePositions, columns: layers[0].feedForward.scratchColumns, phase: phase)
        attentionWorkspace = Attention.Workspace(workspace, rows: c.sourcePositions, shape: c.attention, phase: phase)
    }

    func callAsFunction(_ tokens: Tensor, _ pass: EncoderPass) throws -> Tensor {
        let (count, stream) = (tokens.columns, pass.stream)
        let x = x.rows(count)
        let normalized = normalized.rows(count)
        try stream.embed(tokens: tokens, firstPosition: 0, table: embedding.matrix, into: x)
        let bias = try positions.bias(queries: count, keys: count, mask: pass.mask, on: stream)
        for (index, layer) in layers.enumerated() {
            try pass.observe?(index, x)
            try layer.attentionNorm(x, into: normalized, on: stream)
            try layer.attention.encode(
                normalized, bias: bias, addingTo: x, workspace: attentionWorkspace, tap: pass.tap, on: stream)
            try layer.feedForwardNorm(x, into: normalized, on: stream)
            try layer.feedForward(normalized, hidden: hidden.rows(count), addingTo: x, on: stream)
        }
        try norm(x, into: normalized, on: stream)
        try pass.observe?(layers.count, normalized)
        return normalized
    }
}

// MARK: - Decoder

private struct Decoder: CrossDecoder {
    private struct Layer {
        let selfNorm: RMSNorm
        let selfAttention: Attention
        let crossNorm: RMSNorm
        let crossAttention: Attention
        let feedForwardNorm: RMSNorm
        let feedForward: any FeedForwardBlock
    }

    private let embedding: Parameter
    private let output: Parameter
    private let outputScale: Float?
    let positions: RelativePositions
    private let layers: [Layer]
    private let norm: RMSNorm

    private let x: Slot
    private let normalized: Slot
    private let hidden: Slot
    private let scaled: Slot
    private let attentionWorkspace: Attention.Workspace

    init(
        _ scope: ParameterScope, embedding: Parameter, output: Parameter, configuration c: T5.Configuration,
        workspace: Workspace
    ) {
        self.embedding = embedding
        self.output = output
        embedding.isReadEachStep = embedding === output
        outputScale = c.scalesOutput ? 1 / Float(c.size).squareRoot() : nil
        let phase = "decoder"
        positions = c.relativePositions(
            scope, isBidirectional: false, positions: c.positions, workspace: workspace, phase: phase)
        layers = (0..<c.decoderLayers).map { index in
            let block = scope("block.\(index)")
            return Layer(
                selfNorm: c.norm(block("layer.0.layer_norm")),
                selfAttention: .selfAttention(
                    block("layer.0.SelfAttention"), kind: .selfAttention, layer: index, size: c.size,
                    shape: c.attention, names: .t5),
                crossNorm: c.norm(block("layer.1.layer_norm")),
                crossAttention: .crossAttention(
                    block("layer.1.EncDecAttention"), layer: index, size: c.size, sourceSize: c.size,
                    shape: c.attention, names: .t5),
                feedForwardNorm: c.norm(block("layer.2.layer_norm")),
                feedForward: c.feedForward(block("layer.2.DenseReluDense")))
        }
        norm = c.norm(scope("final_layer_norm"))
        let rows = max(c.positions, DecodeStepper.maximumRows)
        x = workspace.reserve("tokens", rows: rows, columns: c.size, phase: phase)
        normalized = workspace.reserve("normalized", rows: rows, columns: c.size, phase: phase)
        hidden = workspace.reserve("hidden", rows: rows, columns: layers[0].feedForward.scratchColumns, phase: phase)
        scaled = workspace.reserve("scaled", rows: DecodeStepper.maximumRows, columns: c.size, phase: phase)
        attentionWorkspace = Attention.Workspace(workspace, rows: rows, shape: c.attention, phase: phase)
    }

    func remember(source: Tensor, in cache: KeyValueCache, on stream: CommandStream) throws {
        for layer in layers { try layer.crossAttention.remember(source: source, in: cache, on: stream) }
    }

    func prefill(_ tokens: Tensor, firstPosition: Int, _ pass: CrossDecoderPass) throws {
        let (count, stream) = (tokens.columns, pass.stream)
        let x = x.rows(count)
        let normalized = normalized.rows(count)
        try stream.embed(tokens: tokens, firstPosition: 0, table: embedding.matrix, into: x)
        let bias = try positions.bias(
            queries: count, keys: firstPosition + count, firstPosition: firstPosition, on: stream)
        for (index, layer) in layers.enumerated() {
            try pass.observe?(index, x)
            try layer.selfNorm(x, into: normalized, on: stream)
            try layer.selfAttention.prefill(
                normalized, firstPosition: firstPosition, bias: bias, cache: pass.selfCache, addingTo: x,
                workspace: attentionWorkspace,
                tap: pass.tap, on: stream)
            try layer.crossNorm(x, into: normalized, on: stream)
            try layer.crossAttention.readSource(
                normalized, sourceCount: pass.sourceCount, mask: pass.sourceMask, cache: pass.crossCache, addingTo: x,
                workspace: attentionWorkspace, tap: pass.tap, on: stream)
            try layer.feedForwardNorm(x, into: normalized, on: stream)
            try layer.feedForward(normalized, hidden: hidden.rows(count), addingTo: x, on: stream)
        }
        try norm(x, into: normalized, on: stream)
        try pass.observe?(layers.count, normalized)
    }

    func decode(rows: Int, step: StepBuffer, _ pass: CrossDecoderPass) throws {
        let stream = pass.stream
        let x = x.rows(rows)
        let normalized = normalized.rows(rows)
        try stream.embed(step: step, rows: rows, table: embedding.matrix, into: x)
        for layer in layers {
            try layer.selfAttention.decode(
                NormalizedInput(x, norm: layer.selfNorm, scratch: normalized), step: step, bias: positions.decodeBias,
                cache: pass.selfCache, addingTo: x, workspace: attentionWorkspace,
                tap: pass.tap, on: stream)
            try layer.crossAttention.decodeSource(
                NormalizedInput(x, norm: layer.crossNorm, scratch: normalized), sourceCount: pass.sourceCount,
                mask: pass.sourceMask, step: step, cache: pass.crossCache, addingTo: x,
                workspace: attentionWorkspace, tap: pass.tap, on: stream)
            try layer.feedForward(
                NormalizedInput(x, norm: layer.feedForwardNorm, scratch: normalized), hidden: hidden.rows(rows),
                addingTo: x, on: stream)
        }
        try norm(x, into: normalized, on: stream)
    }

    func project(_ rows: Range<Int>, into logits: Tensor, on stream: CommandStream) throws {
        var states = normalized.tensor.rows(rows)
        if let outputScale {
            try stream.convert(states, scale: outputScale, into: scaled.rows(rows.count))
            states = scaled.rows(rows.count)
        }
        try stream.linear(states, weight: output.matrix, bias: nil, activation: .none, residual: nil, into: logits)
    }
}

// MARK: - Model

/// T5 on a device: text in, text out.
package final class T5 {
    package let configuration: Configuration
    package let runner: EncoderDecoderRunner
    package let sourceInput: SourceInput
    private let encoder: Encoder

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let parameters = ParameterList()
        let workspace = Workspace()
        let decoderScope = ParameterScope(list: parameters, prefix: "", purpose: .weightsDecoder)
        let embedding = decoderScope.matrix("shared.weight", outputs: c.vocabulary, inputs: c.size)
        encoder = Encoder(
            ParameterScope(list: parameters, prefix: "encoder.", purpose: .weightsEncoder), embedding: embedding,
            configuration: c,
            workspace: workspace)
        let output = c.isTied ? embedding : decoderScope.matrix("lm_head.weight", outputs: c.vocabulary, inputs: c.size)
        let decoder = Decoder(
            decoderScope("decoder"), embedding: embedding, output: output, configuration: c, workspace: workspace)
        sourceInput = SourceInput(capacity: c.sourcePositions)
        runner = EncoderDecoderRunner(
            shape: .init(
                name: "T5", vocabulary: c.vocabulary, decoderLayers: c.decoderLayers, decoderHeads: c.heads,
                keyValueWidth: c.heads * c.headDimension, sourcePositions: c.sourcePositions, positions: c.positions),
            parameters: parameters, workspace: workspace, decoder: decoder,
            resources: [sourceInput, encoder.positions, decoder.positions])
    }
}

extension T5: TextEncoderDecoder {
    package var sourceVocabulary: Int { configuration.vocabulary }
    package var encoderLayers: Int { configuration.encoderLayers }
    package var startTokens: [Int] { [configuration.startToken] }
    package var endTokens: Set<Int> { configuration.endTokens }

    package func runEncoder(_ tokens: Tensor, _ pass: EncoderPass) throws -> Tensor { try encoder(tokens, pass) }
}

// MARK: - Files

extension T5 {
    package static var modelTypes: [String] { ["t5"] }

    package static func make(from files: ModelFiles) throws -> T5 {
        func fit(_ configuration: inout Configuration) {
            guard let length = files.options.contextLength else { return }
            configuration.sourcePositions = max(1, min(length, 65535))
            configuration.positions = configuration.sourcePositions
        }
        if let gguf = files.checkpoint.gguf {
            var configuration = try Configuration(gguf: gguf, checkpoint: files.checkpoint)
            fit(&configuration)
            let model = T5(configuration: configuration)
            try model.weightSource(files).assignFormats(to: model.runner.parameters)
            return model
        }
        guard let file = files.configuration else {
            throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
        }
        var configuration = try Configuration(file)
        // Configurations that were saved anew may say that the output projection is tied when it is not: the tensor wins.
        let aliases = EmbeddingAliases(checkpoint: files.checkpoint, naming: Naming())
        if configuration.isTied, try aliases.areDifferent("lm_head.weight", "shared.weight") {
            configuration.isTied = false
            configuration.scalesOutput = try file.main.bool("scale_decoder_outputs", default: false)
        }
        fit(&configuration)
        let model = T5(configuration: configuration)
        try model.weightSource(files).assignFormats(to: model.runner.parameters)
        return model
    }

    package func weightSource(_ files: ModelFiles) -> WeightSource {
        let isGGUF = files.checkpoint.format == .gguf
        return WeightSource(
            checkpoint: files.checkpoint, naming: isGGUF ? GGUFT5Naming() as any CheckpointNaming : Naming())
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

/// Where GGUF files keep what Hugging Face calls `decoder.block.0.layer.1.EncDecAttention.q.weight`.
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
