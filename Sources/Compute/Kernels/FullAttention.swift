import NumberFormats

/// An additive term of attention scores, f32, `[heads or 1, queries, keys]`: a mask or a position bias.
///
/// Values below -3e38 (`-Float.greatestFiniteMagnitude` and -∞ among them) exclude a key: its weight is exactly 0.
package struct AttentionBias: Sendable {
    /// `[heads · queries, keys]`, or `[queries, keys]` for all heads alike.
    package var values: Tensor
    package var isPerHead: Bool

    package init(values: Tensor, isPerHead: Bool) {
        self.values = values
        self.isPerHead = isPerHead
    }
}

private struct FlashPush: BitwiseCopyable {
    var q, k, v, bias, result, lse: UInt64
    var queries, keys, group: UInt32
    var qStride, kStride, vStride, resultStride: UInt32
    var biasHeadStride, biasRowStride: UInt32
    var scale: Float
    var causal: UInt32
    var offset: Int32
    var kTexel, vTexel: UInt32
}

private struct RowsPush: BitwiseCopyable {
    var q, k, bias, lse, result: UInt64
    var queries, keys, group, firstRow: UInt32
    var qStride, kStride: UInt32
    var biasHeadStride, biasRowStride: UInt32
    var resultHeadStride, resultRowStride: UInt32
    var scale: Float
    var causal: UInt32
    var offset: Int32
    var visible: UInt32
}

/// Chooses among the forms of attention over many queries.
///
/// - `attention/flash`: one subgroup holds TM queries, keys by lane, all by shuffle. TM 16 for long inputs on a CPU
///   driver (a third faster than 8, twice the compilation), with four keys a lane by address; else 4.
/// - `attention/tile`: keys and values pass through shared memory for BQ queries at once. For GPUs.
package enum AttentionSelection {
    package static let largestHead = 256

    package static func select(
        _ shape: AttentionShape, queries: Int, cache: ElementFormat, isWide: Bool, load: LoadPath = .address,
        _ properties: DeviceProperties, profile: KernelProfile? = nil
    ) -> KernelChoice {
        check(shape, cache: cache)
        switch profile ?? KernelProfile(properties) {
        case .vector:
            // More than 64 elements a head cost registers in proportion.
            let isLarge = queries >= 64 && shape.headDimension <= 64
            let (rows, keysPerLane) = (isLarge ? 16 : 4, isLarge && load == .address ? 4 : 1)
            return KernelChoice(
                KernelVariant(
                    "attention/flash_\(cache.rawValue)_\(load.rawValue)",
                    constants: [UInt32(shape.headDimension), isWide.constant, UInt32(rows), UInt32(keysPerLane)]
                        + shape.limits),
                x: divideRoundingUp(queries, rows), y: shape.heads)
        case .coalesced:
            let tile = tile(headDimension: shape.headDimension, properties)
            return KernelChoice(
                KernelVariant(
                    "attention/tile_\(cache.rawValue)",
                    constants: [
                        UInt32(shape.headDimension), isWide.constant, UInt32(tile.queries), UInt32(tile.keys),
                        UInt32(4 * tile.queries / properties.subgroupSize),
                    ] + shape.limits),
                x: divideRoundingUp(queries, tile.queries), y: shape.heads)
        }
    }

    /// The largest tile whose queries, keys and scores fit in shared memory.
    static func tile(headDimension: Int, _ properties: DeviceProperties) -> (queries: Int, keys: Int) {
        let vectors = divideRoundingUp(headDimension, 4)
        for (queries, keys) in [(32, 32), (32, 16), (16, 16)] {
            let bytes = (queries + keys) * (vectors + 1) * 16 + queries * (keys + 1) * 4
            if bytes <= properties.maxSharedMemoryBytes, 4 * queries <= properties.maxWorkgroupInvocations {
                return (queries, keys)
            }
        }
        return (16, 8)
    }

    static func rows(_ shape: AttentionShape, rows: Int, cache: ElementFormat, isWide: Bool) -> KernelChoice {
        check(shape, cache: cache)
        return KernelChoice(
            KernelVariant(
                "attention/rows_\(cache.rawValue)",
                constants: [UInt32(shape.headDimension), isWide.constant] + shape.limits),
            x: rows, y: shape.heads)
    }

    static func check(_ shape: AttentionShape, cache: ElementFormat) {
        precondition(
            (1...largestHead).contains(shape.headDimension), "attention: heads have 1 to \(largestHead) elements")
        precondition(
            shape.keyValueHeads > 0 && shape.heads % shape.keyValueHeads == 0,
            "attention: heads do not divide into groups")
        precondition(cache == .f32 || cache == .f16, "attention: keys and values are f32 or f16")
        precondition((shape.window ?? 1) > 0 && (shape.scoreCap ?? 1) > 0, "attention: windows and caps are positive")
    }
}

