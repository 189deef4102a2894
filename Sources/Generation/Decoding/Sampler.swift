import Compute
import Foundation

/// Options of choosing the next token. The defaults are greedy.
package struct SamplingOptions: Sendable, Hashable, Codable {
    /// 0 takes the likeliest token.
    package var temperature: Float = 0
    package var topK: Int?
    package var topP: Float?
    package var minP: Float?
    package var typicalP: Float?
    /// 1 is none.
    package var repetitionPenalty: Float = 1
    package var presencePenalty: Float = 0
    package var frequencyPenalty: Float = 0
    package var noRepeatNGram: Int?
    package var suppressed: [Int] = []
    /// nil draws another seed each time.
    package var seed: UInt64?

    package init() {}

    /// - Throws: ``GenerationError/invalidOption(name:value:allowed:)``.
    package func validate() throws {
        func check(_ holds: Bool, _ name: String, _ value: some Any, _ allowed: String) throws {
            if !holds { throw GenerationError.invalidOption(name: name, value: "\(value)", allowed: allowed) }
        }
        try check(temperature >= 0 && temperature.isFinite, "temperature", temperature, "0 or more")
        try check(topK.map { $0 > 0 } ?? true, "top-k", topK ?? 0, "1 or more")
        try check(topP.map { $0 > 0 && $0 <= 1 } ?? true, "top-p", topP ?? 0, "above 0, at most 1")
        try check(minP.map { $0 >= 0 && $0 <= 1 } ?? true, "min-p", minP ?? 0, "0 to 1")
        try check(typicalP.map { $0 > 0 && $0 <= 1 } ?? true, "typical-p", typicalP ?? 0, "above 0, at most 1")
        try check(
            repetitionPenalty > 0 && repetitionPenalty.isFinite, "repetition penalty", repetitionPenalty, "above 0")
        try check(presencePenalty.isFinite, "presence penalty", presencePenalty, "a number")
        try check(frequencyPenalty.isFinite, "frequency penalty", frequencyPenalty, "a number")
        try check(noRepeatNGram.map { $0 > 0 } ?? true, "no-repeat n-gram", noRepeatNGram ?? 0, "1 or more")
    }

    /// Penalties and lists: they change what the model is taken to have said, so log-probabilities come after them.
    package var processors: [any LogitsProcessor] {
        var chain: [any LogitsProcessor] = []
        if repetitionPenalty != 1 { chain.append(RepetitionPenalty(repetitionPenalty)) }
        if presencePenalty != 0 || frequencyPenalty != 0 {
            chain.append(PresenceFrequencyPenalty(presence: presencePenalty, frequency: frequencyPenalty))
        }
        if let noRepeatNGram { chain.append(NoRepeatNGram(noRepeatNGram)) }
        if !suppressed.isEmpty { chain.append(SuppressTokens(suppressed)) }
        return chain
    }

    /// True where the candidates of a row usually suffice to choose the token and to list `alternatives` others.
    func canUseCandidates(alternatives: Int) -> Bool {
        guard alternatives <= TokenCandidates.capacity else { return false }
        return temperature <= 0 ? processors.isEmpty : CandidateFilter(self) != nil
    }

    /// The filters of sampling, in transformers' order: temperature, top-k, top-p, min-p, typical. Empty when greedy.
    package var warpers: [any LogitsProcessor] {
        guard temperature > 0 else { return [] }
        var chain: [any LogitsProcessor] = []
        if temperature != 1 { chain.append(Temperature(temperature)) }
        if let topK { chain.append(TopK(topK)) }
        if let topP { chain.append(TopP(topP)) }
        if let minP { chain.append(MinP(minP)) }
        if let typicalP { chain.append(TypicalP(typicalP)) }
        return chain
    }
}

/// Chooses tokens.
package struct Sampler: Sendable {
    private let isGreedy: Bool
    private let warpers: [any LogitsProcessor]
    private let filter: CandidateFilter?
    private var random: RandomSource

    package init(_ options: SamplingOptions) {
        isGreedy = options.temperature <= 0
        warpers = options.warpers
        filter = CandidateFilter(options)
        random = RandomSource(seed: options.seed ?? .random(in: .min ... .max))
    }

    /// The chosen token; nil when none is left.
    ///
    /// - Parameter logits: `[vocabulary]` after the processors.
    package mutating func choose(_ logits: [Float], context: TokenContext) -> Int? {
        if isGreedy { return LogProbabilities.argmax(logits) }
        var warped = logits
        warpers.process(&warped, context: context)
        return Sampler.draw(warped, at: random.uniform())
    }

    /// The token that `choose(_:context:)` would pick from the full row, or `nil` if the candidates are not sufficient; no
    /// random number is drawn then.
    mutating func choose(_ row: TokenCandidates) -> Int? {
        if isGreedy { return row.ids.first }
        guard let (ids, logits) = filter?.survivors(of: row) else { return nil }
        return Sampler.draw(logits, at: random.uniform()).map { ids[$0] }
    }

    /// Skips random numbers, as if so many tokens had been chosen.
    package mutating func skip(_ count: Int) {
        guard !isGreedy else { return }
        for _ in 0..<count { _ = random.uniform() }
    }

    /// The token at which the cumulative probability passes `place` (0 ..< 1).
    static func draw(_ logits: [Float], at place: Double) -> Int? {
        guard let best = LogProbabilities.argmax(logits), logits[best].isFinite else { return nil }
        return logits.withUnsafeBufferPointer { logits in
            let top = logits[best]
            var total = 0.0
            for value in logits where value - top > -104 { total += Double(expf(value - top)) }
            var left = place * total
            for index in logits.indices where logits[index] - top > -104 {
                left -= Double(expf(logits[index] - top))
                if left < 0 { return index }
            }
            return best
        }
    }
}
