import NumberFormats

/// How a row of quantized blocks lies on the device.
///
/// Files store block after block, of 18 or 34 bytes for instance, which a kernel could only read in small pieces. On the
/// device the same bytes are sorted: the parts of each block that are a multiple of 16 bytes, for all blocks of the row,
/// then the remaining parts, part by part; rows start on 16 bytes. No value changes.
package struct BlockLayout: Sendable, Hashable {
    /// A run of a block's bytes.
    package struct Part: Sendable, Hashable {
        package let offset: Int
        package let byteCount: Int

        init(_ offset: Int, _ byteCount: Int) {
            self.offset = offset
            self.byteCount = byteCount
        }
    }

    package let format: ElementFormat
    /// In the order of the device.
    package let parts: [Part]

    private static let partsByFormat: [ElementFormat: [Part]] = [
        .q8_0: [Part(2, 32), Part(0, 2)],
        .q4_0: [Part(2, 16), Part(0, 2)],
        .iq4_nl: [Part(2, 16), Part(0, 2)],
        .q4_1: [Part(4, 16), Part(0, 4)],
        .q5_0: [Part(6, 16), Part(2, 4), Part(0, 2)],
        .q5_1: [Part(8, 16), Part(4, 4), Part(0, 4)],
        .q2_k: [Part(0, 80), Part(80, 4)],
        .q3_k: [Part(0, 96), Part(96, 12), Part(108, 2)],
        .q4_k: [Part(0, 144)],
        .q5_k: [Part(0, 176)],
        .q6_k: [Part(0, 208), Part(208, 2)],
    ]

    /// Formats that kernels read as blocks.
    package static let formats: [ElementFormat] = [
        .q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .q2_k, .q3_k, .q4_k, .q5_k, .q6_k, .iq4_nl,
    ]

    /// `nil` for formats without such a layout.
    package init?(_ format: ElementFormat) {
        guard let parts = Self.partsByFormat[format] else { return nil }
        self.format = format
        self.parts = parts
    }

    /// Sorts the bytes of whole rows of `columns` elements from a file's order into the device's.
    /// - Returns: `rows · WeightMatrix.rowBytes(columns:format:)` bytes.
    package func arrange(_ source: UnsafeRawBufferPointer, rows: Int, columns: Int) -> [UInt8] {
        let blocks = columns / format.elementsPerBlock
        let (block, sourceRow) = (format.bytesPerBlock, blocks * format.bytesPerBlock)
        let targetRow = WeightMatrix.rowBytes(columns: columns, format: format)
        precondition(
            source.count == rows * sourceRow,
            "\(source.count) bytes are not \(rows) rows of \(columns) \(format.rawValue) elements")
        return [UInt8](unsafeUninitializedCapacity: rows * targetRow) { target, written in
            guard let to = UnsafeMutableRawPointer(target.baseAddress), let from = source.baseAddress else { return }
            for row in 0..<rows {
                var place = row * targetRow
                for part in parts {
                    for index in 0..<blocks {
                        (to + place).copyMemory(
                            from: from + row * sourceRow + index * block + part.offset, byteCount: part.byteCount)
                        place += part.byteCount
                    }
                }
                (to + place).initializeMemory(as: UInt8.self, repeating: 0, count: (row + 1) * targetRow - place)
            }
            written = rows * targetRow
        }
    }
}
