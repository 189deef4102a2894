/// Functions on UTF-8 text. Text is `[UInt8]` because token spellings differ by bytes, not by canonical equivalence.
package enum UTF8Text {
    /// The UTF-8 of U+FFFD.
    package static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    /// The scalar that starts at `index` and its length in bytes. A malformed start counts as one byte of U+FFFD.
    @inlinable @inline(__always)
    package static func scalar(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> (value: UInt32, length: Int) {
        let first = text[index]
        if first < 0x80 { return (UInt32(first), 1) }
        let left = text.count - index
        if first >= 0xC2, first < 0xE0, left >= 2 {
            return (UInt32(first & 0x1F) << 6 | UInt32(text[index + 1] & 0x3F), 2)
        }
        if first >= 0xE0, first < 0xF0, left >= 3 {
            return (
                UInt32(first & 0x0F) << 12 | UInt32(text[index + 1] & 0x3F) << 6 | UInt32(text[index + 2] & 0x3F), 3
            )
        }
        if first >= 0xF0, first < 0xF5, left >= 4 {
            let value =
                UInt32(first & 0x07) << 18 | UInt32(text[index + 1] & 0x3F) << 12 | UInt32(text[index + 2] & 0x3F) << 6
                | UInt32(text[index + 3] & 0x3F)
            return (value, 4)
        }
        return (0xFFFD, 1)
    }

    /// The scalar that ends just before `index` (> 0) and its length.
    @inlinable @inline(__always)
    package static func scalar(_ text: UnsafeBufferPointer<UInt8>, before index: Int) -> (value: UInt32, length: Int) {
        var start = index - 1
        while start > 0, index - start < 4, text[start] & 0xC0 == 0x80 { start -= 1 }
        return (scalar(text, at: start).value, index - start)
    }

    @inlinable
    package static func append(_ scalar: UInt32, to text: inout [UInt8]) {
        switch scalar {
        case 0..<0x80: text.append(UInt8(scalar))
        case 0x80..<0x800:
            text.append(UInt8(0xC0 | scalar >> 6))
            text.append(UInt8(0x80 | scalar & 0x3F))
        case 0x800..<0x10000:
            text.append(UInt8(0xE0 | scalar >> 12))
            text.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            text.append(UInt8(0x80 | scalar & 0x3F))
        default:
            text.append(UInt8(0xF0 | scalar >> 18 & 0x07))
            text.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            text.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            text.append(UInt8(0x80 | scalar & 0x3F))
        }
    }

    package static func isValid(_ text: [UInt8]) -> Bool {
        if text.allSatisfy({ $0 < 0x80 }) { return true }
        return String(validating: text, as: UTF8.self) != nil
    }

    package static func isASCII(_ text: [UInt8]) -> Bool { text.allSatisfy { $0 < 0x80 } }

    /// Length of the text without an incomplete last character. Repairing the two parts separately gives the same text as
    /// repairing the whole.
    package static func wholeCharacters(_ text: [UInt8]) -> Int {
        var start = text.count - 1
        var continuation = 0
        while start >= 0, text[start] & 0xC0 == 0x80, continuation < 3 {
            start -= 1
            continuation += 1
        }
        guard start >= 0 else { return text.count }
        let lead = text[start]
        let needed =
            lead >= 0xF0 && lead < 0xF5 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xC2 && lead < 0xE0 ? 2 : 1
        guard continuation + 1 < needed else { return text.count }
        if continuation >= 1 {
            // A second byte that occurs in no valid character (overlong, surrogate, beyond U+10FFFF) is an error in any case.
            let second = text[start + 1]
            switch lead {
            case 0xE0 where second < 0xA0, 0xED where second >= 0xA0, 0xF0 where second < 0x90,
                0xF4 where second >= 0x90:
                return text.count
            default: break
            }
        }
        return start
    }

    /// Calls `body` with each scalar and its byte range.
    @inlinable
    package static func forEachScalar(_ text: [UInt8], _ body: (_ value: UInt32, _ range: Range<Int>) -> Void) {
        text.withUnsafeBufferPointer { buffer in
            var index = 0
            while index < buffer.count {
                let (value, length) = scalar(buffer, at: index)
                body(value, index..<index + length)
                index += length
            }
        }
    }

    /// The text with every occurrence of `pattern` replaced; unchanged for an empty pattern.
    package static func replacing(_ pattern: [UInt8], with content: [UInt8], in text: [UInt8]) -> [UInt8] {
        guard !pattern.isEmpty, text.count >= pattern.count else { return text }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            if text[index] == pattern[0], text[index...].starts(with: pattern) {
                result += content
                index += pattern.count
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }
}
