import Compute
import Formats
import Transformer

// The layers that BART (Lewis et al. 2020) and Marian (Junczys-Dowmunt et al. 2018) share: the transformer of Vaswani
// et al. 2017, whose norms follow each block. Reference: transformers' modeling_bart and modeling_marian.

/// Encoder of a post-norm model.
struct PostNormEncoder {
    private struct Layer {
        let attention: Attention
        let attentionNorm: LayerNorm
        let feedForward: FeedForward
        let feedForwardNorm: LayerNorm
    }

    private let configuration: PostNormConfiguration
    private let embedding: Parameter
    private let positions: Parameter
    private let embeddingNorm: LayerNorm?
    private let layers: [Layer]

    private let x: Slot
    private let hidden: Slot
    private let attentionWorkspace: Attention.Workspace

    init(_ scope: ParameterScope, embedding: Parameter, configuration c: PostNormConfiguration, workspace: Workspace) {
        configuration = c
        self.embedding = embedding
        positions = c.positionTable(scope)
        embeddingNorm = c.normalizesEmbedding ? LayerNorm(scope("layernorm_embedding"), size: c.size) : nil
        let shape = c.attention(c.encoder)
        layers = (0..<c.encoder.layers).map { index in
            let layer = scope("layers.\(index)")
            return Layer(
                attention: .selfAttention(layer("self_attn"), kind: .encoder, layer: index, size: c.size, shape: shape),
                attentionNorm: LayerNorm(layer("self_attn_layer_norm"), size: c.size),
                feedForward: FeedForward(layer, size: c.size, hidden: c.encoder.hidden, activation: c.activation),
                feedForwardNorm: LayerNorm(layer("final_layer_norm"), size: c.size))
        }
        x = workspace.reserve("source", rows: c.positions, columns: c.size, phase: "encoder")
        hidden = workspace.reserve("hidden", rows: c.positions, columns: c.encoder.hidden, phase: "encoder")
        attentionWorkspace = Attention.Workspace(workspace, rows: c.positions, shape: shape, phase: "encoder")
    }

    func callAsFunction(_ tokens: Tensor, _ pass: EncoderPass) throws -> Tensor {
        let (count, stream) = (tokens.columns, pass.stream)
        let x = x.rows(count)
        let bias = pass.mask.map { AttentionBias(mask: $0, queries: count) }
        try stream.embed(
            tokens: tokens, firstPosition: 0, table: embedding.matrix, scale: configuration.embeddingScale,
            positions: configuration.positionRows(positions), into: x)
        try embeddingNorm?(x, into: x, on: stream)
        for (index, layer) in layers.enumerated() {
            try pass.observe?(index, x)
            try layer.attention.encode(x, bias: bias, addingTo: x, workspace: attentionWorkspace, tap: pass.tap, on: stream)
            try layer.attentionNorm(x, into: x, on: stream)
            try layer.feedForward(x, hidden: hidden.rows(count), addingTo: x, on: stream)
            try layer.feedForwardNorm(x, into: x, on: stream)
        }
        try pass.observe?(layers.count, x)
        return x
    }
}

/// Decoder of a post-norm model.
struct PostNormDecoder: CrossDecoder {
    private struct Layer {
        let selfAttention: Attention
        let selfNorm: LayerNorm
        let crossAttention: Attention
        let crossNorm: LayerNorm
        let feedForward: FeedForward
        let feedForwardNorm: LayerNorm
    }

    private let configuration: PostNormConfiguration
    private let embedding: Parameter
    private let output: Parameter
    private let outputBias: Parameter
    private let positions: Parameter
    private let embeddingNorm: LayerNorm?
    private let layers: [Layer]

    private let x: Slot
    private let hidden: Slot
    private let attentionWorkspace: Attention.Workspace

