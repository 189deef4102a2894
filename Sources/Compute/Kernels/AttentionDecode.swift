import Formats

private struct DecodePush: BitwiseCopyable {
    var q, newK, newV, k, v, bias, result, capture, step: UInt64
    var group, keyCount: UInt32
    var qStride, newStride, cacheStride, cacheBatchStride, resultStride: UInt32
    var biasHeadStride, biasByDistance: UInt32
    var scale: Float
    var captureSlotStride, captureRowStride: UInt32
    var capacity: UInt32
}

/// An additive term of a decode step's scores, f32.
public struct DecodeBias: Sendable {
    /// `[heads or 1, count]`
    public var values: Tensor
    /// Read at `position − key` instead of at `key` (T5's relative positions, tabulated by distance).
    public var isByDistance: Bool

    public init(values: Tensor, isByDistance: Bool) {
        self.values = values
        self.isByDistance = isByDistance
    }
}

/// Chooses the form of `attentionDecode`: one subgroup per head and row on a CPU driver, 256 invocations that share the
/// keys out on a GPU.
public enum AttentionDecodeSelection {
    public static func select(
        _ shape: AttentionShape, rows: Int, cache: ElementFormat, isWide: Bool, _ properties: DeviceProperties,
        profile: KernelProfile? = nil
    ) -> KernelChoice {
        AttentionSelection.check(shape, cache: cache)
        let count =
            switch profile ?? KernelProfile(properties) {
            case .vector: 1
            case .coalesced:
                // Each subgroup's output and its two statistics pass through shared memory at the end.
                min(
                    subgroups(forInvocations: 256, properties),
                    properties.maxSharedMemoryBytes / (divideRoundingUp(shape.headDimension, 4) * 16 + 8))
            }
        return KernelChoice(
            KernelVariant(
                "attention/decode_\(cache.rawValue)", constants: [UInt32(shape.headDimension), isWide.constant, UInt32(count)]),
            x: shape.heads, y: rows)
    }
}

extension CommandStream {
    /// Attention of one new position for each of B hypotheses, with the tap, in one dispatch.
    ///
    /// - Parameters:
    ///   - query: `[B, heads·D]` f32; `out` alike.
    ///   - append: this step's keys and values, `[B, keyValueHeads·D]` f32, which first join the cache at
    ///     `StepState.position` (self-attention).
    ///   - key: `[B·keyCapacity, keyValueHeads·D]` f32 or f16 (`value` alike, of the same row stride).
    ///   - keyCapacity: rows of one hypothesis in the cache; 0 where all hypotheses share the same keys.
    ///   - bias: added to the scores.
    ///   - capture: `[B·heads, …]` f32; row b·heads + h receives that row's softmax, exactly as used.
    ///   - captureSlotStride: rows of `capture` from one `StepState.captureSlot` to the next.
    public func attentionDecode(
        shape: AttentionShape, query: Tensor, append: (key: Tensor, value: Tensor)?, key: Tensor, value: Tensor, keyCapacity: Int,
        keyCount: KeyCount, step: StepBuffer, bias: DecodeBias? = nil, capture: Tensor? = nil, captureSlotStride: Int = 0,
        into out: Tensor, profile: KernelProfile? = nil
    ) throws {
        let rows = query.rows
        precondition(
            query.columns == shape.queryWidth && out.columns == shape.queryWidth && out.rows == rows && key.columns == shape.keyWidth
                && value.columns == shape.keyWidth && key.format == value.format && key.rowStride == value.rowStride,
            "attentionDecode: query [\(rows), \(query.columns)], key [\(key.rows), \(key.columns)] for \(shape)")
        precondition(key.rows >= max(1, rows * keyCapacity), "attentionDecode: a cache of \(key.rows) rows for \(rows) × \(keyCapacity)")
        precondition(
            capture.map { $0.rows >= rows * shape.heads && $0.format == .f32 } ?? true, "attentionDecode: capture has too few rows")
        precondition(
            append.map { $0.key.rowStride == $0.value.rowStride && $0.key.columns == shape.keyWidth && $0.key.rows >= rows } ?? true,
            "attentionDecode: new keys and values do not fit \(shape)")
        // A step that claims more keys than there is room for is cut short, not followed out of the buffers.
        let capacity = min(keyCapacity == 0 ? key.rows : keyCapacity, capture?.columns ?? .max)
        var fixedCount = 0
        if case .fixed(let count) = keyCount {
            precondition(count > 0 && count <= (keyCapacity == 0 ? key.rows : keyCapacity), "attentionDecode: \(count) keys of \(key.rows)")
            precondition(capture.map { $0.columns >= count } ?? true, "attentionDecode: capture rows are shorter than \(count) keys")
            fixedCount = count
        }
        if rows == 0 { return }

        let choice = AttentionDecodeSelection.select(
            shape, rows: rows, cache: key.format, isWide: shape.isWide(queries: [query, out], keys: [key, value]), device.properties,
            profile: profile)
        let push = DecodePush(
            q: query.address, newK: append?.key.address ?? 0, newV: append?.value.address ?? 0, k: key.address, v: value.address,
            bias: bias?.values.address ?? 0, result: out.address, capture: capture?.address ?? 0, step: step.address,
            group: UInt32(shape.heads / shape.keyValueHeads), keyCount: UInt32(fixedCount), qStride: UInt32(query.rowStride),
            newStride: UInt32(append?.key.rowStride ?? 0), cacheStride: UInt32(key.rowStride),
            cacheBatchStride: UInt32(keyCapacity * key.rowStride), resultStride: UInt32(out.rowStride),
            biasHeadStride: bias.map { $0.values.rows > 1 ? UInt32($0.values.rowStride) : 0 } ?? 0,
            biasByDistance: (bias?.isByDistance ?? false).constant, scale: shape.scale,
            captureSlotStride: UInt32(captureSlotStride * (capture?.rowStride ?? 0)), captureRowStride: UInt32(capture?.rowStride ?? 0),
            capacity: UInt32(capacity))
        var reads = [query.byteRange, key.byteRange, value.byteRange, step.byteRange]
        var writes = [out.byteRange]
        if let append {
            reads += [append.key.byteRange, append.value.byteRange]
            writes += [key.byteRange, value.byteRange]
        }
        if let bias { reads.append(bias.values.byteRange) }
        if let capture { writes.append(capture.byteRange) }
        try dispatch(
            choice, push: push, reads: reads, writes: writes, label: append == nil ? "attentionDecode cross" : "attentionDecode self",
            operations: 4 * Double(shape.queryWidth) * Double(rows) * Double(max(fixedCount, 64)))
    }
}
