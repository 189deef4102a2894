import Compute
import NumberFormats
import Transformer

/// A decoder whose norms follow each block: BART's and Marian's, TrOCR's, and BERT's as BLIP has it.
struct PostNormDecoder: CrossDecoder {
    struct Layer {
        let selfAttention: Attention
        let selfNorm: LayerNorm
        let crossAttention: Attention
        let crossNorm: LayerNorm
        let feedForward: FeedForward
        let feedForwardNorm: LayerNorm
    }

    /// Tokens and positions → the first layer's input.
    struct Embedding {
        let tokens: Parameter
        let scale: Float
        let positions: PositionTable
        let norm: LayerNorm?
    }

    /// The last layer's output → logits.
    struct Head {
        /// A layer and a norm before the vocabulary (BERT's).
        struct Transform {
            let dense: Linear
            let activation: Activation
            let norm: LayerNorm
        }

        let transform: Transform?
        let output: Parameter
        let bias: Parameter?
    }

    private let embedding: Embedding
    private let layers: [Layer]
    private let head: Head
    /// Brings the source to the decoder's width, where it has another.
    private let bridge: SourceBridge?

    private let x: Slot
    private let hidden: Slot
    private let transformed: Slot?
    private let attentionWorkspace: Attention.Workspace

    /// - Parameters:
    ///   - size: the model's.
    ///   - hidden: of the feed-forwards.
    ///   - positions: there is memory for.
    init(
        embedding: Embedding, layers: [Layer], head: Head, bridge: SourceBridge? = nil, size: Int, hidden: Int,
        attention: AttentionShape,
        positions: Int, workspace: Workspace
    ) {
        self.embedding = embedding
        self.layers = layers
        self.head = head
        embedding.tokens.isReadEachStep = embedding.tokens === head.output
        self.bridge = bridge
        let rows = max(positions, DecodeStepper.maximumRows)
        x = workspace.reserve("tokens", rows: rows, columns: size, phase: "decoder")
        self.hidden = workspace.reserve("hidden", rows: rows, columns: hidden, phase: "decoder")
        transformed =
            head.transform == nil
            ? nil : workspace.reserve("transformed", rows: DecodeStepper.maximumRows, columns: size, phase: "decoder")
        attentionWorkspace = Attention.Workspace(workspace, rows: rows, shape: attention, phase: "decoder")
    }

    func remember(source: Tensor, in cache: KeyValueCache, on stream: CommandStream) throws {
        let source = try bridge.map { try $0(source, on: stream) } ?? source
        for layer in layers { try layer.crossAttention.remember(source: source, in: cache, on: stream) }
    }

    func prefill(_ tokens: Tensor, firstPosition: Int, _ pass: CrossDecoderPass) throws {
        let (count, stream) = (tokens.columns, pass.stream)
        let x = x.rows(count)
        try stream.embed(
            tokens: tokens, firstPosition: firstPosition, table: embedding.tokens.matrix, scale: embedding.scale,
            positions: embedding.positions.rows, into: x)
        try embedding.norm?(x, into: x, on: stream)
        for (index, layer) in layers.enumerated() {
            try pass.observe?(index, x)
            try layer.selfAttention.prefill(
                x, firstPosition: firstPosition, cache: pass.selfCache, addingTo: x, workspace: attentionWorkspace,
                tap: pass.tap, on: stream)
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
            step: step, rows: rows, table: embedding.tokens.matrix, scale: embedding.scale,
            positions: embedding.positions.rows, into: x)
        try embedding.norm?(x, into: x, on: stream)
        for layer in layers {
            try layer.selfAttention.decode(
                x, step: step, cache: pass.selfCache, addingTo: x, workspace: attentionWorkspace, tap: pass.tap,
                on: stream)
            try layer.selfNorm(x, into: x, on: stream)
            try layer.crossAttention.decodeSource(
                x, sourceCount: pass.sourceCount, mask: pass.sourceMask, step: step, cache: pass.crossCache,
                addingTo: x,
                workspace: attentionWorkspace, tap: pass.tap, on: stream)
            try layer.crossNorm(x, into: x, on: stream)
            try layer.feedForward(x, hidden: hidden.rows(rows), addingTo: x, on: stream)
            try layer.feedForwardNorm(x, into: x, on: stream)
        }
    }

    func project(_ rows: Range<Int>, into logits: Tensor, on stream: CommandStream) throws {
        var states = x.tensor.rows(rows)
        if let transform = head.transform, let transformed {
            let place = transformed.rows(rows.count)
            try transform.dense(states, activation: transform.activation, into: place, on: stream)
            try transform.norm(place, into: place, on: stream)
            states = place
        }
        try stream.linear(
            states, weight: head.output.matrix, bias: head.bias?.tensor, activation: .none, residual: nil, into: logits)
    }
}

extension PostNormDecoder {
    /// BART's, Marian's and TrOCR's decoder.
    /// - Parameter sourceSize: features of the source where they are others than the decoder's.
    init(
        _ scope: ParameterScope, embedding: Parameter, output: Parameter, outputBias: Parameter?,
        configuration c: PostNormConfiguration,
        sourceSize: Int? = nil, bridge: SourceBridge? = nil, workspace: Workspace
    ) {
        let positions = c.positionTable(scope)
        let norm = c.normalizesEmbedding ? LayerNorm(scope("layernorm_embedding"), size: c.size) : nil
        let shape = c.attention(c.decoder)
        let layers = (0..<c.decoder.layers).map { index in
            let layer = scope("layers.\(index)")
            return Layer(
                selfAttention: .selfAttention(
                    layer("self_attn"), kind: .selfAttention, layer: index, size: c.size, shape: shape),
                selfNorm: LayerNorm(layer("self_attn_layer_norm"), size: c.size),
                crossAttention: .crossAttention(
                    layer("encoder_attn"), layer: index, size: c.size, sourceSize: sourceSize ?? c.size, shape: shape),
                crossNorm: LayerNorm(layer("encoder_attn_layer_norm"), size: c.size),
                feedForward: FeedForward(layer, size: c.size, hidden: c.decoder.hidden, activation: c.activation),
                feedForwardNorm: LayerNorm(layer("final_layer_norm"), size: c.size))
        }
        self.init(
            embedding: Embedding(tokens: embedding, scale: c.embeddingScale, positions: positions, norm: norm),
            layers: layers,
            head: Head(transform: nil, output: output, bias: outputBias), bridge: bridge, size: c.size,
            hidden: c.decoder.hidden,
            attention: shape, positions: c.positions, workspace: workspace)
    }
}

/// A linear layer between an encoder and a decoder of another width.
struct SourceBridge {
    private let linear: Linear
    private let place: Slot

    /// - Parameter phase: of the workspace, in which the encoder's output lives.
    init(_ scope: ParameterScope, inputs: Int, outputs: Int, rows: Int, workspace: Workspace, phase: String) {
        linear = Linear(scope, inputs: inputs, outputs: outputs)
        place = workspace.reserve("source", rows: rows, columns: outputs, phase: phase)
    }

    /// `[rows, inputs]` → `[rows, outputs]`
    func callAsFunction(_ source: Tensor, on stream: CommandStream) throws -> Tensor {
        let out = place.rows(source.rows)
        try linear(source, into: out, on: stream)
        return out
    }
}
