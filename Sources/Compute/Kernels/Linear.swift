import Formats

/// What `linear` has to compute, as far as its selection depends on it.
public struct LinearProblem: Sendable, Hashable {
    /// Rows of x.
    public var rows: Int
    /// Output features N.
    public var outputs: Int
    /// Input features K.
    public var inputs: Int
    public var format: ElementFormat
    public var activation: Activation
    /// x's rows start on 16 bytes and K is a multiple of 4.
    public var hasWideRows: Bool

    public init(rows: Int, outputs: Int, inputs: Int, format: ElementFormat, activation: Activation = .none, hasWideRows: Bool) {
        self.rows = rows
        self.outputs = outputs
        self.inputs = inputs
        self.format = format
        self.activation = activation
        self.hasWideRows = hasWideRows
    }
}

/// Chooses among the forms of `linear`.
///
/// - `linear/shuffle`: one subgroup computes TM rows × TN·lanes outputs, lane = weight row, x by shuffle. The form of CPU
///   drivers for every size: TM 1 for one row, 4 for a few, 8 × 4 from five on.
/// - `linear/row`: a subgroup per weight row, lanes along K, for up to eight rows of x on a GPU.
/// - `linear/tile`: 64 × 64 tiles through shared memory, for more rows on a GPU.
public enum LinearSelection {
    public static let formats: [ElementFormat] = plainFormats + BlockLayout.formats
    /// Formats of single elements.
    public static let plainFormats: [ElementFormat] = [.f32, .f16, .bf16]

    public static func select(_ problem: LinearProblem, _ properties: DeviceProperties, profile: KernelProfile? = nil) -> KernelChoice {
        precondition(formats.contains(problem.format), "linear has no kernel for \(problem.format.rawValue) weights")
        switch profile ?? KernelProfile(properties) {
        case .vector: return shuffle(problem, properties)
        case .coalesced: return problem.rows <= 8 ? row(problem, properties) : tile(problem, properties)
        }
    }

    private static func constants(_ problem: LinearProblem) -> [UInt32] {
        [problem.activation.rawValue, problem.hasWideRows.constant]
    }

    private static func shuffle(_ problem: LinearProblem, _ properties: DeviceProperties) -> KernelChoice {
        let (rows, outputsPerLane) =
            switch problem.rows {
            case 1: (1, problem.format == .f32 ? 1 : problem.format.isQuantized ? 4 : 2)
            case 2...4: (4, 2)
            default: (8, 4)
            }
        let variant = KernelVariant(
            "linear/shuffle_\(problem.format.rawValue)", constants: [UInt32(rows), UInt32(outputsPerLane)] + constants(problem))
        return KernelChoice(
            variant, x: divideRoundingUp(problem.outputs, properties.subgroupSize * outputsPerLane), y: divideRoundingUp(problem.rows, rows))
    }

    private static func row(_ problem: LinearProblem, _ properties: DeviceProperties) -> KernelChoice {
        let rows = [1, 2, 4, 8].first { $0 >= problem.rows } ?? 8
        let outputs = rows == 1 ? 2 : 1
        let count = subgroups(forInvocations: 128, properties)
        let variant = KernelVariant(
            "linear/row_\(problem.format.rawValue)",
            constants: [UInt32(rows), UInt32(outputs)] + constants(problem) + [UInt32(count)])
        return KernelChoice(variant, x: divideRoundingUp(problem.outputs, outputs * count))
    }

    private static func tile(_ problem: LinearProblem, _ properties: DeviceProperties) -> KernelChoice {
        let variant = KernelVariant(
            "linear/tile_\(problem.format.rawValue)",
            constants: constants(problem) + [UInt32(256 / properties.subgroupSize)])
        return KernelChoice(variant, x: divideRoundingUp(problem.outputs, 64), y: divideRoundingUp(problem.rows, 64))
    }
}

private struct LinearPush: BitwiseCopyable {
    var x, w, bias, residual, result: UInt64
    var rows, outputs, inputs: UInt32
    var xStride, wStride, residualStride, resultStride: UInt32
}

