import Compute

/// Layer normalisation (Ba et al. 2016): (x − mean) / √(variance + ε) · γ + β, per row.
public struct LayerNorm {
    public let weight: Parameter
    public let bias: Parameter
    public let epsilon: Float

    public init(_ scope: ParameterScope, size: Int, epsilon: Float = 1e-5) {
        weight = scope.vector("weight", count: size)
        bias = scope.vector("bias", count: size)
        self.epsilon = epsilon
    }

    public func callAsFunction(_ x: Tensor, into out: Tensor, on stream: CommandStream) throws {
        try stream.layerNorm(x, gamma: weight.tensor, beta: bias.tensor, epsilon: epsilon, into: out)
    }

    public var input: InputNorm? { .layer(gamma: weight.tensor, beta: bias.tensor, epsilon: epsilon) }
}
