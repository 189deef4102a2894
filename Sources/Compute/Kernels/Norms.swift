private struct NormPush: BitwiseCopyable {
    var x, gamma, beta, result: UInt64
    var columns, xStride, resultStride: UInt32
    var epsilon: Float
}

/// Chooses the form of a norm: there is one, a subgroup per row and group of columns.
package enum NormSelection {
    package static func select(root: Bool, rows: Int, groups: Int = 1, isWide: Bool) -> KernelChoice {
        KernelChoice(
            KernelVariant(root ? "norm/norm_rms" : "norm/norm_layer", constants: [isWide.constant]), x: rows, y: groups)
    }
}

extension CommandStream {
    /// Layer normalization over columns (Ba et al. 2016): (x − mean) / √(variance + ε) · gamma + beta.
    /// - Parameters:
    ///   - x: `[rows, columns]` f32; `out` alike, and may be x itself.
    ///   - gamma: `[1, columns]` f32.
    ///   - beta: `[1, columns]` f32.
    package func layerNorm(_ x: Tensor, gamma: Tensor?, beta: Tensor?, epsilon: Float, into out: Tensor) throws {
        try norm(root: false, x, gamma: gamma, beta: beta, epsilon: epsilon, into: out)
    }

    /// Root-mean-square normalization (Zhang & Sennrich 2019): x / √(mean x² + ε) · gamma, of each group of as many columns
    /// as gamma has.
    package func rmsNorm(_ x: Tensor, gamma: Tensor?, epsilon: Float, into out: Tensor) throws {
        try norm(root: true, x, gamma: gamma, beta: nil, epsilon: epsilon, into: out)
    }

    private func norm(root: Bool, _ x: Tensor, gamma: Tensor?, beta: Tensor?, epsilon: Float, into out: Tensor) throws {
        precondition(out.rows == x.rows && out.columns == x.columns, "norm: out is not [\(x.rows), \(x.columns)]")
        let columns = gamma?.columns ?? beta?.columns ?? x.columns
        precondition(
            x.columns % columns == 0 && (root || columns == x.columns) && (beta == nil || beta?.columns == columns),
            "norm: parameters of \(columns) elements for \(x.columns) columns")
        precondition([x, out, gamma ?? x, beta ?? x].allSatisfy { $0.format == .f32 }, "norm: all is f32")
        let isWide =
            columns % 4 == 0 && x.hasWideRows && out.hasWideRows
            && [gamma, beta].allSatisfy { $0.map { $0.address % 16 == 0 } ?? true }
        let limit = device.properties.maxWorkgroupCount[0]
        for first in stride(from: 0, to: x.rows, by: limit) {
            let rows = first..<min(first + limit, x.rows)
            let (x, out) = (x.rows(rows), out.rows(rows))
            let push = NormPush(
                x: x.address, gamma: gamma?.address ?? 0, beta: beta?.address ?? 0, result: out.address,
                columns: UInt32(columns),
                xStride: UInt32(x.rowStride), resultStride: UInt32(out.rowStride), epsilon: epsilon)
            try dispatch(
                NormSelection.select(root: root, rows: rows.count, groups: x.columns / columns, isWide: isWide),
                push: push,
                reads: [x.byteRange] + [gamma, beta].compactMap { $0?.byteRange }, writes: [out.byteRange],
                label: root ? "rmsNorm" : "layerNorm", operations: 8 * Double(x.rows) * Double(x.columns))
        }
    }
}
