import Compute

/// Group normalization (Wu & He 2018) with one group: the mean and the variance are over all rows and columns, the
/// parameters are those of a column.
package struct GroupNorm {
    private let weight: Parameter
    private let bias: Parameter
    private let epsilon: Float

    package init(_ scope: ParameterScope, size: Int, epsilon: Float = 1e-5) {
        weight = scope.vector("weight", count: size)
        bias = scope.vector("bias", count: size)
        self.epsilon = epsilon
    }

    /// out = (x − mean) / √(variance + ε) · γ + β, x `[rows, size]` without gaps; out alike and possibly x itself.
    package func callAsFunction(_ x: Tensor, into out: Tensor, on stream: CommandStream) throws {
        precondition(x.rowStride == x.columns && out.rowStride == out.columns, "group norm: rows have gaps")
        func row(_ x: Tensor) -> Tensor {
            Tensor(buffer: x.buffer, byteOffset: x.byteOffset, rows: 1, columns: x.rows * x.columns)
        }
        try stream.layerNorm(row(x), gamma: nil, beta: nil, epsilon: epsilon, into: row(out))
        try stream.combine(out, .multiply, weight.tensor.repeated(out.rows), into: out)
        try stream.add(out, bias.tensor.repeated(out.rows), into: out)
    }
}
