import Regex

/// GPT-2's reversible spelling of bytes as printable characters: printable Latin-1 is unchanged, the other 68 bytes become
/// U+0100 and up (Radford et al. 2019, `bytes_to_unicode`).
enum ByteAlphabet {
    /// The character of each byte.
    static let scalars: [UInt32] = {
        var result: [UInt32] = []
        var next: UInt32 = 0x100
        for byte in UInt32(0)..<256 {
            if (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte) {
                result.append(byte)
            } else {
                result.append(next)
                next += 1
            }
        }
        return result
    }()

    /// The UTF-8 of each byte's character; the length is in `utf8Lengths`.
    static let utf8: [(UInt8, UInt8)] = scalars.map { scalar in
        scalar < 0x80 ? (UInt8(scalar), 0) : (UInt8(0xC0 | scalar >> 6), UInt8(0x80 | scalar & 0x3F))
    }

    /// The byte of each character up to U+0143, or -1.
    private static let bytes: [Int16] = {
        var result = [Int16](repeating: -1, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { result[Int(scalar)] = Int16(byte) }
        return result
    }()

    static func byte(of scalar: UInt32) -> UInt8? {
        guard scalar < 0x144, bytes[Int(scalar)] >= 0 else { return nil }
        return UInt8(bytes[Int(scalar)])
    }

    /// The spelling of bytes.
    static func spelling(of text: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        for byte in text { UTF8Text.append(scalars[Int(byte)], to: &result) }
        return result
    }

    /// The bytes of a spelling; nil if it has a character outside the alphabet.
    static func bytes(of spelling: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(spelling.count)
        var isInside = true
        UTF8Text.forEachScalar(spelling) { scalar, _ in
            if let byte = byte(of: scalar) { result.append(byte) } else { isInside = false }
        }
        return isInside ? result : nil
    }
}