extension AttentionShape {
    var queryWidth: Int { heads * headDimension }
    var keyWidth: Int { keyValueHeads * headDimension }

    /// `true` when heads can be read four elements at a time.
    func isWide(queries: [Tensor], keys: [Tensor]) -> Bool {
        headDimension % 4 == 0 && queries.allSatisfy(\.hasWideRows)
            && keys.allSatisfy { $0.address % UInt64(4 * $0.elementBytes) == 0 && $0.rowStride % 4 == 0 }
    }
}

extension CommandStream {
    /// Attention of many queries at once (prefill, encoders), without storing the weights:
    /// out[i, h·D…] = Σⱼ softmaxⱼ(scale·q[i, h]·k[j, g] + bias[h, i, j])·v[j, g…], g = h / (heads / keyValueHeads).
    ///
    /// - Parameters:
    ///   - query: `[Tq, heads·D]` f32; `out` alike.
    ///   - key: `[Tk, keyValueHeads·D]` f32 or f16; `value` alike.
    ///   - logSumExp: `[heads, Tq]` f32, contiguous; receives log Σⱼ exp of the scores.
    package func attention(
        shape: AttentionShape, query: Tensor, key: Tensor, value: Tensor, bias: AttentionBias? = nil,
        logSumExp: Tensor? = nil,
        into out: Tensor, profile: KernelProfile? = nil, load: LoadPath? = nil
    ) throws {
        precondition(
            query.columns == shape.queryWidth && out.columns == shape.queryWidth && out.rows == query.rows
                && key.columns == shape.keyWidth
                && value.columns == shape.keyWidth && value.rows == key.rows && key.format == value.format,
            "attention: query [\(query.rows), \(query.columns)], key [\(key.rows), \(key.columns)], value [\(value.rows), \(value.columns)] for \(shape)"
        )
        precondition(query.format == .f32 && out.format == .f32, "attention: queries and outputs are f32")
        precondition(
            logSumExp.map {
                $0.rows * $0.columns >= shape.heads * query.rows && ($0.rows == 1 || $0.rowStride == $0.columns)
                    && $0.format == .f32
            } ?? true,
            "attention: logSumExp is not [\(shape.heads), \(query.rows)]")
        checkBias(bias, shape: shape, queries: query.rows, keys: key.rows)
        if query.rows == 0 { return }
        precondition(key.rows > 0, "attention: no keys")

        let isWide = shape.isWide(queries: [query, out], keys: [key, value])
        // Texels are read from rows and heads that start on 16 bytes.
        let canUseTexels =
            isWide
            && [shape.headDimension, key.rowStride, value.rowStride].allSatisfy {
                $0 * key.elementBytes % TexelViews.texelBytes == 0
            }
        let load =
            canUseTexels
            ? loadPath(
                load, profile: profile, reading: [(key.buffer, key.byteOffset), (value.buffer, value.byteOffset)])
            : .address
        let choice = AttentionSelection.select(
            shape, queries: query.rows, cache: key.format, isWide: isWide, load: load, device.properties,
            profile: profile)
        let push = FlashPush(
            q: query.address, k: key.address, v: value.address, bias: bias?.values.address ?? 0, result: out.address,
            lse: logSumExp?.address ?? 0, queries: UInt32(query.rows), keys: UInt32(shape.visible(of: key.rows)),
            group: UInt32(shape.heads / shape.keyValueHeads), qStride: UInt32(query.rowStride),
            kStride: UInt32(key.rowStride),
            vStride: UInt32(value.rowStride), resultStride: UInt32(out.rowStride),
            biasHeadStride: bias.map { $0.isPerHead ? UInt32(query.rows * $0.values.rowStride) : 0 } ?? 0,
            biasRowStride: UInt32(bias?.values.rowStride ?? 0), scale: shape.scale,
            causal: shape.isCausal.constant,
            offset: Int32(shape.causalOffset ?? 0), kTexel: load == .texel ? key.byteOffset.texels : 0,
            vTexel: load == .texel ? value.byteOffset.texels : 0)
        try dispatch(
            choice, push: push,
            reads: [query, key, value].map(\.byteRange) + [bias?.values].compactMap { $0?.byteRange },
            writes: [out.byteRange] + [logSumExp].compactMap { $0?.byteRange },
            views: load == .texel ? [key.buffer, value.buffer] : [],
            label: "attention \(query.rows)×\(key.rows)",
            operations: 4 * Double(shape.queryWidth) * Double(query.rows) * Double(key.rows))
    }

