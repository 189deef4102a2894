import Compute

/// The residual stream `[rows, hiddenSize]` as one part of a block adds to it: directly, or behind a norm of the part's
/// output, a gate, or both.
package struct ResidualStream {
    let x: Tensor
    private let outputNorm: (any Normalization)?
    private let gate: Gate?
    private let scratch: Tensor?

    /// - Parameter scratch: memory for the part's output, `[rows, hiddenSize]`, where it passes a norm or a gate.
    package init(
        _ x: Tensor, outputNorm: (any Normalization)? = nil, gate: Gate? = nil, scratch: Tensor? = nil
    ) {
        precondition(
            scratch != nil || outputNorm == nil && gate == nil, "a norm or a gate needs scratch for a block's output")
        self.x = x
        self.outputNorm = outputNorm
        self.gate = gate
        self.scratch = scratch
    }

    /// x += gate · outputNorm(part)
    /// - Parameter part: issues the part's last layer, which writes `out` and adds `residual`, where there is one.
    func add(on stream: CommandStream, _ part: (_ residual: Tensor?, _ out: Tensor) throws -> Void) throws {
        guard let scratch, outputNorm != nil || gate != nil else { return try part(x, x) }
        try part(nil, scratch)
        try outputNorm?(scratch, into: scratch, on: stream)
        if let gate {
            try gate(scratch, addingTo: x, on: stream)
        } else {
            try stream.add(x, scratch, into: x)
        }
    }
}
