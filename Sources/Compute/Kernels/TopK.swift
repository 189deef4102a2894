private struct TopKPush: BitwiseCopyable {
    var x, values, indices: UInt64
    var columns, xStride, count: UInt32
}

/// Chooses the form of `topK`: one subgroup per row on a CPU driver, 256 invocations on a GPU.
public enum TopKSelection {
    public static func select(rows: Int, _ properties: DeviceProperties, profile: KernelProfile? = nil) -> KernelChoice {
        let count =
            switch profile ?? KernelProfile(properties) {
            case .vector: 1
            case .coalesced: subgroups(forInvocations: 256, properties)
            }
        return KernelChoice(KernelVariant("sample/top_k", constants: [UInt32(count)]), x: rows)
    }
}

extension CommandStream {
    /// The `count` largest elements of each row of x, best first, equal ones by lower index; `count` passes over the row.
    ///
    /// - Parameters:
    ///   - x: `[rows, columns]` f32. NaN is never chosen.
    ///   - values: `[rows, count]` f32, contiguous.
    ///   - indices: `[rows, count]` 32-bit, contiguous. Places a row cannot fill are `UInt32.max`.
    public func topK(_ x: Tensor, count: Int, values: Tensor?, indices: Tensor, profile: KernelProfile? = nil) throws {
        precondition(count >= 1 && x.format == .f32, "topK: f32, at least one")
        for tensor in [indices, values].compactMap({ $0 }) {
            precondition(
                tensor.rows == x.rows && tensor.columns == count && (tensor.rows <= 1 || tensor.rowStride == count) && tensor.elementBytes == 4,
                "topK: results are [\(x.rows), \(count)], contiguous")
        }
        if x.rows == 0 { return }
        let push = TopKPush(
            x: x.address, values: values?.address ?? 0, indices: indices.address, columns: UInt32(x.columns), xStride: UInt32(x.rowStride),
            count: UInt32(count))
        try dispatch(
            TopKSelection.select(rows: x.rows, device.properties, profile: profile), push: push, reads: [x.byteRange],
            writes: [indices.byteRange] + [values].compactMap { $0?.byteRange }, label: "topK")
    }

    /// Where each row of x is largest: indices `[rows, 1]`, 32-bit.
    public func argmax(_ x: Tensor, indices: Tensor, profile: KernelProfile? = nil) throws {
        try topK(x, count: 1, values: nil, indices: indices, profile: profile)
    }
}
