import NumberFormats

private struct RotaryPush: BitwiseCopyable {
    var x, table, step: UInt64
    var heads, xStride, tableStride, tableRows: UInt32
    var first, advance: UInt32
}

/// Pairing of a head's elements for rotary positions.
package struct RotaryShape: Sendable, Hashable {
    /// Elements of a head.
    package var headDimension: Int
    /// Number of leading elements of a head that are rotated; even.
    package var rotaryDimension: Int
    /// Pairs are (2k, 2k + 1), as GGUF files of the `llama` architecture have them, not (k, k + rotaryDimension / 2).
    package var isInterleaved: Bool

    package init(headDimension: Int, rotaryDimension: Int? = nil, isInterleaved: Bool = false) {
        self.headDimension = headDimension
        self.rotaryDimension = rotaryDimension ?? headDimension
        self.isInterleaved = isInterleaved
    }
}

/// Chooses the form of `rotary`: there is one, a subgroup for a piece of a row.
package enum RotarySelection {
    /// Pairs that one lane takes.
    static let piece = 4

    package static func select(_ shape: RotaryShape, rows: Int, heads: Int, _ properties: DeviceProperties)
        -> KernelChoice
    {
        precondition(
            shape.rotaryDimension % 2 == 0 && shape.rotaryDimension > 0 && shape.rotaryDimension <= shape.headDimension,
            "rotary: \(shape.rotaryDimension) of \(shape.headDimension) elements cannot be turned")
        return KernelChoice(
            KernelVariant(
                "rotary/rotary",
                constants: [UInt32(shape.headDimension), UInt32(shape.rotaryDimension), shape.isInterleaved.constant]),
            x: divideRoundingUp(heads * shape.rotaryDimension / 2, properties.subgroupSize * piece), y: rows)
    }
}

extension CommandStream {
    /// Rotary position embedding (Su et al. 2021) in place: row r is rotated to position `firstPosition + r`.
    ///
    /// - Parameters:
    ///   - x: `[rows, heads·D]` f32.
    ///   - table: `[positions, rotaryDimension]` f32: the cosines of a position's angles, then their sines.
    package func rotary(_ x: Tensor, shape: RotaryShape, table: Tensor, firstPosition: Int) throws {
        precondition(
            firstPosition >= 0 && firstPosition + x.rows <= table.rows,
            "rotary: positions beyond the \(table.rows) tabulated")
        let limit = device.properties.maxWorkgroupCount[1]
        for first in stride(from: 0, to: x.rows, by: limit) {
            let rows = x.rows(first..<min(first + limit, x.rows))
            try rotary(rows, shape: shape, table: table, first: firstPosition + first, advance: 1, step: nil)
        }
    }

    /// The same for a decode step: every row stands at the step's position.
    package func rotary(_ x: Tensor, shape: RotaryShape, table: Tensor, step: StepBuffer) throws {
        try rotary(x, shape: shape, table: table, first: 0, advance: 0, step: step)
    }

    private func rotary(_ x: Tensor, shape: RotaryShape, table: Tensor, first: Int, advance: Int, step: StepBuffer?)
        throws
    {
        precondition(
            x.columns % shape.headDimension == 0 && x.format == .f32,
            "rotary: x is not f32 [\(x.rows), heads·\(shape.headDimension)]")
        precondition(
            table.columns == shape.rotaryDimension && table.rows > 0 && table.format == .f32,
            "rotary: the table does not fit \(shape)")
        if x.rows == 0 { return }
        let heads = x.columns / shape.headDimension
        let push = RotaryPush(
            x: x.address, table: table.address, step: step?.address ?? 0, heads: UInt32(heads),
            xStride: UInt32(x.rowStride),
            tableStride: UInt32(table.rowStride), tableRows: UInt32(table.rows), first: UInt32(first),
            advance: UInt32(advance))
        try dispatch(
            RotarySelection.select(shape, rows: x.rows, heads: heads, device.properties), push: push,
            reads: [x.byteRange, table.byteRange] + [step].compactMap { $0?.byteRange }, writes: [x.byteRange],
            label: "rotary",
            operations: 3 * Double(x.rows) * Double(x.columns))
    }
}
