/// The form of an attention: heads, their size, scale, and what a query may see.
package struct AttentionShape: Sendable, Hashable {
    package var heads: Int
    /// Fewer than `heads` where groups of queries share keys and values (GQA).
    package var keyValueHeads: Int
    package var headDimension: Int
    /// Multiplies q·k before softmax.
    package var scale: Float
    /// With a value c, query i sees keys 0…c+i; without, it sees all keys.
    package var causalOffset: Int?

    package init(
        heads: Int, keyValueHeads: Int? = nil, headDimension: Int, scale: Float? = nil, causalOffset: Int? = nil
    ) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads ?? heads
        self.headDimension = headDimension
        self.scale = scale ?? 1 / Float(headDimension).squareRoot()
        self.causalOffset = causalOffset
    }
}

/// Number of keys a decode step attends to.
package enum KeyCount: Sendable, Hashable {
    /// The same in every step (cross-attention).
    case fixed(Int)
    /// `StepState.keyCount`, which grows from step to step (self-attention).
    case step
}
