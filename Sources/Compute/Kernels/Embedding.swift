import NumberFormats

private struct EmbedPush: BitwiseCopyable {
    var table, positions, tokens, step, result: UInt64
    var columns, tableStride, tableRows: UInt32
    var positionsStride, positionsRows, firstPosition, advance: UInt32
    var resultStride: UInt32
    var scale: Float
}

/// Chooses the form of `embed`: there is one, a subgroup per row.
package enum EmbeddingSelection {
    package static func select(rows: Int, format: ElementFormat, isWide: Bool, rowsPerPanel: Int = 1) -> KernelChoice {
        precondition(LinearSelection.formats.contains(format), "embed has no kernel for \(format.rawValue) tables")
        return KernelChoice(
            KernelVariant("embed/embed_\(format.rawValue)", constants: [isWide.constant, UInt32(rowsPerPanel)]), x: rows
        )
    }
}

extension CommandStream {
    /// Embeds the decode step's tokens, which all stand at the step's position (one token of each hypothesis):
    /// out[r] = table[step.tokens[r]]·scale + positions[step.position].
    ///
    /// - Parameters:
    ///   - rows: how many of the step's tokens; at most `StepState.maximumRows`.
    ///   - table: `[vocabulary, size]` f32, f16 or bf16.
    ///   - positions: `[positions, size]` f32.
    ///   - out: `[rows, size]` f32.
    package func embed(
        step: StepBuffer, rows: Int, table: WeightMatrix, scale: Float = 1, positions: Tensor? = nil, into out: Tensor
    ) throws {
        precondition(rows <= StepState.maximumRows, "a decode step has at most \(StepState.maximumRows) rows")
        try embed(
            ids: step.address + UInt64(StepState.tokensOffset), idRange: step.byteRange, step: step.address, rows: rows,
            firstPosition: 0,
            advance: 0, table: table, scale: scale, positions: positions, into: out)
    }

    /// Embeds consecutive tokens: out[r] = table[tokens[r]]·scale + positions[firstPosition + r].
    /// - Parameter tokens: the ids, as 32-bit integers, one after another (`[1, count]` or `[count, 1]`).
    package func embed(
        tokens: Tensor, firstPosition: Int, table: WeightMatrix, scale: Float = 1, positions: Tensor? = nil,
        into out: Tensor
    ) throws {
        let count = tokens.rows * tokens.columns
        precondition(
            tokens.elementBytes == 4 && (tokens.rows <= 1 || tokens.rowStride == tokens.columns),
            "token ids are 32-bit and contiguous")
        precondition(count >= out.rows, "embed: \(count) tokens for \(out.rows) rows")
        try embed(
            ids: tokens.address, idRange: tokens.byteRange, step: 0, rows: out.rows, firstPosition: firstPosition,
            advance: 1, table: table,
            scale: scale, positions: positions, into: out)
    }

    private func embed(
        ids: UInt64, idRange: MemoryRange, step: UInt64, rows: Int, firstPosition: Int, advance: Int,
        table: WeightMatrix, scale: Float,
        positions: Tensor?, into out: Tensor
    ) throws {
        precondition(
            out.rows >= rows && out.columns == table.columns && out.format == .f32,
            "embed: out is not f32 [\(rows), \(table.columns)]")
        precondition(
            positions.map { $0.columns == table.columns && $0.format == .f32 && $0.rows > 0 } ?? true,
            "embed: positions do not fit")
        precondition(table.rows > 0 && table.address % 16 == 0, "embed: the table starts on 16 bytes")
        precondition(table.rowsBefore == 0, "embed: the table starts with a panel")
        let isWide = table.columns % 4 == 0 && out.hasWideRows && (positions?.hasWideRows ?? true)
        let push = EmbedPush(
            table: table.address, positions: positions?.address ?? 0, tokens: ids, step: step, result: out.address,
            columns: UInt32(table.columns), tableStride: UInt32(table.rowStride), tableRows: UInt32(table.rows),
            positionsStride: UInt32(positions?.rowStride ?? 0), positionsRows: UInt32(positions?.rows ?? 0),
            firstPosition: UInt32(firstPosition), advance: UInt32(advance), resultStride: UInt32(out.rowStride),
            scale: scale)
        try dispatch(
            EmbeddingSelection.select(
                rows: rows, format: table.format, isWide: isWide, rowsPerPanel: table.rowsPerPanel), push: push,
            reads: [table.byteRange, idRange] + [positions].compactMap { $0?.byteRange }, writes: [out.byteRange],
            label: "embed")
    }
}
