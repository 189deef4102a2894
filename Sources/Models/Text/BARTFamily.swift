import AttentionTypes
import Checkpoint
import Compute
import JSON
import Transformer

// The layers that BART (Lewis et al. 2020) and its relatives share: the transformer of Vaswani et al. 2017, with norms
// behind each part or before it. Reference: transformers' modeling_bart, modeling_marian, modeling_trocr, modeling_m2m_100,
// modeling_mbart, modeling_pegasus.

// MARK: - Configuration

/// The sizes of an encoder-decoder of BART's family.
package struct BARTConfiguration: Sendable, Hashable {
    /// Source of the position tables.
    package enum Positions: Sendable, Hashable {
        /// A learned table whose first `offset` rows stand for no position.
        case learned(offset: Int)
        /// Sines and cosines, which checkpoints need not store.
        case sinusoidal(PositionTable.Sinusoids)
    }

    /// Sizes of the encoder or the decoder.
    package struct Stack: Sendable, Hashable {
        package var layers: Int
        package var heads: Int
        package var intermediateSize: Int
    }

    /// The encoder's vocabulary.
    package var vocabulary = 50265
    /// The decoder's vocabulary.
    package var decoderVocabulary = 50265
    package var hiddenSize = 1024
    package var encoder = Stack(layers: 12, heads: 16, intermediateSize: 4096)
    package var decoder = Stack(layers: 12, heads: 16, intermediateSize: 4096)
    package var activation = Activation.gelu
    package var scalesEmbedding = false
    /// Positions of the source and of the decoder.
    package var positions = 1024
    /// Positions that memory is planned for.
    package var contextLength = 1024
    package var positionKind = Positions.learned(offset: 2)
    /// Norms before each part, and one at the end of each stack, instead of norms behind each part.
    package var isPreNorm = false
    /// The token that has no position, in models whose positions skip padding.
    package var padding: Int?
    /// True where a norm follows the embedding.
    package var normalizesEmbedding = true
    /// Encoder and decoder have one embedding.
    package var sharesEmbedding = true
    /// The decoder's embedding is also the output projection.
    package var isTied = true
    package var startToken = 2
    package var endTokens: Set<Int> = [2]

    package init() {}

    /// Plans memory for fewer positions than the model has; nil changes nothing.
    mutating func makeRoom(for count: Int?) {
        if let count { contextLength = max(1, min(count, positions)) }
    }

    /// Reads a Hugging Face `config.json` (and `generation_config.json`); what it lacks stays as in `defaults`.
    /// - Parameter part: the part of the file that describes the text model; all of it by default.
    init(_ file: ModelConfiguration, part: JSONReader? = nil, defaults: BARTConfiguration) throws {
        self = defaults
        let main = part ?? file.main
        vocabulary = try main.int("vocab_size", default: vocabulary)
        decoderVocabulary = try main.int("decoder_vocab_size", default: vocabulary)
        hiddenSize = try main.int("d_model", default: hiddenSize)
        encoder = Stack(
            layers: try main.int("encoder_layers", default: encoder.layers),
            heads: try main.int("encoder_attention_heads", default: encoder.heads),
            intermediateSize: try main.int("encoder_ffn_dim", default: encoder.intermediateSize))
        decoder = Stack(
            layers: try main.int("decoder_layers", default: decoder.layers),
            heads: try main.int("decoder_attention_heads", default: decoder.heads),
            intermediateSize: try main.int("decoder_ffn_dim", default: decoder.intermediateSize))
        activation = try Activation(named: "activation_function", in: main, default: "gelu")
        scalesEmbedding = try main.bool("scale_embedding", default: scalesEmbedding)
        positions = try main.int("max_position_embeddings", default: positions)
        contextLength = positions
        sharesEmbedding = try main.bool("share_encoder_decoder_embeddings", default: true)
        isTied = try main.bool("tie_word_embeddings", default: true)
        startToken = try main.int(
            "decoder_start_token_id", default: file.generation.int("decoder_start_token_id", default: startToken))
        endTokens = Set(
            try file.generation.ints("eos_token_id", default: main.ints("eos_token_id", default: Array(endTokens))))
        try validate(file: main.file)
    }

    private func validate(file: String) throws {
        var limits: [(key: String, value: Int, bounds: SizeBounds)] = [
            ("vocab_size", vocabulary, .from(1, to: 2_000_000)),
            ("decoder_vocab_size", decoderVocabulary, .from(1, to: 2_000_000)),
            ("d_model", hiddenSize, .from(1, to: 65536)),
            ("max_position_embeddings", positions, .from(1, to: 65535)),
        ]
        for (side, stack) in [("encoder", encoder), ("decoder", decoder)] {
            limits.append(("\(side)_layers", stack.layers, .from(1, to: 1024)))
            limits.append(("\(side)_attention_heads", stack.heads, .from(1, to: 1024)))
            limits.append(("\(side)_ffn_dim", stack.intermediateSize, .from(1, to: 1_000_000)))
        }
        try ModelError.requireRange(file, limits)
        try ModelError.requireRange(file, [("decoder_start_token_id", startToken, .from(0, to: decoderVocabulary - 1))])
        for (key, stack) in [("encoder_attention_heads", encoder), ("decoder_attention_heads", decoder)] {
            guard hiddenSize % stack.heads == 0, hiddenSize / stack.heads <= AttentionSelection.largestHead else {
                throw ModelError.configuration(
                    file: file, key: key,
                    problem:
                        "\(stack.heads) heads do not divide the model size \(hiddenSize) into heads of at most \(AttentionSelection.largestHead)"
                )
            }
        }
        guard !sharesEmbedding || vocabulary == decoderVocabulary else {
            throw ModelError.configuration(
                file: file, key: "decoder_vocab_size",
                problem:
                    "one embedding is shared, but the vocabularies have \(vocabulary) and \(decoderVocabulary) tokens")
        }
    }
}

