import Compute
import Foundation

/// Absolute positions: a table whose rows are added to the embeddings, learned or of sines and cosines. Its first rows may
/// stand for no position.
package struct PositionTable {
    private let parameter: Parameter
    private let first: Int

    package init(_ parameter: Parameter, first: Int = 0) {
        self.parameter = parameter
        self.first = first
    }

    /// The rows from position 0 on. The table must be loaded.
    var rows: Tensor { parameter.tensor.rows(first..<parameter.rows) }

    /// Sinusoidal positions, which checkpoints need not store.
    package enum Sinusoids: Sendable, Hashable {
        /// Exponents 2i / size (transformers' `MarianSinusoidalPositionalEmbedding`).
        case interpolated
        /// Exponents i / (size / 2 − 1), so that the last wavelength is 10000 exactly, as tensor2tensor has them;
        /// position 0 of the sequence is row `first` of the formula.
        case toTheEnd(first: Int)

        /// `[positions, size]`: sines in the first half of a row, cosines in the second.
        package func table(positions: Int, size: Int) -> [Float] {
            switch self {
            case .interpolated: Self.interpolated(positions: positions, size: size)
            case .toTheEnd(let first): Self.toTheEnd(first: first, positions: positions, size: size)
            }
        }

        /// sin(p / 10000^(2i / size)) for the first half of the columns, cos for the second.
        private static func interpolated(positions: Int, size: Int) -> [Float] {
            let sines = (size + 1) / 2
            var table = [Float](repeating: 0, count: positions * size)
            for position in 0..<positions {
                for column in 0..<size {
                    let pair = column < sines ? column : column - sines
                    let angle = Double(position) / pow(10000, Double(2 * pair) / Double(size))
                    table[position * size + column] = Float(column < sines ? sin(angle) : cos(angle))
                }
            }
            return table
        }

        /// sin(p · w) for the first half of the columns, cos for the second, zero in an odd last one, with
        /// w = 10000^(−i / (size / 2 − 1)).
        private static func toTheEnd(first: Int, positions: Int, size: Int) -> [Float] {
            let half = size / 2
            var table = [Float](repeating: 0, count: positions * size)
            for position in 0..<positions {
                for pair in 0..<half {
                    let angle = Double(first + position) * pow(10000, -Double(pair) / Double(max(half - 1, 1)))
                    table[position * size + pair] = Float(sin(angle))
                    table[position * size + half + pair] = Float(cos(angle))
                }
            }
            return table
        }
    }
}
