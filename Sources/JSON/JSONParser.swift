/// A JSON parser (RFC 8259) for untrusted headers, configurations and tokenizers.
///
/// Foundation's parser does not fit: Python writes `NaN` and `Infinity` into configurations, integers must not pass
/// through floating point, a header that names a tensor twice has to be refused, and vocabularies need the order and
/// the bytes of their keys. Nesting and the number of values are bounded.
package struct JSONParser {
    /// The treatment of a key that occurs twice in an object.
    package enum DuplicateKeys: Sendable {
        case refused
        /// Look-up finds the last one, as in Python and Rust.
        case lastCounts
    }

    package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// Bytes from the start of the document.
        package let offset: Int
        package let problem: String
        package var description: String { "\(problem) at byte \(offset)" }
    }

    static let deepestNesting = 128
    /// Several times the values of the largest vocabularies; bounds the memory a hostile document can ask for.
    static let mostValues = 1 << 23

    private let bytes: UnsafeRawBufferPointer
    private let duplicateKeys: DuplicateKeys
    private var position = 0
    private var depth = 0
    private var count = 0

    /// Parses a document from UTF-8 bytes.
    package static func parse(_ bytes: UnsafeRawBufferPointer, duplicateKeys: DuplicateKeys = .refused)
        throws(Failure) -> JSONValue
    {
        var parser = JSONParser(bytes: bytes, duplicateKeys: duplicateKeys)
        return try parser.document()
    }

    package static func parse(_ bytes: [UInt8], duplicateKeys: DuplicateKeys = .refused) throws(Failure) -> JSONValue {
        let result: Result<JSONValue, Failure> = bytes.withUnsafeBytes { buffer in
            Result { () throws(Failure) in try parse(buffer, duplicateKeys: duplicateKeys) }
        }
        return try result.get()
    }

    private init(bytes: UnsafeRawBufferPointer, duplicateKeys: DuplicateKeys) {
        self.bytes = bytes
        self.duplicateKeys = duplicateKeys
    }

    private mutating func document() throws(Failure) -> JSONValue {
        skipSpace()
        let result = try value()
        skipSpace()
        guard position == bytes.count else { throw failure("something follows the end of the document") }
        return result
    }

    // MARK: Values

    private mutating func value() throws(Failure) -> JSONValue {
        guard let byte = peek() else { throw failure("the document ends too early") }
        count += 1
        guard count <= Self.mostValues else { throw failure("more than \(Self.mostValues) values") }
        switch byte {
        case UInt8(ascii: "{"): return try nested { parser throws(Failure) in try parser.object() }
        case UInt8(ascii: "["): return try nested { parser throws(Failure) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            if literal("-Infinity") { return .number(-.infinity) }
            return try number()
        default:
            for (word, meaning) in Self.words where literal(word) { return meaning }
            throw failure("unexpected character")
        }
    }

    private static let words: [(StaticString, JSONValue)] = [
        ("true", .bool(true)), ("false", .bool(false)), ("null", .null),
        ("NaN", .number(.nan)), ("Infinity", .number(.infinity)),
    ]

    private mutating func nested(_ parse: (inout JSONParser) throws(Failure) -> JSONValue) throws(Failure) -> JSONValue
    {
        guard depth < Self.deepestNesting else { throw failure("nested more than \(Self.deepestNesting) deep") }
        depth += 1
        position += 1
        defer { depth -= 1 }
        return try parse(&self)
    }

    private mutating func object() throws(Failure) -> JSONValue {
        var members: [(key: String, value: JSONValue)] = []
        var seen: Set<String> = []
        skipSpace()
        if take("}") { return .object([:]) }
        while true {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw failure("a key in quotation marks is missing") }
            let start = position
            let key = try string()
            if duplicateKeys == .refused, !seen.insert(key).inserted {
                position = start
                throw failure("the key \"\(printable(key))\" occurs twice")
            }
            skipSpace()
            guard take(":") else { throw failure("a colon is missing") }
            skipSpace()
            members.append((key, try value()))
            skipSpace()
            if take("}") { return .object(JSONObject(members)) }
            guard take(",") else { throw failure("a comma or closing brace is missing") }
        }
    }

    private mutating func array() throws(Failure) -> JSONValue {
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(elements) }
        while true {
            skipSpace()
            elements.append(try value())
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw failure("a comma or closing bracket is missing") }
        }
    }

    private mutating func number() throws(Failure) -> JSONValue {
        let start = position
        var isInteger = true
        _ = take("-")
        if !take("0") {
            guard digits() > 0 else { throw failure("a digit is missing") }
        }
        if take(".") {
            isInteger = false
            guard digits() > 0 else { throw failure("a digit is missing") }
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw failure("a digit is missing") }
        }
        guard position - start <= 4096 else { throw failure("the number is too long") }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        guard let value = Double(text) else { throw failure("not a number") }
        return .number(value)
    }

    // MARK: Strings

    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        while let byte = peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if peek() == UInt8(ascii: "\"") {
            // The common case: nothing escaped.
            defer { position += 1 }
            return try utf8(UnsafeRawBufferPointer(rebasing: bytes[start..<position]))
        }
        var text: [UInt8] = Array(bytes[start..<position])
        while let byte = peek() {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                return try utf8(text)
            case UInt8(ascii: "\\"):
                text.append(contentsOf: String(try escape()).utf8)
            case 0..<0x20:
                throw failure("a control character in a string")
            default:
                text.append(byte)
            }
        }
        throw failure("a string does not end")
    }

    private mutating func escape() throws(Failure) -> Unicode.Scalar {
        guard let byte = peek() else { throw failure("a string does not end") }
        position += 1
        if byte == UInt8(ascii: "u") { return try unicodeEscape() }
        guard let scalar = Self.escapes[byte] else { throw failure("unknown escape in a string") }
        return scalar
    }

    private static let escapes: [UInt8: Unicode.Scalar] = [
        UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/", UInt8(ascii: "b"): "\u{8}",
        UInt8(ascii: "f"): "\u{c}", UInt8(ascii: "n"): "\n", UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
    ]

    /// `\uXXXX`, with its second half if it is a surrogate pair.
    private mutating func unicodeEscape() throws(Failure) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard UTF16.isLeadSurrogate(UInt16(first)), take("\\"), take("u") else {
            throw failure("half a surrogate pair in a string")
        }
        let second = try hexadecimal()
        guard UTF16.isTrailSurrogate(UInt16(second)),
            let scalar = Unicode.Scalar(0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff))
        else { throw failure("half a surrogate pair in a string") }
        return scalar
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        guard bytes.count - position >= 4 else { throw failure("a string does not end") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw failure("not a hexadecimal digit")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private func utf8(_ bytes: some Collection<UInt8>) throws(Failure) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw failure("the string is not UTF-8") }
        return text
    }

    // MARK: Bytes

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte = peek(), byte == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func literal(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard bytes.count - position >= length else { return false }
        for index in 0..<length where bytes[position + index] != word.utf8Start[index] { return false }
        position += length
        return true
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = peek(), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        return position - start
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private func failure(_ problem: String) -> Failure { Failure(offset: position, problem: problem) }
}
