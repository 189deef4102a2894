/// Declaration of a number format: how a block of elements is stored, decoded, encoded and read by kernels.
///
/// Plain formats are blocks of one element. `ElementFormat` holds the table of all formats.
struct BlockFormat: Sendable {
    /// Decodes one block from `source` to `target`.
    typealias Decoder = @Sendable (_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) -> Void
    /// Encodes one block from `source` to `target`.
    typealias BlockEncoder = @Sendable (_ source: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) -> Void

    enum Encoder: Sendable {
        case block(BlockEncoder)
        /// All values at once: plain formats are faster so.
        case array(@Sendable (UnsafeBufferPointer<Float>) -> [UInt8])
    }

    /// Form in which kernels read weights.
    enum Kernels: Sendable {
        /// Elements in the order of the file, rows padded with zeros.
        case elements
        case blocks(DeviceBlock)
    }

    /// Elements of a block.
    let elements: Int
    /// Bytes of a block in a file.
    let bytes: Int
    /// ggml's number of the type, in GGUF files.
    let ggmlType: UInt32?
    let decode: Decoder
    /// `nil` for formats that values are not converted to.
    let encode: Encoder?
    /// `nil` for formats that no kernel reads.
    let kernels: Kernels?

    init(
        elements: Int = 1, bytes: Int, ggmlType: UInt32? = nil, decode: @escaping Decoder, encode: Encoder? = nil,
        kernels: Kernels? = nil
    ) {
        self.elements = elements
        self.bytes = bytes
        self.ggmlType = ggmlType
        self.decode = decode
        self.encode = encode
        self.kernels = kernels
    }
}

/// Form of a quantized format's blocks on the device.
package struct DeviceBlock: Sendable {
    /// Byte ranges of a stored block in device order: a row holds the first range of all its blocks, then the second, …
    /// Ranges of a multiple of 16 bytes come first, so that kernels read them 16 bytes at a time.
    package let parts: [Range<Int>]
    /// Offsets in a stored block of its factors: the scale, then the scale of the minima.
    package let factors: [Int]
    /// `false` for factors in half precision, `true` for bytes that are the exponent of a power of two (E8M0).
    package let areExponents: Bool
    /// The largest magnitude of a quant times its sub-block's scale: random weights divide the scale by it.
    package let largest: Float
    /// Of formats with minima, the second factor of random weights in units of the first.
    package let minimum: Float?

    init(
        _ parts: [Range<Int>], factors: [Int], areExponents: Bool = false, largest: Float, minimum: Float? = nil
    ) {
        self.parts = parts
        self.factors = factors
        self.areExponents = areExponents
        self.largest = largest
        self.minimum = minimum
    }
}
