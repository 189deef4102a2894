/// Decoding of stored elements on the host: the reference for the kernels that decode on the device, and the path by
/// which small tensors and tests read any format.
///
/// Multi-byte values are little-endian, as in every file format read here. Bytes need not be aligned.
extension ElementFormat {
    /// The values as 32-bit floats, rounded to nearest where the format is wider.
    ///
    /// - Precondition: `bytes` is a whole number of blocks.
    package func floats(from bytes: UnsafeRawBufferPointer) -> [Float] {
        let count = bytes.count / bytesPerBlock * elementsPerBlock
        return [Float](unsafeUninitializedCapacity: count) { target, initialized in
            decode(bytes, into: target)
            initialized = count
        }
    }

    /// Decodes `bytes` into the beginning of `target`.
    ///
    /// - Precondition: `bytes` is a whole number of blocks, and `target` has room for their elements.
    package func decode(_ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Float>) {
        let format = block, blocks = bytes.count / format.bytes
        precondition(bytes.count % format.bytes == 0, "\(bytes.count) bytes are no whole number of \(rawValue) blocks")
        precondition(
            target.count >= blocks * format.elements, "too little room for the decoded \(rawValue) elements")
        guard let source = bytes.baseAddress, let start = target.baseAddress else { return }
        #if _endian(little)
            if self == .f32 {
                UnsafeMutableRawPointer(start).copyMemory(from: source, byteCount: bytes.count)
                return
            }
        #endif
        let (decode, size, elements) = (format.decode, format.bytes, format.elements)
        for index in 0..<blocks { decode(source + index * size, start + index * elements) }
    }

    /// The values of an integer format (or of `bool`, as 0 and 1); `nil` for any other.
    package func integers(from bytes: UnsafeRawBufferPointer) -> [Int]? {
        switch self {
        case .i64: PlainElements.integers(bytes, as: Int64.self)
        case .i32: PlainElements.integers(bytes, as: Int32.self)
        case .i16: PlainElements.integers(bytes, as: Int16.self)
        case .i8: PlainElements.integers(bytes, as: Int8.self)
        case .u8: PlainElements.integers(bytes, as: UInt8.self)
        case .bool: PlainElements.integers(bytes, as: UInt8.self).map { $0 == 0 ? 0 : 1 }
        default: nil
        }
    }
}

extension UnsafeRawPointer {
    func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int = 0, as type: T.Type = T.self) -> T {
        T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// The IEEE 754 binary16 value at `offset`.
    func half(_ offset: Int = 0) -> Float { HalfPrecision.float(fromF16: littleEndian(offset)) }

    func byte(_ offset: Int) -> UInt8 { load(fromByteOffset: offset, as: UInt8.self) }
    func signedByte(_ offset: Int) -> Int8 { load(fromByteOffset: offset, as: Int8.self) }
}
