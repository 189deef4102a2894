import AttentionTypes

/// A token that a search decided on, with its probability, alternatives and attention.
package struct DecodedToken: Sendable {
    package let id: Int
    /// Natural log of its probability after the processors, before temperature and the other filters.
    package let logProbability: Float
    /// The likeliest tokens at this place, best first.
    package let alternatives: [(id: Int, logProbability: Float)]
    /// Attention of the row that produced it, one entry per watched layer, one query each.
    package let attention: [AttentionWeights]

    package init(
        id: Int, logProbability: Float, alternatives: [(id: Int, logProbability: Float)] = [],
        attention: [AttentionWeights] = []
    ) {
        self.id = id
        self.logProbability = logProbability
        self.alternatives = alternatives
        self.attention = attention
    }
}

extension DecodedToken {
    var withoutAttention: DecodedToken {
        DecodedToken(id: id, logProbability: logProbability, alternatives: alternatives)
    }
}

/// A continuation of the prompt.
package struct Hypothesis: Sendable {
    /// All tokens, oldest first.
    package private(set) var tokens: [DecodedToken] = []
    /// The generated ids, end token included.
    package private(set) var ids: [Int] = []
    package private(set) var sumLogProbability: Double = 0
    /// Ended with an end token (not by running out of room).
    package internal(set) var isFinished = false

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
    package var textTokens: ArraySlice<DecodedToken> { isFinished ? tokens.dropLast() : tokens[...] }

    /// The ids without a closing end token.
    package var textIDs: [Int] { isFinished ? Array(ids.dropLast()) : ids }
}

/// Input of a search.
package struct SearchRequest: Sendable {
    package var prompt: [Int]
    /// Tokens behind the prompt that count as generated: the beginning of an answer that is continued.
    package var answerPrefix: [Int] = []
    package var processors: [any LogitsProcessor]
    package var endTokens: Set<Int>
    package var maximumNewTokens: Int
    /// Number of alternatives kept for each token.
    package var alternatives: Int
    /// Prompt rows whose logits are wanted.
    package var logitRows: [Int]
    /// Keep captured attention with the tokens of the result. A caller that takes it from the stream turns this off: all
    /// heads of a large model are megabytes a token.
    package var keepsAttention = true

    package init(
        prompt: [Int], processors: [any LogitsProcessor] = [], endTokens: Set<Int>, maximumNewTokens: Int,
        alternatives: Int = 0,
        logitRows: [Int] = []
    ) {
        self.prompt = prompt
        self.processors = processors
        self.endTokens = endTokens
        self.maximumNewTokens = maximumNewTokens
        self.alternatives = alternatives
        self.logitRows = logitRows
    }

    /// All tokens before the first new one.
    var start: [Int] { prompt + answerPrefix }

    /// Context for the processors after `ids` were generated.
    func context(_ ids: [Int]) -> TokenContext { TokenContext(prompt: prompt, generated: answerPrefix + ids) }
}

/// Result of a search.
package struct SearchResult: Sendable {
    /// Best first where the search ranks them.
    package var hypotheses: [Hypothesis] = []
    /// The score of each hypothesis, as the search's rule defines it.
    package var scores: [Double] = []
    package var promptLogits: [Int: [Float]] = [:]
    package var prefillSeconds = 0.0
    package var decodeSeconds = 0.0
    /// Cut short by the caller.
    package var wasCancelled = false
}

extension Duration {
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
