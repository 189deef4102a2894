import Foundation
import Regex

/// `NFC`, `NFD`, `NFKC`, `NFKD` (Unicode Standard Annex #15).
enum UnicodeForm: String, Sendable, CaseIterable {
    case nfc = "NFC", nfd = "NFD", nfkc = "NFKC", nfkd = "NFKD"

    /// The reference implementation has the tables of Unicode 11: newer characters stay unchanged, and text on the two
    /// sides of one does not combine.
    func normalize(_ text: [UInt8]) -> [UInt8] {
        if UTF8Text.isASCII(text) { return text }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var start = 0
        UTF8Text.forEachScalar(text) { scalar, range in
            guard scalar > 0x300, !CharacterClass.isAssigned(scalar, byUnicode: 11) else { return }
            result += Self.apply(self, text[start..<range.lowerBound])
            result += text[range]
            start = range.upperBound
        }
        return result + Self.apply(self, text[start...])
    }

    private static func apply(_ form: UnicodeForm, _ text: ArraySlice<UInt8>) -> [UInt8] {
        if text.isEmpty { return [] }
        let string = String(decoding: text, as: UTF8.self)
        let normalized =
            switch form {
            case .nfc: string.precomposedStringWithCanonicalMapping
            case .nfd: string.decomposedStringWithCanonicalMapping
            case .nfkc: string.precomposedStringWithCompatibilityMapping
            case .nfkd: string.decomposedStringWithCompatibilityMapping
            }
        return Array(normalized.utf8)
    }
}

/// Lower case, character by character, without context, as in the reference implementation.
enum Lowercase {
    static func normalize(_ text: [UInt8]) -> [UInt8] {
        if UTF8Text.isASCII(text) { return text.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 } }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        UTF8Text.forEachScalar(text) { value, _ in
            if value < 0x80 {
                result.append((0x41...0x5A).contains(value) ? UInt8(value) | 0x20 : UInt8(value))
            } else if let scalar = Unicode.Scalar(value) {
                result += scalar.properties.lowercaseMapping.utf8
            }
        }
        return result
    }
}
