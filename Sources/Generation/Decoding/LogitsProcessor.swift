/// The tokens a processor may look at.
package struct TokenContext: Sendable {
    /// The decoder's prompt.
    package let prompt: [Int]
    /// Tokens that one hypothesis generated since.
    package let generated: [Int]

    package init(prompt: [Int] = [], generated: [Int] = []) {
        self.prompt = prompt
        self.generated = generated
    }
}

/// Changes logits before a token is chosen: -∞ removes a token.
package protocol LogitsProcessor: Sendable {
    /// - Parameter logits: `[vocabulary]`, changed in place.
    func process(_ logits: inout [Float], context: TokenContext)
}

extension [any LogitsProcessor] {
    /// Applies all in order.
    package func process(_ logits: inout [Float], context: TokenContext) {
        for processor in self { processor.process(&logits, context: context) }
    }
}

// MARK: - lists of forbidden tokens

/// Removes tokens at every step.
package struct SuppressTokens: LogitsProcessor {
    package let tokens: [Int]

    package init(_ tokens: [Int]) { self.tokens = tokens }

    package func process(_ logits: inout [Float], context: TokenContext) {
        for token in tokens where logits.indices.contains(token) { logits[token] = -.infinity }
    }
}

/// Removes tokens at the first generated place only.
package struct SuppressTokensAtBegin: LogitsProcessor {
    package let tokens: [Int]

    package init(_ tokens: [Int]) { self.tokens = tokens }

    package func process(_ logits: inout [Float], context: TokenContext) {
        guard context.generated.isEmpty else { return }
        for token in tokens where logits.indices.contains(token) { logits[token] = -.infinity }
    }
}

/// Leaves nothing but some tokens at the first generated place: the language tag of multilingual translation models.
package struct ForceTokenAtBegin: LogitsProcessor {
    package let tokens: [Int]

    package init(_ tokens: [Int]) { self.tokens = tokens }

    package func process(_ logits: inout [Float], context: TokenContext) {
        guard context.generated.isEmpty else { return }
        let kept = tokens.filter(logits.indices.contains).map { (id: $0, value: max(logits[$0], -1e4)) }
        for index in logits.indices { logits[index] = -.infinity }
        for (id, value) in kept { logits[id] = value }
    }
}

// MARK: - against repetition

/// Divides the positive logits of tokens seen before by the penalty and multiplies the negative ones, once per token,
/// prompt included (Keskar et al., "CTRL", 2019; as transformers).
package struct RepetitionPenalty: LogitsProcessor {
    package let penalty: Float

    package init(_ penalty: Float) { self.penalty = penalty }

    package func process(_ logits: inout [Float], context: TokenContext) {
        for token in Set(context.prompt).union(context.generated) where logits.indices.contains(token) {
            logits[token] = logits[token] < 0 ? logits[token] * penalty : logits[token] / penalty
        }
    }
}

/// Subtracts `presence` once and `frequency` per occurrence from the logits of tokens generated so far (the penalties of
/// the OpenAI API; the prompt does not count).
package struct PresenceFrequencyPenalty: LogitsProcessor {
    package let presence: Float
    package let frequency: Float

    package init(presence: Float, frequency: Float) {
        self.presence = presence
        self.frequency = frequency
    }

    package func process(_ logits: inout [Float], context: TokenContext) {
        var counts: [Int: Float] = [:]
        for token in context.generated { counts[token, default: 0] += 1 }
        for (token, count) in counts where logits.indices.contains(token) {
            logits[token] -= presence + frequency * count
        }
    }
}

/// Removes every token that would complete a run of `size` tokens that occurred before, prompt included.
package struct NoRepeatNGram: LogitsProcessor {
    package let size: Int

    package init(_ size: Int) { self.size = max(size, 1) }

    package func process(_ logits: inout [Float], context: TokenContext) {
        let tokens = context.prompt + context.generated
        guard tokens.count >= size else { return }
        let tail = tokens.suffix(size - 1)
        for start in 0...tokens.count - size where tokens[start..<start + size - 1].elementsEqual(tail) {
            let token = tokens[start + size - 1]
            if logits.indices.contains(token) { logits[token] = -.infinity }
        }
    }
}
