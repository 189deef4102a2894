/// A copy of strided elements to row-major order.
struct StridedCopy {
    let shape: [Int]
    /// Elements between neighbors of each dimension.
    let strides: [Int]

    /// - Parameters:
    ///   - source: Bytes from the first element to the last at least.
    ///   - target: As many bytes as the shape has elements.
    func gather(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, elementSize: Int) {
        switch elementSize {
        case 1: gather(source, into: target, as: UInt8.self)
        case 2: gather(source, into: target, as: UInt16.self)
        case 4: gather(source, into: target, as: UInt32.self)
        case 8: gather(source, into: target, as: UInt64.self)
        default: preconditionFailure("elements of \(elementSize) bytes are not gathered")
        }
    }

    private func gather<Element: BitwiseCopyable>(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, as: Element.Type
    ) {
        guard let columns = shape.last, let columnStride = strides.last, !target.isEmpty else { return }
        let size = MemoryLayout<Element>.size
        // Indices of a row, outermost dimension first.
        var row = [Int](repeating: 0, count: shape.count - 1)
        var rowStart = 0
        for rowTarget in Swift.stride(from: 0, to: target.count, by: columns * size) {
            for column in 0..<columns {
                let element = source.loadUnaligned(
                    fromByteOffset: (rowStart + column * columnStride) * size, as: Element.self)
                target.storeBytes(of: element, toByteOffset: rowTarget + column * size, as: Element.self)
            }
            for dimension in row.indices.reversed() {
                row[dimension] += 1
                rowStart += strides[dimension]
                guard row[dimension] == shape[dimension] else { break }
                rowStart -= row[dimension] * strides[dimension]
                row[dimension] = 0
            }
        }
    }
}
