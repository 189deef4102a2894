import Compute

/// Input of a linear layer: rows as they are, or rows behind a norm that is still to be taken.
package protocol LinearInput {
    /// Rows of the input.
    var rows: Int { get }
    /// The rows as they are in memory, the norm taken.
    func resolved(on stream: CommandStream) throws -> Tensor
}

extension Tensor: LinearInput {
    package func resolved(on stream: CommandStream) -> Tensor { self }
}

/// Rows behind a norm. A linear layer of few rows takes the norm itself where its kernel can, which saves a dispatch;
/// otherwise the normalized rows are put into `scratch` first.
package struct NormalizedInput: LinearInput {
    /// `[rows, size]`
    let x: Tensor
    let norm: any Normalization
    /// A place for the normalized rows, `[rows, size]`.
    let scratch: Tensor

    package init(_ x: Tensor, norm: any Normalization, scratch: Tensor) {
        self.x = x
        self.norm = norm
        self.scratch = scratch
    }

    package var rows: Int { x.rows }

    package func resolved(on stream: CommandStream) throws -> Tensor {
        try norm(x, into: scratch, on: stream)
        return scratch
    }

    /// The input and its norm for one kernel, where there is such a kernel.
    func fused(on stream: CommandStream) -> (x: Tensor, norm: InputNorm)? {
        guard LinearSelection.fuses(rows: x.rows, inputs: x.columns, stream.device.properties), x.canFuse,
            let norm = norm.input
        else { return nil }
        return (x, norm)
    }
}

extension Tensor {
    /// True where kernels that take a norm can read the rows.
    var canFuse: Bool { address % 16 == 0 && rowStride % 4 == 0 && columns % 4 == 0 }
}
