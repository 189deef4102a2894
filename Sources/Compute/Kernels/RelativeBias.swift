import NumberFormats

private struct RelativeBiasPush: BitwiseCopyable {
    var weights, buckets, mask, result: UInt64
    var queries, keys, weightStride, bucketRows, bucketCount, resultStride: UInt32
    var first: Int32
}

/// Chooses the form of `relativeBias`: there is one, a subgroup per row of a head.
package enum RelativeBiasSelection {
    package static func select(queries: Int, heads: Int) -> KernelChoice {
        KernelChoice(KernelVariant("position/relative_bias"), x: queries, y: heads)
    }
}

extension CommandStream {
    /// Spreads weights per bucket of distance over queries and keys (Raffel et al. 2020):
    /// out[h·queries + i, j] = weights[buckets[first + j − i], h] + mask[j].
    ///
    /// - Parameters:
    ///   - weights: `[buckets, heads]` f32.
    ///   - buckets: `[1, count]` 32-bit integers: the bucket of each distance.
    ///   - first: where in `buckets` the distance from query 0 to key 0 stands.
    ///   - mask: `[1, keys]` f32, added for all heads and queries.
    ///   - out: `[heads · queries, keys]` f32.
    package func relativeBias(
        weights: Tensor, buckets: Tensor, first: Int, mask: Tensor? = nil, queries: Int, into out: Tensor
    ) throws {
        let heads = weights.columns
        precondition(
            weights.format == .f32 && out.format == .f32 && out.rows == heads * queries,
            "relativeBias: out is not [\(heads) · \(queries), keys]")
        precondition(
            buckets.elementBytes == 4 && buckets.rows == 1 && buckets.columns > 0 && weights.rows > 0,
            "relativeBias: buckets are 32-bit and contiguous")
        precondition(
            first - (queries - 1) >= 0 && first + out.columns <= buckets.columns,
            "relativeBias: distances beyond the \(buckets.columns) given")
        precondition(
            mask.map { $0.columns == out.columns && $0.format == .f32 } ?? true,
            "relativeBias: the mask is not [1, \(out.columns)]")
        precondition(
            queries <= device.properties.maxWorkgroupCount[0] && heads <= device.properties.maxWorkgroupCount[1],
            "relativeBias: more queries or heads than a grid holds")
        if queries == 0 || out.columns == 0 { return }
        let push = RelativeBiasPush(
            weights: weights.address, buckets: buckets.address, mask: mask?.address ?? 0, result: out.address,
            queries: UInt32(queries),
            keys: UInt32(out.columns), weightStride: UInt32(weights.rowStride), bucketRows: UInt32(weights.rows),
            bucketCount: UInt32(buckets.columns), resultStride: UInt32(out.rowStride), first: Int32(first))
        try dispatch(
            RelativeBiasSelection.select(queries: queries, heads: heads), push: push,
            reads: [weights.byteRange, buckets.byteRange] + [mask].compactMap { $0?.byteRange },
            writes: [out.byteRange],
            label: "relativeBias")
    }
}
