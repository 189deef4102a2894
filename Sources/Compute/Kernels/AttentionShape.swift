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
    /// Keys 0..<spanEnd are seen by all queries, whatever `causalOffset` says, which then only places the window: tokens of a
    /// picture that attend both ways.
    package var spanEnd: Int?
    /// Number of keys that a query sees at most, its own included (Beltagy et al. 2020); with `causalOffset` c query i sees
    /// none before c + i + 1 − window.
    package var window: Int?
    /// Bound of the scores: cap · tanh(score / cap), before a bias is added (Gemma 2).
    package var scoreCap: Float?

    package init(
        heads: Int, keyValueHeads: Int? = nil, headDimension: Int, scale: Float? = nil, causalOffset: Int? = nil,
        window: Int? = nil, scoreCap: Float? = nil
    ) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads ?? heads
        self.headDimension = headDimension
        self.scale = scale ?? 1 / Float(headDimension).squareRoot()
        self.causalOffset = causalOffset
        self.window = window
        self.scoreCap = scoreCap
    }
}

extension AttentionShape {
    /// Constants `WINDOW` and `CAP` of the attention kernels.
    var limits: [UInt32] { [UInt32(window ?? 0), (scoreCap ?? 0).bitPattern] }
    /// True where query i sees the keys up to its own.
    var isCausal: Bool { causalOffset != nil && spanEnd == nil }
    /// Of `count` keys, those that some query sees.
    func visible(of count: Int) -> Int { min(spanEnd ?? count, count) }
}

/// Number of keys a decode step attends to.
package enum KeyCount: Sendable, Hashable {
    /// The same in every step (cross-attention).
    case fixed(Int)
    /// `StepState.keyCount`, which grows from step to step (self-attention).
    case step
}
