import Foundation

/// Probabilities from logits. Everything works in one pass over unsafe buffers: vocabularies have 50,000 entries and more,
/// and every token of every hypothesis passes here.
package enum LogProbabilities {
    /// `log Σ exp(logits)` over a range, the maximum taken out first and the sum kept in 64 bits.
    ///
    /// -∞ entries (removed tokens) count as nothing; a NaN makes the result NaN; without any finite entry it is -∞.
    package static func logSumExp(_ logits: [Float], in range: Range<Int>? = nil) -> Float {
        logits.withUnsafeBufferPointer { logSumExp(UnsafeBufferPointer(rebasing: $0[range ?? 0..<$0.count])) }
    }

    static func logSumExp(_ logits: UnsafeBufferPointer<Float>) -> Float {
        var top = -Float.infinity
        for value in logits {
            if value > top { top = value } else if value.isNaN { return .nan }
        }
        guard top.isFinite else { return top }
        // A float's share vanishes beside the maximum from about 17 down; -104 is where expf itself is 0.
        var sum = 0.0
        for value in logits where value - top > -104 { sum += Double(expf(value - top)) }
        return Float(Double(top) + log(sum))
    }

    /// The log-probabilities of all tokens, `[vocabulary]`; removed tokens stay at -∞.
    package static func logSoftmax(_ logits: [Float]) -> [Float] {
        var result = logits
        subtract(logSumExp(logits), from: &result)
        return result
    }

    static func subtract(_ normalizer: Float, from logits: inout [Float]) {
        guard normalizer.isFinite else { return }
        logits.withUnsafeMutableBufferPointer { logits in
            for index in logits.indices { logits[index] -= normalizer }
        }
    }

    /// The probabilities of all tokens, `[vocabulary]`.
    package static func softmax(_ logits: [Float]) -> [Float] {
        let normalizer = logSumExp(logits)
        guard normalizer.isFinite else { return [Float](repeating: 0, count: logits.count) }
        return [Float](unsafeUninitializedCapacity: logits.count) { result, count in
            logits.withUnsafeBufferPointer { logits in
                for index in logits.indices { result[index] = expf(logits[index] - normalizer) }
            }
            count = logits.count
        }
    }

    /// The index of the greatest value, the first of equal ones; nil when there is none above -∞.
    package static func argmax(_ values: [Float]) -> Int? {
        values.withUnsafeBufferPointer { values in
            var best: Int?
            var top = -Float.infinity
            for index in values.indices where values[index] > top {
                top = values[index]
                best = index
            }
            return best
        }
    }

    /// The `count` greatest values, best first, ties by lower index; -∞ and NaN never appear.
    ///
    /// One pass with a sorted shortlist: a value that does not beat the shortlist's last costs one comparison.
    package static func top(_ count: Int, of values: [Float]) -> [(index: Int, value: Float)] {
        guard count > 0, !values.isEmpty else { return [] }
        let capacity = min(count, values.count)
        return values.withUnsafeBufferPointer { values in
            withUnsafeTemporaryAllocation(of: (index: Int, value: Float).self, capacity: capacity) { best in
                var held = 0
                var threshold = -Float.infinity
                for index in values.indices {
                    let value = values[index]
                    guard value > threshold else { continue }
                    var place = held < capacity ? held : capacity - 1
                    while place > 0, best[place - 1].value < value {
                        best[place] = best[place - 1]
                        place -= 1
                    }
                    best[place] = (index, value)
                    if held < capacity { held += 1 }
                    if held == capacity { threshold = best[capacity - 1].value }
                }
                return Array(best[0..<held])
            }
        }
    }
}
