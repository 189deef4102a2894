import Formats

/// What happens while a model answers, in order; the screen and the scripts live on this stream alone.
public enum GenerationEvent: Sendable {
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
public struct GeneratedToken: Sendable {
    /// Position among the tokens of this answer, from 0.
    public let index: Int
    /// The window of the input it was decoded in (0 where there is only one).
    public let window: Int
    public let id: Int
    /// The text that this token completes: whole UTF-8 characters only, so it may be empty, or hold a character
    /// begun by earlier tokens. Untrusted: control characters are still in it.
    public let text: String
    /// The token as the vocabulary spells it, for display of special tokens.
    public let piece: String
    public let isSpecial: Bool
    /// Seconds from the start of the recording, for timestamp tokens.
    public let timestamp: Double?
    /// Natural log of the probability the model gave this token.
    public let logProbability: Float
    /// The most likely tokens at this place, best first.
    public let alternatives: [TokenAlternative]
    /// Captured attention of this step, one entry per watched layer, one query row each.
    public let attention: [AttentionWeights]

    public init(
        index: Int, window: Int = 0, id: Int, text: String, piece: String, isSpecial: Bool = false, timestamp: Double? = nil,
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
public struct TokenAlternative: Sendable, Hashable {
    public let id: Int
    public let piece: String
    public let logProbability: Float

    public init(id: Int, piece: String, logProbability: Float) {
        self.id = id
        self.piece = piece
        self.logProbability = logProbability
    }
}

/// A word and when it was said.
public struct TimedWord: Sendable, Hashable, Codable {
    public let text: String
    /// Seconds from the start of the recording.
    public let start: Double
    public let end: Double
    /// Mean probability of the word's tokens.
    public let probability: Float

    public init(text: String, start: Double, end: Double, probability: Float) {
        self.text = text
        self.start = start
        self.end = end
        self.probability = probability
    }
}

/// A stretch of transcript between two timestamps.
public struct TranscriptSegment: Sendable, Hashable, Codable {
    public let index: Int
    public let start: Double
    public let end: Double
    public let text: String
    public let tokens: [Int]
    public let temperature: Float
    public let averageLogProbability: Float
    public let compressionRatio: Float
    public let noSpeechProbability: Float
    /// Filled when word times were asked for.
    public let words: [TimedWord]?

    public init(
        index: Int, start: Double, end: Double, text: String, tokens: [Int], temperature: Float, averageLogProbability: Float,
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
public enum FinishReason: String, Sendable, Codable {
    case endOfText, lengthLimit, stopString, cancelled
}

/// The figures of a finished answer.
public struct GenerationSummary: Sendable {
    public let reason: FinishReason
    public let tokens: Int
    public let encodeSeconds: Double
    public let prefillSeconds: Double
    public let decodeSeconds: Double
    /// Tokens of the prompt, and how many of them had to run: the rest was known from the turn before.
    public let promptTokens: Int
    public let prefilledTokens: Int

    public init(
        reason: FinishReason, tokens: Int, encodeSeconds: Double, prefillSeconds: Double, decodeSeconds: Double, promptTokens: Int = 0,
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

    public var tokensPerSecond: Double { decodeSeconds > 0 ? Double(tokens) / decodeSeconds : 0 }
}
