import Compute
import Foundation

extension Reference {
    /// The candidates of a row of logits: see `TokenCandidates`.
    package static func candidates(_ row: [Float], temperature: Float = 1) -> TokenCandidates {
        let numbers = row.indices.filter { row[$0] > -.infinity }
        let best = numbers.sorted { row[$0] != row[$1] ? row[$0] > row[$1] : $0 < $1 }.prefix(TokenCandidates.capacity)
        let top = best.first.map { Double(row[$0]) } ?? 0
        return TokenCandidates(
            ids: Array(best), logits: best.map { row[$0] },
            sum: row.contains(where: \.isNaN) ? -1 : numbers.reduce(0) { $0 + exp(Double(row[$1]) - top) },
            temperature: temperature,
            scaledSum: numbers.reduce(0) { $0 + exp((Double(row[$1]) - top) / Double(temperature)) })
    }
}
