import CZlib

/// Compression ratio under zlib: text that repeats itself compresses well.
enum CompressionRatio {
    /// Bytes of UTF-8 over bytes after `compress` at its default level; 0 for empty text.
    static func of(_ text: String) -> Float {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { return 0 }
        var size = compressBound(uLong(bytes.count))
        var packed = [UInt8](repeating: 0, count: Int(size))
        // The bound leaves compress nothing to fail of but memory; then the text does not count as repetitive.
        guard compress(&packed, &size, bytes, uLong(bytes.count)) == Z_OK, size > 0 else { return 0 }
        return Float(bytes.count) / Float(size)
    }
}
