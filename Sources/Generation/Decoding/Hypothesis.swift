import Formats

/// A token that a search decided on, with what was known when it did.
public struct DecodedToken: Sendable {
    public let id: Int
    /// Natural log of its probability after the processors, before temperature and the other filters.
    public let logProbability: Float
    /// The likeliest tokens at this place, best first.
    public let alternatives: [(id: Int, logProbability: Float)]
    /// Attention of the row that produced it, one entry per watched layer, one query each.
    public let attention: [AttentionWeights]

    public init(id: Int, logProbability: Float, alternatives: [(id: Int, logProbability: Float)] = [], attention: [AttentionWeights] = []) {
        self.id = id
        self.logProbability = logProbability
        self.alternatives = alternatives
        self.attention = attention
    }
}

extension DecodedToken {
    var withoutAttention: DecodedToken { DecodedToken(id: id, logProbability: logProbability, alternatives: alternatives) }
}

/// A continuation of the prompt.
public struct Hypothesis: Sendable {
    /// All decisions, oldest first.
    public private(set) var tokens: [DecodedToken] = []
    /// The generated ids, end token included.
    public private(set) var ids: [Int] = []
    public private(set) var sumLogProbability: Double = 0
    /// Ended with an end token (not by running out of room).
    public internal(set) var isFinished = false

    init() {}

    mutating func append(_ token: DecodedToken) {
        tokens.append(token)
        ids.append(token.id)
        sumLogProbability += Double(token.logProbability)
    }

    func appending(_ token: DecodedToken) -> Hypothesis {
        var longer = self
        longer.append(token)
        return longer
    }

    /// The decisions without a closing end token.
    public var textTokens: ArraySlice<DecodedToken> { isFinished ? tokens.dropLast() : tokens[...] }

    /// The ids without a closing end token.
    public var textIDs: [Int] { isFinished ? Array(ids.dropLast()) : ids }
}

/// What every search is asked.
public struct SearchRequest: Sendable {
    public var prompt: [Int]
    /// Tokens behind the prompt that count as generated: an answer that is taken up again.
    public var answerPrefix: [Int] = []
    public var processors: [any LogitsProcessor]
    public var endTokens: Set<Int>
    public var maximumNewTokens: Int
    /// How many alternatives to keep for each token.
    public var alternatives: Int
    /// Prompt rows whose logits are wanted.
    public var logitRows: [Int]
    /// Keep captured attention with the tokens of the result. A caller that takes it from the stream turns this off: all
    /// heads of a large model are megabytes a token.
    public var keepsAttention = true

    public init(
        prompt: [Int], processors: [any LogitsProcessor] = [], endTokens: Set<Int>, maximumNewTokens: Int, alternatives: Int = 0,
        logitRows: [Int] = []
    ) {
        self.prompt = prompt
        self.processors = processors
        self.endTokens = endTokens
        self.maximumNewTokens = maximumNewTokens
        self.alternatives = alternatives
        self.logitRows = logitRows
    }

    /// All that the decoder reads before the first new token.
    var start: [Int] { prompt + answerPrefix }

    /// What processors see when `ids` have been generated.
    func context(_ ids: [Int]) -> TokenContext { TokenContext(prompt: prompt, generated: answerPrefix + ids) }
}

/// What a search found.
public struct SearchResult: Sendable {
    /// Best first where the search ranks them.
    public var hypotheses: [Hypothesis] = []
    /// The score of each hypothesis, as the search's rule defines it.
    public var scores: [Double] = []
    public var promptLogits: [Int: [Float]] = [:]
    public var prefillSeconds = 0.0
    public var decodeSeconds = 0.0
    /// Cut short by the caller.
    public var wasCancelled = false
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
