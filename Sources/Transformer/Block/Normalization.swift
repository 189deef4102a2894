import Compute

/// A norm over the elements of each row.
package protocol Normalization {
    /// out = norm(x), row by row; x `[rows, size]`, out alike and possibly x itself.
    func callAsFunction(_ x: Tensor, into out: Tensor, on stream: CommandStream) throws
    /// The norm as a part of the linear layer that follows; `nil` where that cannot be. Its parameters must be loaded.
    var input: InputNorm? { get }
}

extension Normalization {
    package var input: InputNorm? { nil }
}

extension LayerNorm: Normalization {}

/// Root-mean-square normalization (Zhang & Sennrich 2019): x / √(mean x² + ε) · γ, per row; γ is the stored weight plus an
/// offset (1 in Gemma).
package struct RMSNorm: Normalization {
    package let weight: Parameter
    package let epsilon: Float

    package init(_ scope: ParameterScope, size: Int, epsilon: Float = 1e-6, offset: Float = 0) {
        weight = scope.vector("weight", count: size, offset: offset)
        self.epsilon = epsilon
    }

    /// Normalizes every head by itself, in place; `size` is that of a head. x `[rows, heads · size]`.
    package func normalizeHeads(_ x: Tensor, on stream: CommandStream) throws {
        try self(x, into: x, on: stream)
    }

    package func callAsFunction(_ x: Tensor, into out: Tensor, on stream: CommandStream) throws {
        try stream.rmsNorm(x, gamma: weight.tensor, epsilon: epsilon, into: out)
    }

    package var input: InputNorm? { .rootMeanSquare(gamma: weight.tensor, epsilon: epsilon) }
}