    /// The exact softmax rows of some queries, recomputed: out[h, r, j] for r over `rows`.
    ///
    /// - Parameters:
    ///   - rows: the queries, in any order.
    ///   - logSumExp: `[heads, Tq]` from `attention`; without it the kernel finds each row's sum itself.
    ///   - out: `[heads · rows.count, Tk]` f32.
    package func attentionRows(
        _ rows: [Int], shape: AttentionShape, query: Tensor, key: Tensor, bias: AttentionBias? = nil,
        logSumExp: Tensor? = nil,
        into out: Tensor
    ) throws {
        precondition(
            query.columns == shape.queryWidth && key.columns == shape.keyWidth,
            "attentionRows: query or key do not fit \(shape)")
        precondition(
            rows.allSatisfy { (0..<query.rows).contains($0) }, "attentionRows: a row beyond the \(query.rows) queries")
        precondition(
            out.rows == shape.heads * rows.count && out.columns == key.rows && out.format == .f32,
            "attentionRows: out is not [\(shape.heads) · \(rows.count), \(key.rows)]")
        checkBias(bias, shape: shape, queries: query.rows, keys: key.rows)
        let isWide = shape.isWide(queries: [query], keys: [key])
        // One dispatch for every run of neighbors: almost always one run.
        var start = 0
        while start < rows.count {
            var end = start + 1
            while end < rows.count, rows[end] == rows[end - 1] + 1 { end += 1 }
            let push = RowsPush(
                q: query.address, k: key.address, bias: bias?.values.address ?? 0, lse: logSumExp?.address ?? 0,
                result: out.address + UInt64(start * out.rowStride * 4), queries: UInt32(query.rows),
                keys: UInt32(key.rows),
                group: UInt32(shape.heads / shape.keyValueHeads), firstRow: UInt32(rows[start]),
                qStride: UInt32(query.rowStride),
                kStride: UInt32(key.rowStride),
                biasHeadStride: bias.map { $0.isPerHead ? UInt32(query.rows * $0.values.rowStride) : 0 } ?? 0,
                biasRowStride: UInt32(bias?.values.rowStride ?? 0),
                resultHeadStride: UInt32(rows.count * out.rowStride),
                resultRowStride: UInt32(out.rowStride), scale: shape.scale,
                causal: shape.isCausal.constant,
                offset: Int32(shape.causalOffset ?? 0), visible: UInt32(shape.visible(of: key.rows)))
            try dispatch(
                AttentionSelection.rows(shape, rows: end - start, cache: key.format, isWide: isWide), push: push,
                reads: [query, key].map(\.byteRange) + [bias?.values, logSumExp].compactMap { $0?.byteRange },
                writes: [out.byteRange],
                label: "attentionRows \(end - start)×\(key.rows)",
                operations: 2 * Double(shape.queryWidth) * Double(end - start) * Double(key.rows))
            start = end
        }
    }

    private func checkBias(_ bias: AttentionBias?, shape: AttentionShape, queries: Int, keys: Int) {
        guard let bias else { return }
        precondition(
            bias.values.format == .f32 && bias.values.columns == keys
                && bias.values.rows == queries * (bias.isPerHead ? shape.heads : 1),
            "attention: bias is not [\(bias.isPerHead ? shape.heads : 1) · \(queries), \(keys)]")
    }
}
