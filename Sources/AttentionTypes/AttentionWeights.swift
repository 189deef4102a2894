/// Kind of attention: the place in a model where an attention matrix is computed.
package enum AttentionKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Self-attention of an encoder over its own input (source words, audio frames).
    case encoder
    /// Self-attention of a vision tower over image patches.
    case vision
    /// Causal self-attention of a decoder over the tokens so far.
    case selfAttention = "self"
    /// Attention of a decoder to an encoder's output, or to picture features.
    case cross
}

/// The attention of one layer in one step, after softmax, exactly as the layer used it.
package struct AttentionWeights: Sendable, Hashable {
    package let kind: AttentionKind
    /// Index of the layer in its stack.
    package let layer: Int
    package let heads: Int
    package let queries: Int
    package let keys: Int
    /// `[heads, queries, keys]`, row-major. Each row sums to 1.
    package let values: [Float]

    package init(kind: AttentionKind, layer: Int, heads: Int, queries: Int, keys: Int, values: [Float]) {
        precondition(values.count == heads * queries * keys, "attention values do not fit [heads, queries, keys]")
        self.kind = kind
        self.layer = layer
        self.heads = heads
        self.queries = queries
        self.keys = keys
        self.values = values
    }

    /// The weights of one head's query, `[keys]`.
    package func row(head: Int, query: Int) -> ArraySlice<Float> {
        let start = (head * queries + query) * keys
        return values[start..<start + keys]
    }
}
