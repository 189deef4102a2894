/// The tokens a processor may look at.
public struct TokenContext: Sendable {
    /// The decoder's prompt.
    public let prompt: [Int]
    /// What was generated since, by one hypothesis.
    public let generated: [Int]

    public init(prompt: [Int] = [], generated: [Int] = []) {
        self.prompt = prompt
        self.generated = generated
    }
}

/// Changes logits before a token is chosen: -∞ removes a token.
public protocol LogitsProcessor: Sendable {
    /// - Parameter logits: `[vocabulary]`, changed in place.
    func process(_ logits: inout [Float], context: TokenContext)
}

extension [any LogitsProcessor] {
    /// Applies all in order.
    public func process(_ logits: inout [Float], context: TokenContext) {
        for processor in self { processor.process(&logits, context: context) }
    }
}

// MARK: - lists of forbidden tokens

/// Removes tokens at every step.
public struct SuppressTokens: LogitsProcessor {
    public let tokens: [Int]

    public init(_ tokens: [Int]) { self.tokens = tokens }

    public func process(_ logits: inout [Float], context: TokenContext) {
        for token in tokens where logits.indices.contains(token) { logits[token] = -.infinity }
    }
}

/// Removes tokens at the first generated place only.
public struct SuppressTokensAtBegin: LogitsProcessor {
    public let tokens: [Int]

    public init(_ tokens: [Int]) { self.tokens = tokens }

    public func process(_ logits: inout [Float], context: TokenContext) {
        guard context.generated.isEmpty else { return }
        for token in tokens where logits.indices.contains(token) { logits[token] = -.infinity }
    }
}

/// Leaves nothing but some tokens at the first generated place: the language tag of multilingual translation models.
public struct ForceTokenAtBegin: LogitsProcessor {
    public let tokens: [Int]

    public init(_ tokens: [Int]) { self.tokens = tokens }

    public func process(_ logits: inout [Float], context: TokenContext) {
        guard context.generated.isEmpty else { return }
        let kept = tokens.filter(logits.indices.contains).map { (id: $0, value: max(logits[$0], -1e4)) }
        for index in logits.indices { logits[index] = -.infinity }
        for (id, value) in kept { logits[id] = value }
    }
}

// MARK: - against repetition

/// Divides the positive logits of tokens seen before by the penalty and multiplies the negative ones, once per token,
/// prompt included (Keskar et al., "CTRL", 2019; as transformers).
public struct RepetitionPenalty: LogitsProcessor {
    public let penalty: Float

    public init(_ penalty: Float) { self.penalty = penalty }

    public func process(_ logits: inout [Float], context: TokenContext) {
        for token in Set(context.prompt).union(context.generated) where logits.indices.contains(token) {
            logits[token] = logits[token] < 0 ? logits[token] * penalty : logits[token] / penalty
        }
    }
}

/// Subtracts `presence` once and `frequency` per occurrence from the logits of tokens generated so far (the penalties of
/// the OpenAI API; the prompt does not count).
public struct PresenceFrequencyPenalty: LogitsProcessor {
    public let presence: Float
    public let frequency: Float

    public init(presence: Float, frequency: Float) {
        self.presence = presence
        self.frequency = frequency
    }

    public func process(_ logits: inout [Float], context: TokenContext) {
        var counts: [Int: Float] = [:]
        for token in context.generated { counts[token, default: 0] += 1 }
        for (token, count) in counts where logits.indices.contains(token) { logits[token] -= presence + frequency * count }
    }
}

/// Removes every token that would complete a run of `size` tokens that occurred before, prompt included.
public struct NoRepeatNGram: LogitsProcessor {
    public let size: Int

    public init(_ size: Int) { self.size = max(size, 1) }

    public func process(_ logits: inout [Float], context: TokenContext) {
        let tokens = context.prompt + context.generated
        guard tokens.count >= size else { return }
        let tail = tokens.suffix(size - 1)
        for start in 0...tokens.count - size where tokens[start..<start + size - 1].elementsEqual(tail) {
            let token = tokens[start + size - 1]
            if logits.indices.contains(token) { logits[token] = -.infinity }
        }
    }
}
