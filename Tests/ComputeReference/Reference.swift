import Compute
import Foundation

/// The plain twin of each kernel, on the CPU: what the kernel is supposed to compute, written for reading. Float in,
/// Float out, sums in Double.
package enum Reference {
    /// A row-major matrix of floats.
    package struct Matrix: Sendable, Hashable {
        package var rows: Int
        package var columns: Int
        package var values: [Float]

        package init(rows: Int, columns: Int, values: [Float]) {
            precondition(values.count == rows * columns, "matrix values do not fit [\(rows), \(columns)]")
            self.rows = rows
            self.columns = columns
            self.values = values
        }

        package init(rows: Int, columns: Int, repeating value: Float = 0) {
            self.init(rows: rows, columns: columns, values: [Float](repeating: value, count: rows * columns))
        }

        package subscript(row: Int, column: Int) -> Float {
            get { values[row * columns + column] }
            set { values[row * columns + column] = newValue }
        }
    }

    /// activation(x), in double precision.
    package static func activate(_ x: Double, _ activation: Activation) -> Double {
        switch activation {
        case .none: x
        case .gelu: 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
        case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .quickGelu: x / (1 + exp(-1.702 * x))
        case .relu: max(x, 0)
        case .silu: x / (1 + exp(-x))
        }
    }
}
