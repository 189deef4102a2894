import Compute

extension VisionTower {
    /// Names of a layer's parts in a checkpoint, below the layer's own name.
    package struct LayerNames: Sendable {
        /// Storage of query, key and value.
        package enum Projections: Sendable {
            /// Three layers.
            case separate(Attention.Names)
            /// One layer whose outputs are query, key and value one after another.
            case fused(String, output: String)
        }

        package var attentionNorm: String
        package var attention: Projections
        package var feedForwardNorm: String
        package var feedForward: (String, String)
        /// Gates before the outputs of attention and feed-forward; none in most models.
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
        package static let clip = LayerNames(
            attentionNorm: "layer_norm1",
            attention: .separate(
                .init(
                    query: "self_attn.q_proj", key: "self_attn.k_proj", value: "self_attn.v_proj",
                    output: "self_attn.out_proj")),
            feedForwardNorm: "layer_norm2", feedForward: ("mlp.fc1", "mlp.fc2"))

        /// BLIP's: CLIP's with query, key and value in one.
        package static let blip = LayerNames(
            attentionNorm: "layer_norm1", attention: .fused("self_attn.qkv", output: "self_attn.projection"),
            feedForwardNorm: "layer_norm2", feedForward: ("mlp.fc1", "mlp.fc2"))

        /// ViT's and DeiT's; TrOCR's have no bias on query, key and value.
        package static let vit = LayerNames(
            attentionNorm: "layernorm_before",
            attention: .separate(
                .init(
                    query: "attention.attention.query", key: "attention.attention.key",
                    value: "attention.attention.value",
                    output: "attention.output.dense",
                    optionalBiases: [
                        "attention.attention.query", "attention.attention.key", "attention.attention.value",
                    ])),
            feedForwardNorm: "layernorm_after", feedForward: ("intermediate.dense", "output.dense"))
    }

    /// Sizes that all layers of a tower share.
    package struct LayerShape: Sendable, Hashable {
        package var hiddenSize: Int
        package var heads: Int
        package var intermediateSize: Int
        package var epsilon: Float
        package var activation: Activation

        package init(hiddenSize: Int, heads: Int, intermediateSize: Int, epsilon: Float, activation: Activation) {
            self.hiddenSize = hiddenSize
            self.heads = heads
            self.intermediateSize = intermediateSize
            self.epsilon = epsilon
            self.activation = activation
        }

        package var attention: AttentionShape { AttentionShape(heads: heads, headDimension: hiddenSize / heads) }
    }
}

extension TransformerBlock {
    /// A block of a vision transformer: layer norms before self-attention and feed-forward.
    package static func vision(
        _ scope: ParameterScope, layer: Int, shape: VisionTower.LayerShape, names: VisionTower.LayerNames
    ) -> TransformerBlock {
        func norm(_ name: String) -> Norms {
            .pre(LayerNorm(scope(name), size: shape.hiddenSize, epsilon: shape.epsilon))
        }
        let attention =
            switch names.attention {
            case .separate(let projections):
                Attention.selfAttention(
                    scope, kind: .vision, layer: layer, hiddenSize: shape.hiddenSize, shape: shape.attention,
                    names: projections)
            case .fused(let fused, let output):
                Attention(
                    kind: .vision, layer: layer, shape: shape.attention,
                    fused: Linear(scope(fused), inputs: shape.hiddenSize, outputs: 3 * shape.hiddenSize),
                    output: Linear(scope(output), inputs: shape.hiddenSize, outputs: shape.hiddenSize))
            }
        return TransformerBlock(
            selfAttention: .init(
                attention, norms: norm(names.attentionNorm), gate: names.gates.map { Gate(scope, $0.attention) }),
            feedForward: .init(
                FeedForward(
                    scope, names: names.feedForward, hiddenSize: shape.hiddenSize,
                    intermediateSize: shape.intermediateSize, activation: shape.activation),
                norms: norm(names.feedForwardNorm), gate: names.gates.map { Gate(scope, $0.feedForward) }))
    }
}
