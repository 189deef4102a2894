import Compute

/// Layer normalization (Ba et al. 2016): (x − mean) / √(variance + ε) · γ + β, per row.
package struct LayerNorm {
    package let weight: Parameter
    package let bias: Parameter
    package let epsilon: Float

    /// - Parameter hasBias: false where the architecture has none: zeros stand in for it.
    package init(_ scope: ParameterScope, size: Int, epsilon: Float = 1e-5, hasBias: Bool = true) {
        weight = scope.vector("weight", count: size)
        bias = scope.vector(stacking: [("bias", size)], optional: hasBias ? [] : ["bias"])
        self.epsilon = epsilon
    }

    package func callAsFunction(_ x: Tensor, into out: Tensor, on stream: CommandStream) throws {
        try stream.layerNorm(x, gamma: weight.tensor, beta: bias.tensor, epsilon: epsilon, into: out)
    }

    package var input: InputNorm? { .layer(gamma: weight.tensor, beta: bias.tensor, epsilon: epsilon) }
}
