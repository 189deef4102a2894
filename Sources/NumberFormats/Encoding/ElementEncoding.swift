/// Encoding of values in the formats that weights can be converted to while they are loaded.
extension ElementFormat {
    /// Formats that values can be encoded in.
    package static let encodable = allCases.filter { $0.block.encode != nil }

    /// The values as this format stores them. Block formats choose scales and round as ggml's `quantize_row_*_ref` do.
    ///
    /// - Precondition: the format is one of `encodable`, and `values` is a whole number of blocks.
    package func bytes(encoding values: UnsafeBufferPointer<Float>) -> [UInt8] {
        let format = block
        precondition(
            values.count % format.elements == 0, "\(values.count) values are no whole number of \(rawValue) blocks")
        switch format.encode {
        case .array(let encode): return encode(values)
        case .block(let encode):
            let (size, elements, blocks) = (format.bytes, format.elements, values.count / format.elements)
            return [UInt8](unsafeUninitializedCapacity: blocks * size) { target, written in
                if let source = values.baseAddress, let start = UnsafeMutableRawPointer(target.baseAddress) {
                    for index in 0..<blocks { encode(source + index * elements, start + index * size) }
                }
                written = blocks * size
            }
        case nil: preconditionFailure("values cannot be encoded as \(rawValue)")
        }
    }
}

extension UnsafeMutableRawPointer {
    /// Writes an integer, little-endian, at any address.
    func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int = 0) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
    }
}