extension CommandStream {
    /// out[m, n] = activation(Σₖ x[m, k]·weight[n, k] + bias[n]) + residual[m, n], in f32.
    ///
    /// - Parameters:
    ///   - x: `[M, K]` f32, any row stride, even one less than K (overlapping windows of a convolution).
    ///   - weight: `[N, K]` in any of `LinearSelection.formats`.
    ///   - bias: `[1, N]` f32.
    ///   - residual: `[M, N]` f32; may be `out` itself.
    ///   - out: `[M, N]` f32.
    ///   - profile: forces a tuning; the device's own by default.
    public func linear(
        _ x: Tensor, weight: WeightMatrix, bias: Tensor? = nil, activation: Activation = .none, residual: Tensor? = nil,
        into out: Tensor, profile: KernelProfile? = nil
    ) throws {
        precondition(
            x.columns == weight.columns && out.rows == x.rows && out.columns == weight.rows,
            "linear: x [\(x.rows), \(x.columns)], weight [\(weight.rows), \(weight.columns)], out [\(out.rows), \(out.columns)]")
        precondition(bias.map { $0.columns == weight.rows } ?? true, "linear: bias has not \(weight.rows) elements")
        precondition(
            residual.map { $0.rows >= x.rows && $0.columns == weight.rows } ?? true, "linear: residual is not [\(x.rows), \(weight.rows)]")
        precondition(
            [x.format, out.format, bias?.format ?? .f32, residual?.format ?? .f32].allSatisfy { $0 == .f32 }, "linear: activations are f32")
        precondition(weight.address % 16 == 0, "linear: weights start on 16 bytes")
        precondition(weight.columns % weight.format.elementsPerBlock == 0, "linear: rows of \(weight.columns) are no whole \(weight.format.rawValue) blocks")
        if x.rows == 0 || weight.rows == 0 { return }

        let problem = LinearProblem(
            rows: x.rows, outputs: weight.rows, inputs: x.columns, format: weight.format, activation: activation,
            hasWideRows: x.hasWideRows && x.columns % 4 == 0)
        let push = LinearPush(
            x: x.address, w: weight.address, bias: bias?.address ?? 0, residual: residual?.address ?? 0, result: out.address,
            rows: UInt32(x.rows), outputs: UInt32(weight.rows), inputs: UInt32(x.columns), xStride: UInt32(x.rowStride),
            wStride: UInt32(weight.rowStride), residualStride: UInt32(residual?.rowStride ?? 0), resultStride: UInt32(out.rowStride))
        try dispatch(
            LinearSelection.select(problem, device.properties, profile: profile), push: push,
            reads: [x.byteRange, weight.byteRange] + [bias, residual].compactMap { $0?.byteRange }, writes: [out.byteRange],
            label: "linear \(weight.format.rawValue) \(x.rows)×\(weight.rows)×\(x.columns)",
            operations: 2 * Double(x.rows) * Double(weight.rows) * Double(x.columns))
    }

    /// A one-dimensional convolution over time as a matrix product: the window of output t is one contiguous row.
    ///
    /// out[t, o] = activation(Σ_{j, c} padded[t·stride + j, c] · weight[o, j·C + c] + bias[o]) + residual[t, o]
    ///
    /// - Parameters:
    ///   - padded: `[T + padding, C]` f32, time-major and contiguous, with the convolution's zero rows in place.
    ///   - weight: `[outputs, kernel·C]`, the kernel's taps outermost.
    ///   - out: `[(padded rows − kernel) / stride + 1, outputs]` f32.
    public func convolution1D(
        _ padded: Tensor, weight: WeightMatrix, kernel: Int, stride: Int, bias: Tensor? = nil, activation: Activation = .none,
        residual: Tensor? = nil, into out: Tensor, profile: KernelProfile? = nil
    ) throws {
        precondition(padded.rowStride == padded.columns, "convolution1D: time steps are contiguous")
        precondition(kernel >= 1 && stride >= 1 && padded.rows >= kernel, "convolution1D: kernel \(kernel) over \(padded.rows) rows")
        let windows = Tensor(
            buffer: padded.buffer, byteOffset: padded.byteOffset, rows: (padded.rows - kernel) / stride + 1,
            columns: kernel * padded.columns, rowStride: stride * padded.columns, format: padded.format)
        try linear(windows, weight: weight, bias: bias, activation: activation, residual: residual, into: out, profile: profile)
    }
}
