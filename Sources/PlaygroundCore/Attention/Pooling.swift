/// Reduction of several keys to one column.
package enum Pooling: String, Sendable, Hashable, CaseIterable {
    case max, mean

    var next: Pooling { self == .max ? .mean : .max }

    /// Resamples `values[range]` to `columns` values. With more columns than keys, keys repeat.
    package func pool(_ values: [Float], _ range: Range<Int>, columns: Int) -> [Float] {
        guard columns > 0, !range.isEmpty else { return [] }
        return (0..<columns).map { column in
            let start = range.lowerBound + column * range.count / columns
            let end = Swift.max(start + 1, range.lowerBound + (column + 1) * range.count / columns)
            var total: Float = 0, top: Float = 0
            for key in start..<Swift.min(end, values.count) {
                total += values[key]
                top = Swift.max(top, values[key])
            }
            return self == .max ? top : total / Float(end - start)
        }
    }
}
