import JSON
import NumberFormats

/// One stored tensor: its description and the place of its bytes.
package struct TensorEntry: Sendable, Hashable {
    package let name: String
    package let format: ElementFormat
    /// Row-major, outermost dimension first; empty for a scalar. `[out, in]` for a linear layer's weight.
    package let shape: [Int]
    /// The bytes of all elements in row-major order.
    package let byteCount: Int
    package let location: Location
    /// Elements between neighbors of each dimension; `nil` for a tensor that is stored in row-major order.
    package let strides: [Int]?

    /// A byte range of one of the checkpoint's files.
    package struct Location: Sendable, Hashable {
        /// Index into `Checkpoint.files`.
        package let file: Int
        /// Bytes from the start of the file. Not necessarily a multiple of the element size.
        package let offset: Int
    }

    /// The product of `shape`; 1 for a scalar. Checked against overflow when the file was read.
    package var elementCount: Int { shape.reduce(1, *) }

    /// The bytes of the file from the first element to the last.
    package var extent: Range<Int> {
        guard let strides, elementCount > 0 else { return location.offset..<location.offset + byteCount }
        let last = zip(shape, strides).reduce(0) { $0 + ($1.0 - 1) * $1.1 }
        return location.offset..<location.offset + (last + 1) * format.bytesPerBlock
    }

    /// Computes the byte count of `shape` in `format`, with checks for overflow and partial blocks.
    init(
        name: String, format: ElementFormat, shape: [Int], strides: [Int]? = nil, file: Int, offset: Int, path: String
    ) throws(CheckpointError) {
        let elements = try Self.elementCount(shape, tensor: name, path: path)
        // Blocks never straddle rows, so the innermost dimension must be whole blocks.
        guard let byteCount = format.byteCount(elements: elements), (shape.last ?? 1) % format.elementsPerBlock == 0
        else {
            throw .malformed(
                file: path, tensor: printable(name),
                problem:
                    "shape \(shape) is not a whole number of \(format.rawValue) blocks of \(format.elementsPerBlock)")
        }
        self.name = name
        self.format = format
        self.shape = shape
        self.byteCount = byteCount
        self.strides = strides
        self.location = Location(file: file, offset: offset)
    }

    /// The number of elements of an untrusted shape.
    static func elementCount(_ shape: [Int], tensor: String, path: String) throws(CheckpointError) -> Int {
        var count = 1
        for dimension in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard dimension >= 0, !overflow else {
                throw .malformed(file: path, tensor: printable(tensor), problem: "shape \(shape) is impossible")
            }
            count = product
        }
        return count
    }
}
