import NumberFormats

/// Layout of a row of quantized blocks on the device.
///
/// Files store block after block, of 18 or 34 bytes for instance, which a kernel could only read in small pieces. On the
/// device the same bytes are sorted: the parts of each block that are a multiple of 16 bytes, for all blocks of the row,
/// then the remaining parts, part by part; rows start on 16 bytes. No value changes.
package struct BlockLayout: Sendable {
    package let format: ElementFormat
    private let block: DeviceBlock

    /// Formats that kernels read as blocks.
    package static let formats = ElementFormat.weightFormats.filter(\.isQuantized)

    /// `nil` for formats without such a layout.
    package init?(_ format: ElementFormat) {
        guard let block = format.deviceBlock else { return nil }
        self.format = format
        self.block = block
    }

    /// Sorts the bytes of whole rows of `columns` elements from a file's order into the device's.
    /// - Returns: `rows · WeightMatrix.rowBytes(columns:format:)` bytes.
    package func arrange(_ source: UnsafeRawBufferPointer, rows: Int, columns: Int) -> [UInt8] {
        let blocks = columns / format.elementsPerBlock
        let blockBytes = format.bytesPerBlock, sourceRow = blocks * blockBytes
        let targetRow = WeightMatrix.rowBytes(columns: columns, format: format)
        precondition(
            source.count == rows * sourceRow,
            "\(source.count) bytes are not \(rows) rows of \(columns) \(format.rawValue) elements")
        return [UInt8](unsafeUninitializedCapacity: rows * targetRow) { target, written in
            guard let to = UnsafeMutableRawPointer(target.baseAddress), let from = source.baseAddress else { return }
            for row in 0..<rows {
                var place = row * targetRow
                for part in block.parts {
                    for index in 0..<blocks {
                        (to + place).copyMemory(
                            from: from + row * sourceRow + index * blockBytes + part.lowerBound, byteCount: part.count)
                        place += part.count
                    }
                }
                (to + place).initializeMemory(as: UInt8.self, repeating: 0, count: (row + 1) * targetRow - place)
            }
            written = rows * targetRow
        }
    }
}
