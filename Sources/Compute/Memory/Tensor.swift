import NumberFormats

/// A row-major matrix in device memory: a view, not an owner of values.
package struct Tensor: Sendable {
    package var buffer: Buffer
    /// Bytes from the buffer's start to element (0, 0).
    package var byteOffset: Int
    package var rows: Int
    package var columns: Int
    /// Elements from one row to the next. May be less than `columns`: then rows overlap (a convolution's windows).
    package var rowStride: Int
    package var format: ElementFormat

    package init(
        buffer: Buffer, byteOffset: Int = 0, rows: Int, columns: Int, rowStride: Int? = nil,
        format: ElementFormat = .f32
    ) {
        precondition(!format.isQuantized, "a Tensor holds plain elements; quantized weights are a WeightMatrix")
        self.buffer = buffer
        self.byteOffset = byteOffset
        self.rows = rows
        self.columns = columns
        self.rowStride = rowStride ?? columns
        self.format = format
    }

    package var address: UInt64 { buffer.address + UInt64(byteOffset) }
    package var elementBytes: Int { format.bytesPerBlock }

    /// The bytes the view spans, from its first element to its last.
    package var byteRange: MemoryRange {
        let elements = rows == 0 || columns == 0 ? 0 : (rows - 1) * rowStride + columns
        return MemoryRange(buffer: buffer, offset: byteOffset, byteCount: elements * elementBytes)
    }

    /// The view of some of the rows.
    package func rows(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of a tensor with \(rows)")
        var view = self
        view.byteOffset += range.lowerBound * rowStride * elementBytes
        view.rows = range.count
        return view
    }

    /// The view of some of the columns.
    package func columns(_ range: Range<Int>) -> Tensor {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of a tensor with \(columns)")
        var view = self
        view.byteOffset += range.lowerBound * elementBytes
        view.columns = range.count
        return view
    }
}

/// A weight matrix in device memory, `[rows = outputs, columns = inputs]`, in the format kernels read.
///
/// Rows are padded with zeros to a multiple of 32 elements, so that kernels run over whole blocks.
package struct WeightMatrix: Sendable {
    package var buffer: Buffer
    package var byteOffset: Int
    /// Output features.
    package var rows: Int
    /// Input features, without padding.
    package var columns: Int
    /// Elements from one row to the next: `columns` rounded up to 32.
    package var rowStride: Int
    package var format: ElementFormat
    /// 1 where rows lie one after another, else rows of a panel, interleaved in 16-byte pieces (WeightPanels.swift).
    package var rowsPerPanel: Int
    /// Rows of its first panel that lie before the matrix: 0 except in views.
    package private(set) var rowsBefore = 0

    package init(
        buffer: Buffer, byteOffset: Int = 0, rows: Int, columns: Int, format: ElementFormat, rowsPerPanel: Int = 1
    ) {
        self.buffer = buffer
        self.byteOffset = byteOffset
        self.rows = rows
        self.columns = columns
        self.format = format
        self.rowsPerPanel = rowsPerPanel
        rowStride = Self.paddedColumns(columns)
    }

    /// The elements a row takes on the device.
    package static func paddedColumns(_ columns: Int) -> Int { (columns + 31) / 32 * 32 }

    /// The bytes a matrix takes on the device.
    package static func byteCount(rows: Int, columns: Int, format: ElementFormat) -> Int {
        rows * rowBytes(columns: columns, format: format)
    }

    /// The bytes from one row to the next. Rows of blocks start on 16 bytes.
    package static func rowBytes(columns: Int, format: ElementFormat) -> Int {
        let bytes =
            (paddedColumns(columns) + format.elementsPerBlock - 1) / format.elementsPerBlock * format.bytesPerBlock
        return format.isQuantized ? (bytes + 15) / 16 * 16 : bytes
    }

    /// Panels that rows do not fill count whole.
    package var byteCount: Int {
        Self.byteCount(
            rows: divideRoundingUp(rowsBefore + rows, rowsPerPanel) * rowsPerPanel, columns: columns, format: format)
    }
    package var address: UInt64 { buffer.address + UInt64(byteOffset) }
    package var byteRange: MemoryRange { MemoryRange(buffer: buffer, offset: byteOffset, byteCount: byteCount) }

    /// The view of some of the output rows.
    package func rows(_ range: Range<Int>) -> WeightMatrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of a matrix with \(rows)")
        var view = self
        let first = rowsBefore + range.lowerBound
        view.byteOffset += first / rowsPerPanel * rowsPerPanel * Self.rowBytes(columns: columns, format: format)
        view.rowsBefore = first % rowsPerPanel
        view.rows = range.count
        return view
    }
}
