/// The escape sequences of string literals, which are Python's.
enum StringEscapes {
    private static let simple: [Unicode.Scalar: Unicode.Scalar] = [
        "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", "\"": "\"", "a": "\u{07}", "b": "\u{08}", "f": "\u{0C}",
        "v": "\u{0B}",
    ]

    /// The text a literal stands for; nil for a damaged escape sequence. Unknown ones stay as they are.
    static func resolved(_ source: ArraySlice<Unicode.Scalar>) -> String? {
        var result = String.UnicodeScalarView()
        var rest = source
        /// High half of a surrogate pair that waits for the other half.
        var high: UInt32?
        while let scalar = rest.popFirst() {
            guard scalar == "\\" else {
                guard high == nil else { return nil }
                result.append(scalar)
                continue
            }
            guard let code = rest.popFirst() else { return nil }
            var value: UInt32
            switch code {
            case "\n": continue
            case "x", "u", "U":
                let count = code == "x" ? 2 : code == "u" ? 4 : 8
                guard let number = number(rest.prefix(count), radix: 16, count: count) else { return nil }
                rest = rest.dropFirst(count)
                value = number
            case "0"..."7":
                let digits = rest.prefix(2).prefix { ("0"..."7").contains($0) }
                value = number([code] + digits, radix: 8, count: digits.count + 1) ?? 0
                rest = rest.dropFirst(digits.count)
            default:
                guard high == nil else { return nil }
                if simple[code] == nil { result.append("\\") }
                result.append(simple[code] ?? code)
                continue
            }
            if let first = high {
                guard (0xDC00...0xDFFF).contains(value) else { return nil }
                value = 0x10000 + (first - 0xD800) << 10 + (value - 0xDC00)
                high = nil
            } else if (0xD800...0xDBFF).contains(value) {
                high = value
                continue
            }
            guard let scalar = Unicode.Scalar(value) else { return nil }
            result.append(scalar)
        }
        return high == nil ? String(result) : nil
    }

    private static func number(_ digits: some Collection<Unicode.Scalar>, radix: Int, count: Int) -> UInt32? {
        guard digits.count == count, digits.allSatisfy(\.properties.isASCIIHexDigit) else { return nil }
        return UInt32(String(String.UnicodeScalarView(digits)), radix: radix)
    }
}
