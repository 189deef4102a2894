/// Decoding of stored elements on the host: the reference for the kernels that decode on the device, and the way small
/// tensors and tests read any format.
///
/// Multi-byte values are little-endian, as in every file format read here. Bytes need not be aligned.
extension ElementFormat {
    /// Decodes one block (one element for plain formats) from `source` to `target`.
    typealias BlockDecoder = @Sendable (_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) -> Void

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
        precondition(bytes.count % bytesPerBlock == 0, "\(bytes.count) bytes are no whole number of \(rawValue) blocks")
        precondition(
            target.count >= bytes.count / bytesPerBlock * elementsPerBlock,
            "too little room for the decoded \(rawValue) elements")
        guard let source = bytes.baseAddress, let start = target.baseAddress else { return }
        #if _endian(little)
            if self == .f32 {
                UnsafeMutableRawPointer(start).copyMemory(from: source, byteCount: bytes.count)
                return
            }
        #endif
        let decode = blockDecoder
        for block in 0..<bytes.count / bytesPerBlock {
            decode(source + block * bytesPerBlock, start + block * elementsPerBlock)
        }
    }

    /// The values of an integer format (or of `bool`, as 0 and 1); `nil` for any other.
    package func integers(from bytes: UnsafeRawBufferPointer) -> [Int]? {
        switch self {
        case .i64: PlainFormats.integers(bytes, as: Int64.self)
        case .i32: PlainFormats.integers(bytes, as: Int32.self)
        case .i16: PlainFormats.integers(bytes, as: Int16.self)
        case .i8: PlainFormats.integers(bytes, as: Int8.self)
        case .u8: PlainFormats.integers(bytes, as: UInt8.self)
        case .bool: PlainFormats.integers(bytes, as: UInt8.self).map { $0 == 0 ? 0 : 1 }
        default: nil
        }
    }

    var blockDecoder: BlockDecoder {
        switch self {
        case .f64: PlainFormats.f64
        case .f32: PlainFormats.f32
        case .f16: PlainFormats.f16
        case .bf16: PlainFormats.bf16
        case .i64: PlainFormats.integer(Int64.self)
        case .i32: PlainFormats.integer(Int32.self)
        case .i16: PlainFormats.integer(Int16.self)
        case .i8: PlainFormats.integer(Int8.self)
        case .u8: PlainFormats.integer(UInt8.self)
        case .bool: PlainFormats.bool
        case .q8_0: SmallBlocks.q8_0
        case .q4_0: SmallBlocks.q4_0
        case .q4_1: SmallBlocks.q4_1
        case .q5_0: SmallBlocks.q5_0
        case .q5_1: SmallBlocks.q5_1
        case .iq4_nl: SmallBlocks.iq4_nl
        case .iq4_xs: SmallBlocks.iq4_xs
        case .q2_k: KBlocks.q2_k
        case .q3_k: KBlocks.q3_k
        case .q4_k: KBlocks.q4_k
        case .q5_k: KBlocks.q5_k
        case .q6_k: KBlocks.q6_k
        case .q8_k: KBlocks.q8_k
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
