import Compute
import Foundation

/// A learned number in front of a block's contribution (Alayrac et al. 2022, "Flamingo"): residual += tanh(gate) · block.
/// Blocks that join a trained model start with their gates shut.
package struct Gate {
    private let parameter: Parameter

    /// - Parameter name: of the gate itself, in `scope`.
    package init(_ scope: ParameterScope, _ name: String) { parameter = scope.scalar(name) }

    /// Factor of the contribution. The gate must be loaded.
    package var opening: Float { tanh(parameter.scalar) }

    /// residual += opening · block, both `[rows, size]`; block is scratch from then on.
    package func callAsFunction(_ block: Tensor, addingTo residual: Tensor, on stream: CommandStream) throws {
        try stream.convert(block, scale: opening, into: block)
        try stream.add(residual, block, into: residual)
    }
}
