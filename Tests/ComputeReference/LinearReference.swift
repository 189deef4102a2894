import Compute

extension Reference {
    /// activation(x·weightᵀ + bias) + residual, for x `[M, K]`, weight `[N, K]`, bias `[N]`, residual `[M, N]`.
    package static func linear(
        _ x: Matrix, weight: Matrix, bias: [Float]? = nil, activation: Activation = .none, residual: Matrix? = nil
    ) -> Matrix {
        var out = Matrix(rows: x.rows, columns: weight.rows)
        for m in 0..<x.rows {
            for n in 0..<weight.rows {
                var sum = 0.0
                for k in 0..<x.columns {
                    sum += Double(x.values[m * x.columns + k]) * Double(weight.values[n * weight.columns + k])
                }
                sum = activate(sum + Double(bias?[n] ?? 0), activation)
                out[m, n] = Float(sum + Double(residual?[m, n] ?? 0))
            }
        }
        return out
    }

    /// A convolution over time, as it is defined: x `[T, C]`, weight `[outputs][C][kernel]`, `padding` zero steps on
    /// either side; the result is `[(T + 2·padding − kernel) / stride + 1, outputs]`.
    package static func convolution1D(
        _ x: Matrix, weight: [Float], outputs: Int, kernel: Int, stride: Int, padding: Int, bias: [Float]? = nil,
        activation: Activation = .none
    ) -> Matrix {
        let channels = x.columns
        precondition(weight.count == outputs * channels * kernel)
        var out = Matrix(rows: (x.rows + 2 * padding - kernel) / stride + 1, columns: outputs)
        for t in 0..<out.rows {
            for o in 0..<outputs {
                var sum = Double(bias?[o] ?? 0)
                for tap in 0..<kernel {
                    let time = t * stride + tap - padding
                    guard (0..<x.rows).contains(time) else { continue }
                    for c in 0..<channels {
                        sum += Double(x[time, c]) * Double(weight[(o * channels + c) * kernel + tap])
                    }
                }
                out[t, o] = Float(activate(sum, activation))
            }
        }
        return out
    }
}
