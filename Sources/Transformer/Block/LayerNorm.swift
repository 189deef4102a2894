import Compute

/// Layer normalization (Ba et al. 2016): (x − mean) / √(variance + ε) · γ + β, per row.
package struct LayerNorm {
    package let weight: Parameter
    package let bias: Parameter
    package let epsilon: Float

    package init(_ scope: ParameterScope, size: Int, epsilon: Float = 1e-5) {
        weight = scope.vector("weight", count: size)
        bias = scope.vector("bias", count: size)
        self.epsilon = epsilon
    }

    package func callAsFunction(_ x: Tensor, into out: Tensor, on stream: CommandStream) throws {
        try stream.layerNorm(x, gamma: weight.tensor, beta: bias.tensor, epsilon: epsilon, into: out)
    }

    package var input: InputNorm? { .layer(gamma: weight.tensor, beta: bias.tensor, epsilon: epsilon) }
}
