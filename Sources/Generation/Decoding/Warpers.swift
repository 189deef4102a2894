import Foundation

// The filters of sampling, in the order in which transformers applies them. Each keeps at least the likeliest token.

/// Divides the logits: below 1 sharpens, above 1 flattens.
package struct Temperature: LogitsProcessor {
    package let temperature: Float

    package init(_ temperature: Float) { self.temperature = temperature }

    package func process(_ logits: inout [Float], context: TokenContext) {
        guard temperature != 1 else { return }
        let temperature = temperature
        logits.withUnsafeMutableBufferPointer { logits in
            for index in logits.indices { logits[index] /= temperature }
        }
    }
}

/// Keeps the k likeliest tokens, and those equal to the k-th.
package struct TopK: LogitsProcessor {
    package let count: Int

    package init(_ count: Int) { self.count = max(count, 1) }

    package func process(_ logits: inout [Float], context: TokenContext) {
        guard count < logits.count else { return }
        logits.removeBelow(RankedSelection.value(rank: count, of: logits))
    }
}

/// Keeps the smallest set of likeliest tokens whose probabilities reach p (nucleus sampling, Holtzman et al. 2019).
package struct TopP: LogitsProcessor {
    package let mass: Float

    package init(_ mass: Float) { self.mass = mass }

    package func process(_ logits: inout [Float], context: TokenContext) {
        guard mass < 1 else { return }
        let normalizer = LogProbabilities.logSumExp(logits)
        var above = 0.0
        logits.keepDescending { _, value in
            guard above < Double(mass) || above == 0 else { return false }
            above += Double(expf(value - normalizer))
            return true
        }
    }
}

/// Keeps tokens at least `share` as likely as the likeliest (Nguyen et al., "Min-p", 2024).
package struct MinP: LogitsProcessor {
    package let share: Float

    package init(_ share: Float) { self.share = share }

    package func process(_ logits: inout [Float], context: TokenContext) {
        guard share > 0, let best = LogProbabilities.argmax(logits) else { return }
        let top = logits[best]
        let share = share
        logits.withUnsafeMutableBufferPointer { logits in
            for index in logits.indices where expf(logits[index] - top) < share && index != best {
                logits[index] = -.infinity
            }
        }
    }
}

/// Keeps the tokens whose surprise is nearest to the expected surprise until their probabilities reach `mass`
/// (Meister et al., "Locally Typical Sampling", 2022).
package struct TypicalP: LogitsProcessor {
    package let mass: Float

    package init(_ mass: Float) { self.mass = mass }

    package func process(_ logits: inout [Float], context: TokenContext) {
        guard mass < 1 else { return }
        let surprise = LogProbabilities.logSoftmax(logits)
        var entropy = 0.0
        for value in surprise where value > -.infinity { entropy -= Double(value) * Double(expf(value)) }
        // Nearest first is descending order of the negated distance.
        let nearness = surprise.map { $0 > -.infinity ? -abs(-$0 - Float(entropy)) : -.infinity }
        var reached = 0.0
        var farthest = -Float.infinity
        RankedSelection.descending(nearness) { index in
            farthest = nearness[index]
            reached += Double(expf(surprise[index]))
            return reached < Double(mass)
        }
        logits.withUnsafeMutableBufferPointer { logits in
            for index in logits.indices where nearness[index] < farthest { logits[index] = -.infinity }
        }
    }
}

extension [Float] {
    fileprivate mutating func removeBelow(_ threshold: Float) {
        withUnsafeMutableBufferPointer { values in
            for index in values.indices where values[index] < threshold { values[index] = -.infinity }
        }
    }

    /// Keeps values from the greatest down as long as `keep` says so; the rest becomes -∞.
    fileprivate mutating func keepDescending(_ keep: (Int, Float) -> Bool) {
        var kept: [(Int, Float)] = []
        let values = self
        RankedSelection.descending(values) { index in
            guard keep(index, values[index]) else { return false }
            kept.append((index, values[index]))
            return true
        }
        withUnsafeMutableBufferPointer { $0.update(repeating: -.infinity) }
        for (index, value) in kept { self[index] = value }
    }
}