// MARK: - Blocks

extension BARTConfiguration {
    private func attention(_ stack: Stack) -> AttentionShape {
        AttentionShape(heads: stack.heads, headDimension: hiddenSize / stack.heads)
    }

    private func norms(_ scope: ParameterScope) -> TransformerBlock.Norms {
        let norm = LayerNorm(scope, size: hiddenSize)
        return isPreNorm ? .pre(norm) : .post(norm)
    }

    func finalNorm(_ scope: ParameterScope) -> LayerNorm? {
        isPreNorm ? LayerNorm(scope("layer_norm"), size: hiddenSize) : nil
    }

    /// The blocks of the encoder (`kind` is `.encoder`) or the decoder, which has cross-attention.
    /// - Parameter sourceSize: features that cross-attention reads.
    func blocks(_ scope: ParameterScope, kind: AttentionKind, sourceSize: Int? = nil) -> [TransformerBlock] {
        let stack = kind == .encoder ? encoder : decoder
        let shape = attention(stack)
        return (0..<stack.layers).map { index in
            let layer = scope("layers.\(index)")
            return TransformerBlock(
                selfAttention: .init(
                    .selfAttention(
                        layer("self_attn"), kind: kind, layer: index, hiddenSize: hiddenSize, shape: shape),
                    norms: norms(layer("self_attn_layer_norm"))),
                crossAttention: kind == .encoder
                    ? nil
                    : .init(
                        .crossAttention(
                            layer("encoder_attn"), layer: index, hiddenSize: hiddenSize,
                            sourceSize: sourceSize ?? hiddenSize, shape: shape),
                        norms: norms(layer("encoder_attn_layer_norm"))),
                feedForward: .init(
                    FeedForward(
                        layer, hiddenSize: hiddenSize, intermediateSize: stack.intermediateSize,
                        activation: activation),
                    norms: norms(layer("final_layer_norm"))))
        }
    }

    /// Tokens → the first block's input, for one side.
    func embedding(_ table: Parameter, _ scope: ParameterScope) -> TokenEmbedding {
        TokenEmbedding(
            table, scale: scalesEmbedding ? Float(hiddenSize).squareRoot() : 1, positions: positionTable(scope),
            norm: normalizesEmbedding ? LayerNorm(scope("layernorm_embedding"), size: hiddenSize) : nil,
            padding: padding)
    }

    private func positionTable(_ scope: ParameterScope) -> PositionTable {
        let name = "embed_positions.weight"
        switch positionKind {
        case .learned(let offset):
            return PositionTable(scope.table(name, rows: positions + offset, columns: hiddenSize), first: offset)
        case .sinusoidal(let sinusoids):
            return PositionTable(
                scope.optionalTable(name, rows: positions, columns: hiddenSize) { [positions, hiddenSize] in
                    sinusoids.table(positions: positions, size: hiddenSize)
                })
        }
    }

    /// The decoder.
    /// - Parameters:
    ///   - table: the decoder's embedding.
    ///   - sourceSize: features that cross-attention reads; the decoder's own width by default.
    func decoderDeclaration(
        _ name: String, _ scope: ParameterScope, table: Parameter, output: OutputProjection, sourceSize: Int? = nil,
        sourcePositions: Int
    ) -> Decoder.Declaration {
        Decoder.Declaration(
            name: name, hiddenSize: hiddenSize, vocabularySize: decoderVocabulary, contextLength: contextLength,
            embedding: embedding(table, scope), blocks: blocks(scope, kind: .selfAttention, sourceSize: sourceSize),
            finalNorm: finalNorm(scope), output: output, source: .init(capacity: sourcePositions))
    }
}

// MARK: - Model

