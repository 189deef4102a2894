/// Formats with one element per block.
enum PlainFormats {
    static let f64: ElementFormat.BlockDecoder = { source, target in
        target[0] = Float(Double(bitPattern: source.littleEndian()))
    }
    static let f32: ElementFormat.BlockDecoder = { source, target in
        target[0] = Float(bitPattern: source.littleEndian())
    }
    static let f16: ElementFormat.BlockDecoder = { source, target in target[0] = source.half() }
    static let bf16: ElementFormat.BlockDecoder = { source, target in
        target[0] = HalfPrecision.float(fromBF16: source.littleEndian())
    }
    static let bool: ElementFormat.BlockDecoder = { source, target in target[0] = source.byte(0) == 0 ? 0 : 1 }

    static func integer<T: FixedWidthInteger & BitwiseCopyable & Sendable>(_: T.Type) -> ElementFormat.BlockDecoder {
        { source, target in target[0] = Float(source.littleEndian(as: T.self)) }
    }

    static func integers<T: FixedWidthInteger & BitwiseCopyable>(_ bytes: UnsafeRawBufferPointer, as: T.Type) -> [Int] {
        let size = MemoryLayout<T>.size
        return (0..<bytes.count / size).map {
            Int(T(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * size, as: T.self)))
        }
    }
}
