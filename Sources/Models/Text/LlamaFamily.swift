import Checkpoint
import Compute
import JSON
import Transformer

/// Decoders of Llama's form. A family declares its defaults and reads what its files have beyond Llama's.
package protocol LlamaFamily: Model {
    /// Architecture name for messages.
    static var name: String { get }
    /// Values of keys that a `config.json` lacks.
    static var defaults: Llama.Configuration.Defaults { get }
    /// Reads what a `config.json` of this family has beyond Llama's.
    static func adapt(_ configuration: inout Llama.Configuration, to file: JSONReader) throws
    /// Sets what a GGUF file of this family means beyond what it says.
    static func adapt(_ configuration: inout Llama.Configuration, to gguf: GGUFMetadata) throws

    init(configuration: Llama.Configuration, decoder: Decoder)
    var configuration: Llama.Configuration { get }
}

extension LlamaFamily {
    package static var defaults: Llama.Configuration.Defaults { .init() }
    package static func adapt(_ configuration: inout Llama.Configuration, to file: JSONReader) throws {}
    package static func adapt(_ configuration: inout Llama.Configuration, to gguf: GGUFMetadata) throws {}

    /// Declares the model; nothing is allocated.
    package init(configuration: Llama.Configuration) {
        self.init(configuration: configuration, scope: ParameterScope(list: ParameterList(), purpose: .weightsDecoder))
    }

    /// Declares the model as a part of a larger one, whose checkpoint has it under `scope`; see `Decoder` for the rest.
    package init(
        configuration c: Llama.Configuration, scope root: ParameterScope, workspace: Workspace = Workspace(),
        resources: [any DeviceResource] = [], overrides: (any EmbeddingOverrides)? = nil
    ) {
        let rotary = c.rotary
        self.init(
            configuration: c,
            decoder: Decoder(
                c.declaration(Self.name, root) { c.block($0, $1, rotary) }, parameters: root.list,
                workspace: workspace, resources: resources, overrides: overrides))
    }

    package func weightSource(of files: ModelFiles) -> WeightSource {
        WeightSource(
            checkpoint: files.checkpoint,
            naming: files.checkpoint.format == .gguf
                ? GGUFLlamaNaming(hasSandwichNorms: configuration.hasSandwichNorms) : HuggingFaceNaming())
    }

    package static func make(from files: ModelFiles) throws -> Self { try make(from: files, contextLength: nil) }

    /// - Parameter contextLength: positions that memory is planned for; by default those of the files' options, or those
    ///   the model has, up to 4,096.
    package static func make(from files: ModelFiles, contextLength: Int?) throws -> Self {
        var configuration: Llama.Configuration
        if let gguf = files.checkpoint.gguf {
            configuration = try self.configuration(gguf, files.checkpoint)
        } else if let file = files.configuration {
            configuration = try self.configuration(file.main)
        } else {
            throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
        }
        configuration.makeRoom(for: contextLength ?? files.options.contextLength)
        let model = Self(configuration: configuration)
        try model.assignStoredFormats(of: files)
        return model
    }

    /// Reads a `config.json` of this family, or the part of one that describes the text model.
    package static func configuration(_ file: JSONReader) throws -> Llama.Configuration {
        var configuration = try Llama.Configuration(file, defaults: defaults)
        try adapt(&configuration, to: file)
        return configuration
    }

    /// Reads the metadata of a GGUF file of this family.
    package static func configuration(_ gguf: GGUFMetadata, _ checkpoint: Checkpoint) throws -> Llama.Configuration {
        var configuration = try Llama.Configuration(gguf: gguf, checkpoint: checkpoint)
        try adapt(&configuration, to: gguf)
        return configuration
    }
}

// MARK: - Declarations

extension Llama.Configuration {
    /// Rotary positions of layers with a window and of those without; one table where they are alike.
    package struct Rotary {
        let everywhere: RotaryPositions
        let windowed: RotaryPositions
    }

    package var rotary: Rotary {
        let shape = RotaryShape(
            headDimension: headDimension, rotaryDimension: rotaryDimension, isInterleaved: hasInterleavedPairs)
        let everywhere = RotaryPositions(
            shape: shape, positions: contextLength, theta: theta,
            scaling: longRotary?.scaling(contextLength: contextLength) ?? rotaryScaling, axes: rotaryAxes)
        return Rotary(
            everywhere: everywhere,
            windowed: windowTheta.map { RotaryPositions(shape: shape, positions: contextLength, theta: $0) }
                ?? everywhere)
    }

