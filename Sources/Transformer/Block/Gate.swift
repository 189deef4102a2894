import Compute
import Foundation

/// A number in front of a block's contribution: residual += opening · block. It is fixed (Granite's residual multiplier), or
/// tanh of a learned number (Alayrac et al. 2022, "Flamingo"): blocks that join a trained model start with their gates shut.
package struct Gate {
    private enum Source {
        case learned(Parameter)
        case fixed(Float)
    }
    private let source: Source

    /// - Parameter name: of the gate itself, in `scope`.
    package init(_ scope: ParameterScope, _ name: String) { source = .learned(scope.scalar(name)) }

    package init(fixed opening: Float) { source = .fixed(opening) }

    /// Factor of the contribution. A learned gate must be loaded.
    package var opening: Float {
        switch source {
        case .learned(let parameter): tanh(parameter.scalar)
        case .fixed(let opening): opening
        }
    }

    /// residual += opening · block, both `[rows, size]`; block is scratch from then on.
    package func callAsFunction(_ block: Tensor, addingTo residual: Tensor, on stream: CommandStream) throws {
        try stream.convert(block, scale: opening, into: block)
        try stream.add(residual, block, into: residual)
    }
}
