import NumberFormats

private struct DecodePush: BitwiseCopyable {
    var q, newK, newV, k, v, bias, result, capture, step: UInt64
    var angles: UInt64
    var keyCount: UInt32
    var qStride, newStride, cacheStride, cacheBatchStride, resultStride: UInt32
    var biasHeadStride: UInt32
    var scale: Float
    var captureRowStride: UInt32
    var capacity: UInt32
    var kTexel, vTexel: UInt32
}

/// Rotary positions applied to queries and new keys on their way in; as for `rotary`.
package struct DecodeRotary: Sendable {
    package var shape: RotaryShape
    /// `[positions, rotaryDimension]` f32, contiguous, with at least one row per key of the cache's capacity.
    package var table: Tensor

    package init(shape: RotaryShape, table: Tensor) {
        self.shape = shape
        self.table = table
    }
}

/// An additive term of a decode step's scores, f32.
package struct DecodeBias: Sendable {
    /// `[heads or 1, count]`, one row more where the index says so.
    package var values: Tensor
    /// Index of the values.
    package var index: Index

    package enum Index: UInt32, Sendable, Hashable {
        /// The key.
        case key = 0
        /// position − key (T5's relative positions, tabulated by distance).
        case distance = 1
        /// position − key, and the key in a further row behind those of the heads, `[heads + 1, count]`: both are added.
        case distanceAndKey = 2
    }

    package init(values: Tensor, index: Index) {
        self.values = values
        self.index = index
    }
}

/// Chooses the form of `attentionDecode`: one subgroup per head and row on a CPU driver, 256 invocations that share the
/// keys out on a GPU.
package enum AttentionDecodeSelection {
    package static func select(
        _ shape: AttentionShape, rows: Int, cache: ElementFormat, isWide: Bool, biasIndex: DecodeBias.Index = .key,
        rotary: RotaryShape? = nil,
        load: LoadPath = .address, _ properties: DeviceProperties, profile: KernelProfile? = nil
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
                "attention/decode_\(cache.rawValue)_\(load.rawValue)",
                constants: [
                    UInt32(shape.headDimension), isWide.constant, UInt32(count),
                    UInt32(shape.heads / shape.keyValueHeads),
                    biasIndex.rawValue, rotary.map { $0.isInterleaved ? 2 : 1 } ?? 0,
                    UInt32(rotary?.rotaryDimension ?? 1),
                ] + shape.limits),
            x: shape.heads, y: rows)
    }
}

