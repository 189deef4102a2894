import Foundation

/// How weights become strengths of colour, 0…1.
public enum HeatScale: String, Sendable, Hashable, CaseIterable {
    /// Weight over the largest.
    case linear
    /// The logarithm, over three decades below the largest.
    case log

    var next: HeatScale { self == .linear ? .log : .linear }

    func strengths(_ weights: [Float]) -> [Float] {
        let top = weights.max() ?? 0
        guard top > 0 else { return weights.map { _ in 0 } }
        switch self {
        case .linear: return weights.map { $0 / top }
        case .log: return weights.map { $0 <= 0 ? 0 : max(0, 1 + Foundation.log10($0 / top) / 3) }
        }
    }
}

/// How several keys become one column.
public enum Pooling: String, Sendable, Hashable, CaseIterable {
    case max, mean

    var next: Pooling { self == .max ? .mean : .max }

    /// `values[range]` brought to `columns` values. Where columns outnumber keys, keys repeat.
    func pool(_ values: [Float], _ range: Range<Int>, columns: Int) -> [Float] {
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