/// A text encoder-decoder of BART's family; its own are only the configuration's defaults.
package protocol BARTFamily: TextSource {
    /// Values for keys that a `config.json` lacks.
    static var defaults: BARTConfiguration { get }
    var parts: BARTParts { get }
    init(configuration: BARTConfiguration)
}

/// Encoder and decoder of a model of BART's family.
package struct BARTParts {
    let configuration: BARTConfiguration
    let textEncoder: TextEncoder
    let decoder: Decoder

    /// Declares the model; nothing is allocated.
    /// - Parameters:
    ///   - prefix: before the names of encoder and decoder.
    ///   - sourcePositions: positions of the encoder; as many as the decoder's context by default.
    ///   - parameters, workspace, resources: of what the encoder reads besides tokens.
    init(
        name: String, configuration c: BARTConfiguration, prefix: String = "model.", sourcePositions: Int? = nil,
        parameters: ParameterList = .init(), workspace: Workspace = .init(), resources: [any DeviceResource] = []
    ) {
        configuration = c
        let sourcePositions = sourcePositions ?? c.contextLength
        let encoderScope = ParameterScope(list: parameters, prefix: prefix, purpose: .weightsEncoder)
        let decoderScope = ParameterScope(list: parameters, prefix: prefix, purpose: .weightsDecoder)
        let top = ParameterScope(list: parameters, purpose: .weightsDecoder)
        func table(_ scope: ParameterScope, _ key: String, _ vocabulary: Int) -> Parameter {
            scope.matrix(key, outputs: vocabulary, inputs: c.hiddenSize)
        }
        let decoderTable = table(
            decoderScope, c.sharesEmbedding ? "shared.weight" : "decoder.embed_tokens.weight", c.decoderVocabulary)
        let encoderTable =
            c.sharesEmbedding ? decoderTable : table(encoderScope, "encoder.embed_tokens.weight", c.vocabulary)
        let encoder = encoderScope("encoder")
        textEncoder = TextEncoder(
            vocabularySize: c.vocabulary, hiddenSize: c.hiddenSize, capacity: sourcePositions,
            embedding: c.embedding(encoderTable, encoder), blocks: c.blocks(encoder, kind: .encoder),
            finalNorm: c.finalNorm(encoder), workspace: workspace)
        let output = OutputProjection(
            c.isTied ? decoderTable : table(top, "lm_head.weight", c.decoderVocabulary),
            bias: top.optionalTable("final_logits_bias", rows: 1, columns: c.decoderVocabulary))
        decoder = Decoder(
            c.decoderDeclaration(
                name, decoderScope("decoder"), table: decoderTable, output: output, sourcePositions: sourcePositions),
            parameters: parameters, workspace: workspace, resources: textEncoder.resources + resources)
    }
}

extension BARTFamily {
    package var configuration: BARTConfiguration { parts.configuration }
    package var textEncoder: TextEncoder { parts.textEncoder }
    package var decoder: Decoder { parts.decoder }
    package var startTokens: [Int] { [configuration.startToken] }
    package var endTokens: Set<Int> { configuration.endTokens }

    package static func make(from files: ModelFiles) throws -> Self {
        guard let file = files.configuration else {
            throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
        }
        var configuration = try BARTConfiguration(file, defaults: defaults)
        let naming = BARTNaming(sharesEmbedding: configuration.sharesEmbedding)
        // An output projection of its own decides against the configuration; a missing one is the embedding.
        let embedding = configuration.sharesEmbedding ? "model.shared.weight" : "model.decoder.embed_tokens.weight"
        configuration.isTied =
            !(try EmbeddingAliases(checkpoint: files.checkpoint, naming: naming).areDifferent(
                "lm_head.weight", embedding))
        configuration.makeRoom(for: files.options.contextLength)
        let model = Self(configuration: configuration)
        try model.assignStoredFormats(of: files)
        return model
    }

    package func weightSource(of files: ModelFiles) -> WeightSource {
        WeightSource(
            checkpoint: files.checkpoint, naming: BARTNaming(sharesEmbedding: configuration.sharesEmbedding))
    }
}

/// Hugging Face names, with or without `model.`; a shared embedding has several.
struct BARTNaming: CheckpointNaming {
    let sharesEmbedding: Bool
    private let plain = HuggingFaceNaming()

    init(sharesEmbedding: Bool) { self.sharesEmbedding = sharesEmbedding }

    func candidates(for key: String) -> [StoredSlice] {
        var names = [key]
        if key == "lm_head.weight" {
            names.append("model.decoder.output_projection.weight")
        } else if sharesEmbedding, key == "model.shared.weight" {
            names += [
                "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight",
                "model.decoder.output_projection.weight",
            ]
        }
        return names.flatMap { plain.candidates(for: $0) }
    }
}
