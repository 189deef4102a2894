/// Brings the rows of several tokens together: what a word of three tokens, or a whole answer, attended to.
package enum TimeAggregation: String, Sendable, Hashable, Codable, CaseIterable {
    case mean, max, last

    /// One row from many.
    ///
    /// - Parameter rows: one row per token, oldest first. Shorter ones (self-attention before it grew) count as 0 beyond
    ///   their end.
    /// - Returns: a row as long as the longest; empty without rows.
    package func aggregate(_ rows: [[Float]]) -> [Float] {
        guard self != .last else { return rows.last ?? [] }
        let width = rows.reduce(0) { Swift.max($0, $1.count) }
        var result = [Float](repeating: 0, count: width)
        for row in rows {
            for (key, weight) in row.enumerated() {
                if self == .mean { result[key] += weight } else { result[key] = Swift.max(result[key], weight) }
            }
        }
        if self == .mean, !rows.isEmpty {
            let scale = 1 / Float(rows.count)
            for key in result.indices { result[key] *= scale }
        }
        return result
    }

    /// Which tokens looked at a place: for each row the weight on `keys`, summed.
    package static func tokens(lookingAt keys: Range<Int>, in rows: [[Float]]) -> [Float] {
        rows.map { row in row[keys.clamped(to: 0..<row.count)].reduce(0, +) }
    }
}