    func norm(_ scope: ParameterScope, size: Int? = nil) -> RMSNorm {
        RMSNorm(scope, size: size ?? hiddenSize, epsilon: epsilon, offset: normOffset)
    }

    /// One block of the text model, which vision-language models use too.
    func block(_ index: Int, _ scope: ParameterScope, _ rotary: Rotary) -> TransformerBlock {
        let shape = attentionShape(layer: index)
        let attention = scope("self_attn")
        let options = Attention.Options(
            queryNorm: hasHeadNorms ? norm(attention("q_norm"), size: headDimension) : nil,
            keyNorm: hasHeadNorms ? norm(attention("k_norm"), size: headDimension) : nil,
            rotary: windowedLayers.contains(index) ? rotary.windowed : rotary.everywhere)
        let gate = residualScale == 1 ? nil : Gate(fixed: residualScale)
        return TransformerBlock(
            selfAttention: .init(
                isFused
                    ? Attention(
                        kind: .selfAttention, layer: index, shape: shape,
                        fused: Linear(
                            attention("qkv_proj"), inputs: hiddenSize, outputs: shape.width + 2 * shape.keyValueWidth,
                            bias: attentionHasBias),
                        output: Linear(
                            attention("o_proj"), inputs: shape.width, outputs: hiddenSize, bias: outputHasBias),
                        options: options)
                    : .selfAttention(
                        attention, layer: index, hiddenSize: hiddenSize, shape: shape,
                        names: .init(output: "o_proj", inputsHaveBias: attentionHasBias, outputHasBias: outputHasBias),
                        options: options),
                norms: hasSandwichNorms
                    ? .sandwich(
                        before: norm(scope("input_layernorm")), after: norm(scope("post_attention_layernorm")))
                    : .pre(norm(scope("input_layernorm"))), gate: gate),
            feedForward: .init(
                GatedFeedForward(
                    scope("mlp"), names: .init(fused: isFused ? "gate_up_proj" : nil), hiddenSize: hiddenSize,
                    intermediateSize: intermediateSize, activation: activation, bias: feedForwardHasBias),
                norms: hasSandwichNorms
                    ? .sandwich(
                        before: norm(scope("pre_feedforward_layernorm")),
                        after: norm(scope("post_feedforward_layernorm")))
                    : .pre(norm(scope("post_attention_layernorm"))), gate: gate))
    }

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
            contextLength: contextLength, prefillRows: prefillRows,
            embedding: TokenEmbedding(embedding, scale: embeddingScale), blocks: blocks, finalNorm: norm,
            output: OutputProjection(output, scale: logitScale == 1 ? nil : logitScale, cap: logitCap),
            source: source)
    }
}

// MARK: - Names in GGUF files

/// Names in GGUF files for Hugging Face's `model.layers.0.self_attn.q_proj.weight`.
///
/// Rows of query and key are in another order in files of `llama`, one that neighboring pairs are turned in.
package struct GGUFLlamaNaming: CheckpointNaming {
    /// The norm that Llama has behind attention is one of the attention's output in families with sandwich norms.
    private let hasSandwichNorms: Bool

    package init(hasSandwichNorms: Bool = false) { self.hasSandwichNorms = hasSandwichNorms }

    private static let modules = [
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
        "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
        "self_attn.qkv_proj": "attn_qkv", "mlp.gate_up_proj": "ffn_up",
        "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    ]
    private static let sandwichNorms = [
        "post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
        "post_feedforward_layernorm": "post_ffw_norm",
    ]
    private static let tops = ["model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"]

    package func candidates(for key: String) -> [StoredSlice] {
        guard let dot = key.lastIndex(of: ".") else { return [] }
        let (path, leaf) = (String(key[..<dot]), key[key.index(after: dot)...])
        if let top = Self.tops[path] { return [StoredSlice("\(top).\(leaf)")] }
        // model.layers.N.<module>
        let parts = path.split(separator: ".", maxSplits: 3)
        guard parts.count == 4, parts[0] == "model", parts[1] == "layers" else { return [] }
        let name = String(parts[3])
        guard let module = (hasSandwichNorms ? Self.sandwichNorms[name] : nil) ?? Self.modules[name] else { return [] }
        return [StoredSlice("blk.\(parts[2]).\(module).\(leaf)")]
    }
}
