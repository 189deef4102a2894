import NumberFormats

// Kernels over a grid of places, such as a picture's patches: `[places, channels]`, row after row of the grid.

private struct GatherPush: BitwiseCopyable {
    var x, index, result: UInt64
    var columns, xRows, xStride, resultStride: UInt32
}

private struct DepthwisePush: BitwiseCopyable {
    var x, weight, bias, result: UInt64
    var columns, gridRows, gridColumns, firstPlace: UInt32
}

private struct ChannelsPush: BitwiseCopyable {
    var q, k, v, weights, result: UInt64
    var channels, group, places, stride, resultStride, firstPlace: UInt32
    var scale: Float
}

extension CommandStream {
    /// An index of `gatherRows` that stands for a row of zeros.
    package static var noRow: UInt32 { .max }

    /// out[r] = x[index[r]], or zeros where the index is ``noRow``.
    /// - Parameters:
    ///   - x: `[xRows, columns]` f32, not overlapping out.
    ///   - index: `[1, rows]` 32-bit integers.
    ///   - out: `[rows, columns]` f32.
    package func gatherRows(_ x: Tensor, index: Tensor, into out: Tensor) throws {
        precondition(
            x.columns == out.columns && index.rows == 1 && index.columns == out.rows && index.format == .i32
                && x.format == .f32 && out.format == .f32,
            "gatherRows: [\(out.rows), \(out.columns)] of [\(x.rows), \(x.columns)] by \(index.columns) indices")
        for rows in pieces(of: out.rows) {
            let (index, out) = (index.columns(rows), out.rows(rows))
            let push = GatherPush(
                x: x.address, index: index.address, result: out.address, columns: UInt32(x.columns),
                xRows: UInt32(x.rows), xStride: UInt32(x.rowStride), resultStride: UInt32(out.rowStride))
            try dispatch(
                KernelChoice(KernelVariant("grid/gather"), x: rows.count), push: push,
                reads: [x.byteRange, index.byteRange], writes: [out.byteRange], label: "gather")
        }
    }

    /// out = x + bias + a depthwise 3 × 3 convolution of x, padded with zeros.
    /// - Parameters:
    ///   - x: `[gridRows · gridColumns, channels]` f32, contiguous; `out` alike, and another tensor.
    ///   - weight: `[channels, 9]` f32.
    ///   - bias: `[1, channels]` f32.
    package func addDepthwiseConvolution(
        _ x: Tensor, gridColumns: Int, weight: Tensor, bias: Tensor, into out: Tensor
    ) throws {
        precondition(
            x.rows == out.rows && x.columns == out.columns && x.rowStride == x.columns && out.rowStride == x.columns
                && x.rows % gridColumns == 0 && weight.rows == x.columns && weight.columns == 9
                && bias.columns == x.columns && [x, weight, bias, out].allSatisfy { $0.format == .f32 },
            "depthwise convolution: [\(x.rows), \(x.columns)] on rows of \(gridColumns) into [\(out.rows), \(out.columns)]"
        )
        for rows in pieces(of: x.rows) {
            let push = DepthwisePush(
                x: x.address, weight: weight.address, bias: bias.address, result: out.address,
                columns: UInt32(x.columns), gridRows: UInt32(x.rows / gridColumns), gridColumns: UInt32(gridColumns),
                firstPlace: UInt32(rows.lowerBound))
            try dispatch(
                KernelChoice(KernelVariant("grid/depthwise"), x: rows.count), push: push,
                reads: [x, weight, bias].map(\.byteRange), writes: [out.rows(rows).byteRange], label: "depthwise",
                operations: 18 * Double(rows.count) * Double(x.columns))
        }
    }

    /// Attention between channels of a group (Ding et al. 2022, "DaViT"):
    /// out[n, c] = Σⱼ softmaxⱼ(scale·Σₘ q[m, c]·k[m, j])·v[n, j], j over the channels of c's group.
    /// - Parameters:
    ///   - query: `[places, channels]` f32; `key` and `value` alike, all of one row stride.
    ///   - weights: `[channels, channels of a group]` f32, contiguous; receives the softmax.
    ///   - out: `[places, channels]` f32.
    package func channelAttention(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, weights: Tensor, into out: Tensor
    ) throws {
        let (places, channels, group) = (query.rows, query.columns, weights.columns)
        precondition(
            [key, value, out].allSatisfy { $0.rows == places && $0.columns == channels }
                && [key, value].allSatisfy { $0.rowStride == query.rowStride } && weights.rows == channels
                && weights.rowStride == group && channels % group == 0
                && [query, key, value, weights, out].allSatisfy { $0.format == .f32 },
            "channel attention: [\(places), \(channels)] in groups of \(group)")
        func push(first: Int) -> ChannelsPush {
            ChannelsPush(
                q: query.address, k: key.address, v: value.address, weights: weights.address, result: out.address,
                channels: UInt32(channels), group: UInt32(group), places: UInt32(places),
                stride: UInt32(query.rowStride), resultStride: UInt32(out.rowStride), firstPlace: UInt32(first),
                scale: scale)
        }
        let operations = 2 * Double(places) * Double(channels) * Double(group)
        try dispatch(
            KernelChoice(KernelVariant("grid/channels_weights"), x: channels), push: push(first: 0),
            reads: [query.byteRange, key.byteRange], writes: [weights.byteRange], label: "channel weights",
            operations: operations)
        for rows in pieces(of: places) {
            try dispatch(
                KernelChoice(KernelVariant("grid/channels_apply"), x: rows.count), push: push(first: rows.lowerBound),
                reads: [value.byteRange, weights.byteRange], writes: [out.rows(rows).byteRange],
                label: "channel attention", operations: operations * Double(rows.count) / Double(places))
        }
    }

    /// Runs of at most as many rows as a dispatch can have workgroups in x.
    private func pieces(of rows: Int) -> [Range<Int>] {
        let limit = device.properties.maxWorkgroupCount[0]
        return stride(from: 0, to: rows, by: limit).map { $0..<min($0 + limit, rows) }
    }
}
