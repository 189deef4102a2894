/// Encoding of values in the formats that weights can be brought into while they are loaded.
extension ElementFormat {
    /// The formats that values can be encoded in.
    package static let encodable: [ElementFormat] = [.f32, .f16, .bf16, .q8_0, .q4_0, .q4_1, .q5_0, .q5_1]

    /// Encodes one block from `source` to `target`.
    typealias BlockEncoder = @Sendable (_ source: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) -> Void

    /// The values as this format stores them. Block formats choose scales and round as ggml's `quantize_row_*_ref` do.
    ///
    /// - Precondition: the format is one of `encodable`, and `values` is a whole number of blocks.
    package func bytes(encoding values: UnsafeBufferPointer<Float>) -> [UInt8] {
        precondition(
            values.count % elementsPerBlock == 0, "\(values.count) values are no whole number of \(rawValue) blocks")
        switch self {
        case .f32: return Array(UnsafeRawBufferPointer(values))
        case .f16: return values.map { HalfPrecision.f16($0).littleEndian }.withUnsafeBytes { Array($0) }
        case .bf16: return values.map { HalfPrecision.bf16($0).littleEndian }.withUnsafeBytes { Array($0) }
        default: break
        }
        guard let encode = blockEncoder else { preconditionFailure("values cannot be encoded as \(rawValue)") }
        let blocks = values.count / elementsPerBlock
        return [UInt8](unsafeUninitializedCapacity: blocks * bytesPerBlock) { target, written in
            if let source = values.baseAddress, let start = UnsafeMutableRawPointer(target.baseAddress) {
                for block in 0..<blocks { encode(source + block * elementsPerBlock, start + block * bytesPerBlock) }
            }
            written = blocks * bytesPerBlock
        }
    }

    private var blockEncoder: BlockEncoder? {
        switch self {
        case .q8_0: SmallBlockEncoding.q8_0
        case .q4_0: SmallBlockEncoding.q4_0
        case .q4_1: SmallBlockEncoding.q4_1
        case .q5_0: SmallBlockEncoding.q5_0
        case .q5_1: SmallBlockEncoding.q5_1
        default: nil
        }
    }
}

extension UnsafeMutableRawPointer {
    /// Writes an integer, little-endian, at any address.
    func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int = 0) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
    }
}
