import Compute
import NumberFormats
import Transformer

// The layers that BART (Lewis et al. 2020) and Marian (Junczys-Dowmunt et al. 2018) share: the transformer of Vaswani
// et al. 2017, whose norms follow each block. Reference: transformers' modeling_bart and modeling_marian.

/// A table of positions, of which the first rows may stand for nothing.
struct PositionTable {
    private let parameter: Parameter
    private let first: Int

    init(_ parameter: Parameter, first: Int = 0) {
        self.parameter = parameter
        self.first = first
    }

    /// The rows from position 0 on. The table must be loaded.
    var rows: Tensor { parameter.tensor.rows(first..<parameter.rows) }
}

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
    private let positions: PositionTable
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
            positions: positions.rows, into: x)
        try embeddingNorm?(x, into: x, on: stream)
        for (index, layer) in layers.enumerated() {
            try pass.observe?(index, x)
            try layer.attention.encode(
                x, bias: bias, addingTo: x, workspace: attentionWorkspace, tap: pass.tap, on: stream)
            try layer.attentionNorm(x, into: x, on: stream)
            try layer.feedForward(x, hidden: hidden.rows(count), addingTo: x, on: stream)
            try layer.feedForwardNorm(x, into: x, on: stream)
        }
        try pass.observe?(layers.count, x)
        return x
    }
}