    init(
        _ scope: ParameterScope, embedding: Parameter, output: Parameter, outputBias: Parameter, configuration c: PostNormConfiguration,
        workspace: Workspace
    ) {
        configuration = c
        self.embedding = embedding
        self.output = output
        self.outputBias = outputBias
        positions = c.positionTable(scope)
        embeddingNorm = c.normalizesEmbedding ? LayerNorm(scope("layernorm_embedding"), size: c.size) : nil
        let shape = c.attention(c.decoder)
        layers = (0..<c.decoder.layers).map { index in
            let layer = scope("layers.\(index)")
            return Layer(
                selfAttention: .selfAttention(layer("self_attn"), kind: .selfAttention, layer: index, size: c.size, shape: shape),
                selfNorm: LayerNorm(layer("self_attn_layer_norm"), size: c.size),
                crossAttention: .crossAttention(layer("encoder_attn"), layer: index, size: c.size, sourceSize: c.size, shape: shape),
                crossNorm: LayerNorm(layer("encoder_attn_layer_norm"), size: c.size),
                feedForward: FeedForward(layer, size: c.size, hidden: c.decoder.hidden, activation: c.activation),
                feedForwardNorm: LayerNorm(layer("final_layer_norm"), size: c.size))
        }
        let rows = max(c.positions, DecodeStepper.maximumRows)
        x = workspace.reserve("tokens", rows: rows, columns: c.size, phase: "decoder")
        hidden = workspace.reserve("hidden", rows: rows, columns: c.decoder.hidden, phase: "decoder")
        attentionWorkspace = Attention.Workspace(workspace, rows: rows, shape: shape, phase: "decoder")
    }

    func remember(source: Tensor, in cache: KeyValueCache, on stream: CommandStream) throws {
        for layer in layers { try layer.crossAttention.remember(source: source, in: cache, on: stream) }
    }

    func prefill(_ tokens: Tensor, firstPosition: Int, _ pass: CrossDecoderPass) throws {
        let (count, stream) = (tokens.columns, pass.stream)
        let x = x.rows(count)
        try stream.embed(
            tokens: tokens, firstPosition: firstPosition, table: embedding.matrix, scale: configuration.embeddingScale,
            positions: configuration.positionRows(positions), into: x)
        try embeddingNorm?(x, into: x, on: stream)
        for (index, layer) in layers.enumerated() {
            try pass.observe?(index, x)
            try layer.selfAttention.prefill(
                x, firstPosition: firstPosition, cache: pass.selfCache, addingTo: x, workspace: attentionWorkspace, tap: pass.tap, on: stream)
            try layer.selfNorm(x, into: x, on: stream)
            try layer.crossAttention.readSource(
                x, sourceCount: pass.sourceCount, mask: pass.sourceMask, cache: pass.crossCache, addingTo: x,
                workspace: attentionWorkspace, tap: pass.tap, on: stream)
            try layer.crossNorm(x, into: x, on: stream)
            try layer.feedForward(x, hidden: hidden.rows(count), addingTo: x, on: stream)
            try layer.feedForwardNorm(x, into: x, on: stream)
        }
        try pass.observe?(layers.count, x)
    }

    func decode(rows: Int, step: StepBuffer, _ pass: CrossDecoderPass) throws {
        let stream = pass.stream
        let x = x.rows(rows)
        try stream.embed(
            step: step, rows: rows, table: embedding.matrix, scale: configuration.embeddingScale,
            positions: configuration.positionRows(positions), into: x)
        try embeddingNorm?(x, into: x, on: stream)
        for layer in layers {
            try layer.selfAttention.decode(
                x, step: step, cache: pass.selfCache, addingTo: x, workspace: attentionWorkspace, tap: pass.tap, on: stream)
            try layer.selfNorm(x, into: x, on: stream)
            try layer.crossAttention.decodeSource(
                x, sourceCount: pass.sourceCount, mask: pass.sourceMask, step: step, cache: pass.crossCache, addingTo: x,
                workspace: attentionWorkspace, tap: pass.tap, on: stream)
            try layer.crossNorm(x, into: x, on: stream)
            try layer.feedForward(x, hidden: hidden.rows(rows), addingTo: x, on: stream)
            try layer.feedForwardNorm(x, into: x, on: stream)
        }
    }

    func project(_ rows: Range<Int>, into logits: Tensor, on stream: CommandStream) throws {
        try stream.linear(
            x.tensor.rows(rows), weight: output.matrix, bias: outputBias.tensor, activation: .none, residual: nil, into: logits)
    }
}
