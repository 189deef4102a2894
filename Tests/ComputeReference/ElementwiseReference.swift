import Compute
import Foundation

extension Reference {
    /// activation(a) joined with b.
    package static func combine(
        _ a: Matrix, activation: Activation = .none, _ operation: ElementwiseOperation? = nil, _ b: Matrix? = nil
    ) -> Matrix {
        var out = a
        for index in a.values.indices {
            let value = activate(Double(a.values[index]), activation)
            let other = Double(b?.values[index] ?? 0)
            out.values[index] =
                switch operation {
                case .add: Float(value + other)
                case .multiply: Float(value * other)
                case nil: Float(value)
                }
        }
        return out
    }

    /// cap · tanh(x / cap).
    package static func softCap(_ x: Matrix, cap: Float) -> Matrix {
        var out = x
        for index in x.values.indices {
            out.values[index] = Float(Double(cap) * tanh(Double(x.values[index]) / Double(cap)))
        }
        return out
    }
}
