import AttentionTypes

/// What happens while a model answers, in order; the screen and the scripts live on this stream alone.
package enum GenerationEvent: Sendable, Codable {
    /// A stretch of input is about to be encoded (a 30-second window of sound; later a picture or a text). Comes a second
    /// time for the same window when its language was detected.
    case inputPrepared(PreparedInput)
    /// The encoder ran.
    case encoded(seconds: Double)
    case token(GeneratedToken)
    /// The tokens of the current window after the first `keeping` were thrown away: they are about to be decoded again
    /// (Whisper's temperature fall-back, an unfinished sentence at a window's end), or were said into silence. `reason` is
    /// for people.
    case discarded(keeping: Int, reason: String)
    /// The conversation is longer than the model's context: its oldest messages after the system prompt, so many, are not
    /// shown to the model. Comes before the first token.
    case contextShortened(droppedMessages: Int)
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
        logProbability: Float, alternatives: [TokenAlternative] = [], attention: [AttentionWeights] = []
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

/// How an answer ended.
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
    /// Tokens of the prompt, and how many of them had to run: the rest was known from the turn before.
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
