import Foundation

/// Scales attention to 0…1 for colors.
package enum HeatScale: Sendable, Hashable {
    /// `weight / max`.
    case linear
    /// Logarithmic over the given number of decades below the maximum; smaller weights are 0.
    case log(decades: Float)
    /// Each weight's rank among the row's, so that half of the cells are brighter than 0.5 whatever the distribution.
    /// Equal weights have equal brightness.
    case percentile

    /// The scaled row. Weights that are not finite or not positive are 0; a row without any positive weight is all 0.
    ///
    /// - Parameter maximum: the value that maps to 1 for `.linear` and `.log`; nil is the row's own maximum. A common maximum keeps
    ///   several rows comparable.
    package func apply(to row: [Float], maximum: Float? = nil) -> [Float] {
        let top = maximum ?? row.reduce(0) { $1.isFinite ? Swift.max($0, $1) : $0 }
        guard top > 0, top.isFinite else { return [Float](repeating: 0, count: row.count) }
        switch self {
        case .linear:
            return row.map { $0.isFinite && $0 > 0 ? Swift.min($0 / top, 1) : 0 }
        case .log(let decades):
            let span = Swift.max(decades, 0.1)
            return row.map { weight in
                guard weight.isFinite, weight > 0 else { return 0 }
                return Swift.min(Swift.max(1 + log10f(weight / top) / span, 0), 1)
            }
        case .percentile:
            return HeatScale.ranks(of: row)
        }
    }

    private static func ranks(of row: [Float]) -> [Float] {
        var scaled = [Float](repeating: 0, count: row.count)
        let order = row.indices.filter { row[$0].isFinite && row[$0] > 0 }.sorted { row[$0] < row[$1] }
        let below = row.count - order.count
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, row[order[end]] == row[order[start]] { end += 1 }
            // The share of all cells at or below this weight.
            let rank = Float(below + end) / Float(row.count)
            for index in start..<end { scaled[order[index]] = rank }
            start = end
        }
        return scaled
    }
}
