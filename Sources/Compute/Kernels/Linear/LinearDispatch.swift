private struct LinearPush: BitwiseCopyable {
    var x, w, bias, residual, result, gamma, beta: UInt64
    var rows, outputs, inputs: UInt32
    var xStride, wStride, residualStride, resultStride: UInt32
    var gate, wBefore: UInt32
    var epsilon: Float
    var wTexel, xTexel, gammaTexel, betaTexel: UInt32
}

extension CommandStream {
    /// out[m, n] = activation(Σₖ norm(x)[m, k]·weight[n, k] + bias[n]) + residual[m, n], in f32.
    ///
    /// Gated, the weight has 2N rows, gates first: out[m, n] = activation(gate)·partner + residual.
    ///
    /// - Parameters:
    ///   - x: `[M, K]` f32, any row stride, even one less than K (overlapping windows of a convolution).
    ///   - norm: taken of each row of x; only where `LinearSelection.fuses`.
    ///   - weight: `[N, K]` in any of `LinearSelection.formats`.
    ///   - bias: `[1, N]` f32 (gated: `[1, 2N]`).
    ///   - residual: `[M, N]` f32; may be `out` itself.
    ///   - out: `[M, N]` f32.
    ///   - profile, load: force a tuning; the device's own by default.
    package func linear(
        _ x: Tensor, norm: InputNorm? = nil, weight: WeightMatrix, bias: Tensor? = nil, activation: Activation = .none,
        isGated: Bool = false,
        residual: Tensor? = nil, into out: Tensor, profile: KernelProfile? = nil, load: LoadPath? = nil
    ) throws {
        let outputs = isGated ? weight.rows / 2 : weight.rows
        precondition(
            x.columns == weight.columns && out.rows == x.rows && out.columns == outputs
                && (!isGated || weight.rows % 2 == 0),
            "linear: x [\(x.rows), \(x.columns)], weight [\(weight.rows), \(weight.columns)], out [\(out.rows), \(out.columns)]"
        )
        precondition(bias.map { $0.columns == weight.rows } ?? true, "linear: bias has not \(weight.rows) elements")
        precondition(
            residual.map { $0.rows >= x.rows && $0.columns == outputs } ?? true,
            "linear: residual is not [\(x.rows), \(outputs)]")
        precondition(
            [x.format, out.format, bias?.format ?? .f32, residual?.format ?? .f32].allSatisfy { $0 == .f32 },
            "linear: activations are f32")
        precondition(weight.address % 16 == 0, "linear: weights start on 16 bytes")
        precondition(
            weight.columns % weight.format.elementsPerBlock == 0,
            "linear: rows of \(weight.columns) are no whole \(weight.format.rawValue) blocks")
        if let norm {
            precondition(
                [norm.gamma, norm.beta ?? norm.gamma].allSatisfy {
                    $0.columns == x.columns && $0.format == .f32 && $0.address % 16 == 0
                }
                    && (norm.kind != .layer || norm.beta != nil), "linear: the norm has not \(x.columns) elements")
        }
        if x.rows == 0 || weight.rows == 0 { return }

        let isWide = x.hasWideRows && x.columns % 4 == 0
        let normed = [norm?.gamma, norm?.beta].compactMap { $0 }
        let load =
            isWide
            ? loadPath(
                load, profile: profile,
                reading: [(weight.buffer, weight.byteOffset), (x.buffer, x.byteOffset)]
                    + normed.map { ($0.buffer, $0.byteOffset) }) : .address
        let problem = LinearProblem(
            rows: x.rows, outputs: outputs, inputs: x.columns, format: weight.format, activation: activation,
            hasWideRows: isWide, load: load,
            norm: norm?.kind, isGated: isGated, rowsPerPanel: weight.rowsPerPanel)
        let choice = LinearSelection.select(problem, device.properties, profile: profile)
        let reads = [x.byteRange, weight.byteRange] + ([bias, residual].compactMap { $0 } + normed).map(\.byteRange)
        let label = "linear \(weight.format.rawValue) \(x.rows)×\(weight.rows)×\(x.columns)"
        let operations = 2 * Double(x.rows) * Double(weight.rows) * Double(x.columns)
        let views = load == .texel ? [weight.buffer, x.buffer] + normed.map(\.buffer) : []
        let push = LinearPush(
            x: x.address, w: weight.address, bias: bias?.address ?? 0, residual: residual?.address ?? 0,
            result: out.address,
            gamma: norm?.gamma.address ?? 0, beta: norm?.beta?.address ?? 0, rows: UInt32(x.rows),
            outputs: UInt32(outputs),
            inputs: UInt32(x.columns), xStride: UInt32(x.rowStride), wStride: UInt32(weight.rowStride),
            residualStride: UInt32(residual?.rowStride ?? 0), resultStride: UInt32(out.rowStride),
            gate: UInt32(isGated ? outputs : 0),
            wBefore: UInt32(weight.rowsBefore), epsilon: norm?.epsilon ?? 0, wTexel: weight.byteOffset.texels,
            xTexel: x.byteOffset.texels,
            gammaTexel: norm?.gamma.byteOffset.texels ?? 0, betaTexel: norm?.beta?.byteOffset.texels ?? 0)
        try dispatch(
            choice, push: push, reads: reads, writes: [out.byteRange], views: views, label: label,
            operations: operations)
    }
}
