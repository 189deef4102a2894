/// Coders of formats with one element per block.
enum PlainElements {
    static let f64: BlockFormat.Decoder = { source, target in
        target[0] = Float(Double(bitPattern: source.littleEndian()))
    }
    static let f32: BlockFormat.Decoder = { source, target in
        target[0] = Float(bitPattern: source.littleEndian())
    }
    static let f16: BlockFormat.Decoder = { source, target in target[0] = source.half() }
    static let bf16: BlockFormat.Decoder = { source, target in
        target[0] = HalfPrecision.float(fromBF16: source.littleEndian())
    }
    static let bool: BlockFormat.Decoder = { source, target in target[0] = source.byte(0) == 0 ? 0 : 1 }

    static func integer<T: FixedWidthInteger & BitwiseCopyable & Sendable>(_: T.Type) -> BlockFormat.Decoder {
        { source, target in target[0] = Float(source.littleEndian(as: T.self)) }
    }

    static func integers<T: FixedWidthInteger & BitwiseCopyable>(_ bytes: UnsafeRawBufferPointer, as: T.Type) -> [Int] {
        let size = MemoryLayout<T>.size
        return (0..<bytes.count / size).map {
            Int(T(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * size, as: T.self)))
        }
    }

    // MARK: Encoding

    static let f32Bytes: @Sendable (UnsafeBufferPointer<Float>) -> [UInt8] = { Array(UnsafeRawBufferPointer($0)) }
    static let f16Bytes: @Sendable (UnsafeBufferPointer<Float>) -> [UInt8] = { values in
        values.map { HalfPrecision.f16($0).littleEndian }.withUnsafeBytes { Array($0) }
    }
    static let bf16Bytes: @Sendable (UnsafeBufferPointer<Float>) -> [UInt8] = { values in
        values.map { HalfPrecision.bf16($0).littleEndian }.withUnsafeBytes { Array($0) }
    }
}
