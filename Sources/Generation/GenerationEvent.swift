import AttentionTypes

/// Progress of an answer, in order; the only source for the screen and for scripts.
package enum GenerationEvent: Sendable, Codable {
    /// A piece of input before it is encoded: a 30-second window of sound, a picture, a text. Sent a second time for a window
    /// whose language was detected.
    case inputPrepared(PreparedInput)
    /// The encoder ran.
    case encoded(seconds: Double)
    case token(GeneratedToken)
    /// The tokens of the current window after the first `keeping` are discarded: they are decoded again (Whisper's
    /// temperature fallback, an unfinished sentence at a window's end), or were generated in silence. `reason` is a message.
    case discarded(keeping: Int, reason: String)
    /// The conversation is longer than the model's context: this many of its oldest messages after the system prompt are left
    /// out of the prompt. Sent before the first token.
    case contextShortened(droppedMessages: Int)
    /// The device was lost in an earlier answer: it was opened again and the model loaded again. Sent before anything else.
    case deviceReopened(name: String)
    /// A finished piece of transcript with its times.
    case segment(TranscriptSegment)
    case finished(GenerationSummary)
}

/// One generated token.
package struct GeneratedToken: Sendable, Codable {
    /// Position among the tokens of this answer, from 0.
    package let index: Int
    /// The window of the input it was decoded in (0 where there is only one).
    package let window: Int
    package let id: Int
    /// The text that this token completes: whole UTF-8 characters only, so it may be empty, or hold a character
    /// begun by earlier tokens. Untrusted: control characters are still in it.
    package let text: String
    /// The text that this token adds to the thoughts before the answer; no part of `text`. Untrusted, like it.
    package let thought: String?
    /// The token as the vocabulary spells it, for display of special tokens.
    package let piece: String
    package let isSpecial: Bool
    /// Seconds from the start of the recording, for timestamp tokens.
    package let timestamp: Double?
    /// Natural log of the probability the model gave this token.
    package let logProbability: Float
    /// The most likely tokens at this place, best first.
    package let alternatives: [TokenAlternative]
    /// Captured attention of this step, one entry per watched layer, one query row each.
    package let attention: [AttentionWeights]

    package init(
        index: Int, window: Int = 0, id: Int, text: String, piece: String, isSpecial: Bool = false,
        timestamp: Double? = nil,
        logProbability: Float, alternatives: [TokenAlternative] = [], attention: [AttentionWeights] = [],
        thought: String? = nil
    ) {
        self.index = index
        self.window = window
        self.id = id
        self.text = text
        self.piece = piece
        self.isSpecial = isSpecial
        self.timestamp = timestamp
        self.logProbability = logProbability
        self.alternatives = alternatives
        self.attention = attention
        self.thought = thought
    }

    /// A token at another place of an answer that has several parts.
    package init(_ token: GeneratedToken, index: Int, window: Int) {
        self.init(
            index: index, window: window, id: token.id, text: token.text, piece: token.piece,
            isSpecial: token.isSpecial, timestamp: token.timestamp, logProbability: token.logProbability,
            alternatives: token.alternatives, attention: token.attention, thought: token.thought)
    }

    /// The event of a search's decision.
    /// - Parameter spelling: vocabulary entries of tokens.
    package init(
        _ token: DecodedToken, index: Int, window: Int = 0, text: String, isSpecial: Bool, timestamp: Double? = nil,
        thought: String? = nil, spelling: (Int) -> String
    ) {
        self.init(
            index: index, window: window, id: token.id, text: text, piece: spelling(token.id), isSpecial: isSpecial,
            timestamp: timestamp, logProbability: token.logProbability,
            alternatives: token.alternatives.map {
                TokenAlternative(id: $0.id, piece: spelling($0.id), logProbability: $0.logProbability)
            }, attention: token.attention, thought: thought)
    }
}

/// A token the model might have chosen instead.
package struct TokenAlternative: Sendable, Hashable, Codable {
    package let id: Int
    package let piece: String
    package let logProbability: Float

    package init(id: Int, piece: String, logProbability: Float) {
        self.id = id
        self.piece = piece
        self.logProbability = logProbability
    }
}

/// A word and when it was said.
package struct TimedWord: Sendable, Hashable, Codable {
    package let text: String
    /// Seconds from the start of the recording.
    package let start: Double
    package let end: Double
    /// Mean probability of the word's tokens.
    package let probability: Float

    package init(text: String, start: Double, end: Double, probability: Float) {
        self.text = text
        self.start = start
        self.end = end
        self.probability = probability
    }
}

/// A stretch of transcript between two timestamps.
package struct TranscriptSegment: Sendable, Hashable, Codable {
    package let index: Int
    package let start: Double
    package let end: Double
    package let text: String
    package let tokens: [Int]
    package let temperature: Float
    package let averageLogProbability: Float
    package let compressionRatio: Float
    package let noSpeechProbability: Float
    /// Filled when word times were asked for.
    package let words: [TimedWord]?

    package init(
        index: Int, start: Double, end: Double, text: String, tokens: [Int], temperature: Float,
        averageLogProbability: Float,
        compressionRatio: Float, noSpeechProbability: Float, words: [TimedWord]? = nil
    ) {
        self.index = index
        self.start = start
        self.end = end
        self.text = text
        self.tokens = tokens
        self.temperature = temperature
        self.averageLogProbability = averageLogProbability
        self.compressionRatio = compressionRatio
        self.noSpeechProbability = noSpeechProbability
        self.words = words
    }
}

/// End of an answer.
package enum FinishReason: String, Sendable, Codable {
    case endOfText, lengthLimit, stopString, cancelled
}

/// The figures of a finished answer.
package struct GenerationSummary: Sendable, Codable {
    package let reason: FinishReason
    package let tokens: Int
    package let encodeSeconds: Double
    package let prefillSeconds: Double
    package let decodeSeconds: Double
    /// Tokens of the prompt, and those of them that had to run: the rest was cached from the turn before.
    package let promptTokens: Int
    package let prefilledTokens: Int

    package init(
        reason: FinishReason, tokens: Int, encodeSeconds: Double, prefillSeconds: Double, decodeSeconds: Double,
        promptTokens: Int = 0,
        prefilledTokens: Int = 0
    ) {
        self.reason = reason
        self.tokens = tokens
        self.encodeSeconds = encodeSeconds
        self.prefillSeconds = prefillSeconds
        self.decodeSeconds = decodeSeconds
        self.promptTokens = promptTokens
        self.prefilledTokens = prefilledTokens
    }

    package var tokensPerSecond: Double { decodeSeconds > 0 ? Double(tokens) / decodeSeconds : 0 }
}
