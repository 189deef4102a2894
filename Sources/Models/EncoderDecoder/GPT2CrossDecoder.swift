import Compute
import NumberFormats
import Transformer

/// GPT-2 with cross-attention between its own attention and its feed-forward (`add_cross_attention`).
struct GPT2CrossDecoder: CrossDecoder {
    private struct Layer {
        let selfNorm: LayerNorm
        let selfAttention: Attention
        let crossNorm: LayerNorm
        let crossAttention: Attention
        let feedForwardNorm: LayerNorm
        let feedForward: FeedForward
    }

    private let embedding: Parameter
    private let positions: Parameter
    private let layers: [Layer]
    private let norm: LayerNorm
    private let output: Parameter
    /// Brings the source to the decoder's width, where it has another.
    private let bridge: SourceBridge?

    private let x: Slot
    private let normalized: Slot
    private let hidden: Slot
    private let attentionWorkspace: Attention.Workspace

    /// - Parameter root: what holds `transformer` in the checkpoint.
    init(_ root: ParameterScope, configuration c: GPT2.Configuration, bridge: SourceBridge?, workspace: Workspace) {
        self.bridge = bridge
        let scope = root("transformer")
        embedding = scope.matrix("wte.weight", outputs: c.vocabulary, inputs: c.size)
        positions = scope.table("wpe.weight", rows: c.positions, columns: c.size)
        func norm(_ scope: ParameterScope) -> LayerNorm { LayerNorm(scope, size: c.size, epsilon: c.epsilon) }
        layers = (0..<c.layers).map { index in
            let layer = scope("h.\(index)")
            let (own, cross, feedForward) = (layer("attn"), layer("crossattention"), layer("mlp"))
            return Layer(
                selfNorm: norm(layer("ln_1")),
                selfAttention: Attention(
                    kind: .selfAttention, layer: index, shape: c.attentionShape(layer: index),
                    fused: Linear(transposed: own("c_attn"), inputs: c.size, outputs: 3 * c.size),
                    output: Linear(transposed: own("c_proj"), inputs: c.size, outputs: c.size)),
                crossNorm: norm(layer("ln_cross_attn")),
                crossAttention: Attention(
                    layer: index, shape: c.attentionShape(layer: index),
                    query: Linear(transposed: cross("q_attn"), inputs: c.size, outputs: c.size),
                    keyValue: Linear(transposed: cross("c_attn"), inputs: c.size, outputs: 2 * c.size),
                    output: Linear(transposed: cross("c_proj"), inputs: c.size, outputs: c.size)),
                feedForwardNorm: norm(layer("ln_2")),
                feedForward: FeedForward(
                    expand: Linear(transposed: feedForward("c_fc"), inputs: c.size, outputs: c.hidden),
                    contract: Linear(transposed: feedForward("c_proj"), inputs: c.hidden, outputs: c.size),
                    hidden: c.hidden,
                    activation: c.activation))
        }
        self.norm = norm(scope("ln_f"))
        output = c.isTied ? embedding : root.matrix("lm_head.weight", outputs: c.vocabulary, inputs: c.size)
        embedding.isReadEachStep = c.isTied
        let rows = max(c.positions, DecodeStepper.maximumRows)
        let phase = "decoder"
        x = workspace.reserve("tokens", rows: rows, columns: c.size, phase: phase)
        normalized = workspace.reserve("normalized", rows: rows, columns: c.size, phase: phase)
        hidden = workspace.reserve("hidden", rows: rows, columns: c.hidden, phase: phase)
        attentionWorkspace = Attention.Workspace(workspace, rows: rows, shape: c.attentionShape(layer: 0), phase: phase)
    }

    func remember(source: Tensor, in cache: KeyValueCache, on stream: CommandStream) throws {
        let source = try bridge.map { try $0(source, on: stream) } ?? source
        for layer in layers { try layer.crossAttention.remember(source: source, in: cache, on: stream) }
    }

    func prefill(_ tokens: Tensor, firstPosition: Int, _ pass: CrossDecoderPass) throws {
        let (count, stream) = (tokens.columns, pass.stream)
        let (x, normalized) = (x.rows(count), normalized.rows(count))
        try stream.embed(
            tokens: tokens, firstPosition: firstPosition, table: embedding.matrix, positions: positions.tensor, into: x)
        for (index, layer) in layers.enumerated() {
            try pass.observe?(index, x)
            try layer.selfNorm(x, into: normalized, on: stream)
            try layer.selfAttention.prefill(
                normalized, firstPosition: firstPosition, cache: pass.selfCache, addingTo: x,
                workspace: attentionWorkspace, tap: pass.tap,
                on: stream)
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
        let (x, normalized) = (x.rows(rows), normalized.rows(rows))
        try stream.embed(step: step, rows: rows, table: embedding.matrix, positions: positions.tensor, into: x)
        for layer in layers {
            try layer.selfNorm(x, into: normalized, on: stream)
            try layer.selfAttention.decode(
                normalized, step: step, cache: pass.selfCache, addingTo: x, workspace: attentionWorkspace,
                tap: pass.tap, on: stream)
            try layer.crossNorm(x, into: normalized, on: stream)
            try layer.crossAttention.decodeSource(
                normalized, sourceCount: pass.sourceCount, mask: pass.sourceMask, step: step, cache: pass.crossCache,
                addingTo: x,
                workspace: attentionWorkspace, tap: pass.tap, on: stream)
            try layer.feedForwardNorm(x, into: normalized, on: stream)
            try layer.feedForward(normalized, hidden: hidden.rows(rows), addingTo: x, on: stream)
        }
        try norm(x, into: normalized, on: stream)
    }

    func project(_ rows: Range<Int>, into logits: Tensor, on stream: CommandStream) throws {
        try stream.linear(
            normalized.tensor.rows(rows), weight: output.matrix, bias: nil, activation: .none, residual: nil,
            into: logits)
    }
}