extension CommandStream {
    /// Attention of one new position for each of B hypotheses, with optional capture of the weights, in one dispatch.
    ///
    /// - Parameters:
    ///   - query: `[B, heads·D]` f32; `out` alike.
    ///   - append: this step's keys and values, `[B, keyValueHeads·D]` f32, which first join the cache at
    ///     `StepState.position` (self-attention).
    ///   - key: `[B·keyCapacity, keyValueHeads·D]` f32 or f16 (`value` alike, of the same row stride).
    ///   - keyCapacity: rows of one hypothesis in the cache; 0 where all hypotheses share the same keys.
    ///   - rotary: rotates query and new keys; values in `query` and `append` stay as they are.
    ///   - bias: added to the scores.
    ///   - capture: `[B·heads, …]` f32; row b·heads + h receives that row's softmax, exactly as used.
    package func attentionDecode(
        shape: AttentionShape, query: Tensor, append: (key: Tensor, value: Tensor)?, key: Tensor, value: Tensor,
        keyCapacity: Int,
        keyCount: KeyCount, step: StepBuffer, rotary: DecodeRotary? = nil, bias: DecodeBias? = nil,
        capture: Tensor? = nil,
        into out: Tensor, profile: KernelProfile? = nil, load: LoadPath? = nil
    ) throws {
        let rows = query.rows
        precondition(
            query.columns == shape.queryWidth && out.columns == shape.queryWidth && out.rows == rows
                && key.columns == shape.keyWidth
                && value.columns == shape.keyWidth && key.format == value.format && key.rowStride == value.rowStride,
            "attentionDecode: query [\(rows), \(query.columns)], key [\(key.rows), \(key.columns)] for \(shape)")
        precondition(
            key.rows >= max(1, rows * keyCapacity),
            "attentionDecode: a cache of \(key.rows) rows for \(rows) × \(keyCapacity)")
        precondition(
            capture.map { $0.rows >= rows * shape.heads && $0.format == .f32 } ?? true,
            "attentionDecode: capture has too few rows")
        precondition(
            append.map {
                $0.key.rowStride == $0.value.rowStride && $0.key.columns == shape.keyWidth && $0.key.rows >= rows
            } ?? true,
            "attentionDecode: new keys and values do not fit \(shape)")
        // A step that claims more keys than the capacity is cut short and never reads beyond the buffers.
        let capacity = min(keyCapacity == 0 ? key.rows : keyCapacity, capture?.columns ?? .max)
        var fixedCount = 0
        if case .fixed(let count) = keyCount {
            precondition(
                count > 0 && count <= (keyCapacity == 0 ? key.rows : keyCapacity),
                "attentionDecode: \(count) keys of \(key.rows)")
            precondition(
                capture.map { $0.columns >= count } ?? true,
                "attentionDecode: capture rows are shorter than \(count) keys")
            fixedCount = count
        }
        if rows == 0 { return }

        if let rotary {
            precondition(
                rotary.shape.headDimension == shape.headDimension && rotary.shape.rotaryDimension <= shape.headDimension
                    && rotary.table.columns == rotary.shape.rotaryDimension
                    && rotary.table.rowStride == rotary.table.columns
                    && rotary.table.format == .f32 && rotary.table.rows >= capacity,
                "attentionDecode: rotary positions do not fit \(shape) and \(capacity) keys")
        }
        let isWide = shape.isWide(queries: [query, out], keys: [key, value])
        // Texels are read from rows and heads that start on 16 bytes.
        let canUseTexels =
            isWide && shape.headDimension * key.elementBytes % 16 == 0 && key.rowStride * key.elementBytes % 16 == 0
        let load =
            canUseTexels
            ? loadPath(
                load, profile: profile, reading: [(key.buffer, key.byteOffset), (value.buffer, value.byteOffset)])
            : .address
        let choice = AttentionDecodeSelection.select(
            shape, rows: rows, cache: key.format, isWide: isWide, biasIndex: bias?.index ?? .key,
            rotary: rotary?.shape,
            load: load, device.properties, profile: profile)
        let push = DecodePush(
            q: query.address, newK: append?.key.address ?? 0, newV: append?.value.address ?? 0, k: key.address,
            v: value.address,
            bias: bias?.values.address ?? 0, result: out.address, capture: capture?.address ?? 0, step: step.address,
            angles: rotary?.table.address ?? 0, keyCount: UInt32(fixedCount), qStride: UInt32(query.rowStride),
            newStride: UInt32(append?.key.rowStride ?? 0), cacheStride: UInt32(key.rowStride),
            cacheBatchStride: UInt32(keyCapacity * key.rowStride), resultStride: UInt32(out.rowStride),
            biasHeadStride: bias.map { $0.values.rows > 1 ? UInt32($0.values.rowStride) : 0 } ?? 0, scale: shape.scale,
            captureRowStride: UInt32(capture?.rowStride ?? 0), capacity: UInt32(capacity),
            kTexel: load == .texel ? key.byteOffset.texels : 0,
            vTexel: load == .texel ? value.byteOffset.texels : 0)
        var reads = [query.byteRange, key.byteRange, value.byteRange, step.byteRange]
        var writes = [out.byteRange]
        if let append {
            reads += [append.key.byteRange, append.value.byteRange]
            writes += [key.byteRange, value.byteRange]
        }
        if let rotary { reads.append(rotary.table.byteRange) }
        if let bias { reads.append(bias.values.byteRange) }
        if let capture { writes.append(capture.byteRange) }
        try dispatch(
            choice, push: push, reads: reads, writes: writes, views: load == .texel ? [key.buffer, value.buffer] : [],
            label: append == nil ? "attentionDecode cross" : "attentionDecode self",
            operations: 4 * Double(shape.queryWidth) * Double(rows) * Double(max(fixedCount, 64)))
    }
}
