import Compute
import NumberFormats

/// One layer of a vision transformer: self-attention among patches, then a feed-forward, each behind a layer norm and
/// added to what came in.
package struct VisionLayer {
    package let attentionNorm: LayerNorm
    package let attention: Attention
    package let feedForwardNorm: LayerNorm
    package let feedForward: FeedForward
    private let feedForwardGate: Gate?

    /// What a layer's parts are called in a checkpoint, below the layer's own name.
    package struct Names: Sendable {
        /// How query, key and value are stored.
        package enum Projections: Sendable {
            /// As three layers; those without a bias in the file have none.
            case separate(Attention.Names)
            /// As one layer whose outputs are query, key and value one after another.
            case fused(String, output: String)
        }

        package var attentionNorm: String
        package var attention: Projections
        package var feedForwardNorm: String
        package var feedForward: (String, String)
        /// Gates before what attention and feed-forward contribute; none in most models.
        package var gates: (attention: String, feedForward: String)?

        package init(
            attentionNorm: String, attention: Projections, feedForwardNorm: String, feedForward: (String, String),
            gates: (attention: String, feedForward: String)? = nil
        ) {
            self.attentionNorm = attentionNorm
            self.attention = attention
            self.feedForwardNorm = feedForwardNorm
            self.feedForward = feedForward
            self.gates = gates
        }

        /// CLIP's and SigLIP's.
        package static let clip = Names(
            attentionNorm: "layer_norm1",
            attention: .separate(
                .init(
                    query: "self_attn.q_proj", key: "self_attn.k_proj", value: "self_attn.v_proj",
                    output: "self_attn.out_proj")),
            feedForwardNorm: "layer_norm2", feedForward: ("mlp.fc1", "mlp.fc2"))

        /// BLIP's: CLIP's with query, key and value in one.
        package static let blip = Names(
            attentionNorm: "layer_norm1", attention: .fused("self_attn.qkv", output: "self_attn.projection"),
            feedForwardNorm: "layer_norm2", feedForward: ("mlp.fc1", "mlp.fc2"))

        /// ViT's and DeiT's; TrOCR's have no bias on query, key and value.
        package static let vit = Names(
            attentionNorm: "layernorm_before",
            attention: .separate(
                .init(
                    query: "attention.attention.query", key: "attention.attention.key",
                    value: "attention.attention.value",
                    output: "attention.output.dense",
                    withoutBias: ["attention.attention.query", "attention.attention.key", "attention.attention.value"])),
            feedForwardNorm: "layernorm_after", feedForward: ("intermediate.dense", "output.dense"))
    }

    /// The sizes all layers of a stack share.
    package struct Shape: Sendable, Hashable {
        package var size: Int
        package var heads: Int
        package var hidden: Int
        package var epsilon: Float
        package var activation: Activation

        package init(size: Int, heads: Int, hidden: Int, epsilon: Float, activation: Activation) {
            self.size = size
            self.heads = heads
            self.hidden = hidden
            self.epsilon = epsilon
            self.activation = activation
        }

        package var attention: AttentionShape { AttentionShape(heads: heads, headDimension: size / heads) }
    }

    package init(_ scope: ParameterScope, index: Int, shape: Shape, names: Names) {
        let additions = Attention.Additions(gate: names.gates.map { Gate(scope, $0.attention) })
        feedForwardGate = names.gates.map { Gate(scope, $0.feedForward) }
        attentionNorm = LayerNorm(scope(names.attentionNorm), size: shape.size, epsilon: shape.epsilon)
        attention =
            switch names.attention {
            case .separate(let projections):
                .selfAttention(
                    scope, kind: .vision, layer: index, size: shape.size, shape: shape.attention, names: projections,
                    additions: additions)
            case .fused(let fused, let output):
                Attention(
                    kind: .vision, layer: index, shape: shape.attention,
                    fused: Linear(scope(fused), inputs: shape.size, outputs: 3 * shape.size),
                    output: Linear(scope(output), inputs: shape.size, outputs: shape.size), additions: additions)
            }
        feedForwardNorm = LayerNorm(scope(names.feedForwardNorm), size: shape.size, epsilon: shape.epsilon)
        feedForward = FeedForward(
            scope, names: names.feedForward, size: shape.size, hidden: shape.hidden, activation: shape.activation)
    }

    /// Scratch that the layers of a stack share.
    package struct Workspace {
        /// `[rows, size]`
        package let normalized: Slot
        /// `[rows, hidden]`
        package let hidden: Slot
        package let attention: Attention.Workspace

        /// - Parameter hasGates: whether some layer of the stack has gates.
        package init(_ workspace: Transformer.Workspace, rows: Int, shape: Shape, phase: String, hasGates: Bool = false)
        {
            normalized = workspace.reserve("normalized", rows: rows, columns: shape.size, phase: phase)
            hidden = workspace.reserve("hidden", rows: rows, columns: shape.hidden, phase: phase)
            attention = Attention.Workspace(
                workspace, rows: rows, shape: shape.attention, phase: phase, gatedSize: hasGates ? shape.size : nil)
        }
    }

    /// Runs one sequence, x `[rows, size]` in place: every row attends to every row, but for what `masks` exclude.
    package func callAsFunction(
        _ x: Tensor, masks: [MaskRun]? = nil, workspace: Workspace, tap: AttentionTap, on stream: CommandStream
    ) throws {
        let normalized = workspace.normalized.rows(x.rows)
        try attentionNorm(x, into: normalized, on: stream)
        try attention.encode(
            normalized, masks: masks, addingTo: x, workspace: workspace.attention, tap: tap, on: stream)
        try feedForwardNorm(x, into: normalized, on: stream)
        let hidden = workspace.hidden.rows(x.rows)
        guard let feedForwardGate else { return try feedForward(normalized, hidden: hidden, addingTo: x, on: stream) }
        guard let block = workspace.attention.block?.rows(x.rows) else {
            preconditionFailure("the workspace has no place for a gated block")
        }
        try feedForward(normalized, hidden: hidden, residual: nil, into: block, on: stream)
        try feedForwardGate(block, addingTo: x, on: stream)
    }
}
