import Foundation

/// The plain twin of each kernel, on the CPU: what the kernel is supposed to compute, written for reading. Float in,
/// Float out, sums in Double.
public enum Reference {
    /// A row-major matrix of floats.
    public struct Matrix: Sendable, Hashable {
        public var rows: Int
        public var columns: Int
        public var values: [Float]

        public init(rows: Int, columns: Int, values: [Float]) {
            precondition(values.count == rows * columns, "matrix values do not fit [\(rows), \(columns)]")
            self.rows = rows
            self.columns = columns
            self.values = values
        }

        public init(rows: Int, columns: Int, repeating value: Float = 0) {
            self.init(rows: rows, columns: columns, values: [Float](repeating: value, count: rows * columns))
        }

        public subscript(row: Int, column: Int) -> Float {
            get { values[row * columns + column] }
            set { values[row * columns + column] = newValue }
        }
    }

    /// activation(x), in double precision.
    public static func activate(_ x: Double, _ activation: Activation) -> Double {
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
