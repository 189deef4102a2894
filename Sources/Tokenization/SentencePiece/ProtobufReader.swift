/// A reader of the protobuf wire format. Every length is checked against the rest of the file.
struct ProtobufReader {
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        /// A string, bytes or a nested message: a range of the file.
        case bytes(Range<Int>)
    }

    let data: [UInt8]
    let file: String
    private(set) var index: Int
    private let end: Int

    init(_ data: [UInt8], file: String, range: Range<Int>? = nil) {
        self.data = data
        self.file = file
        index = range?.lowerBound ?? 0
        end = range?.upperBound ?? data.count
    }

    private func error(_ reason: String) -> TokenizationError { .malformed(file: file, offset: index, reason: reason) }

    /// The next field and its number; nil at the end.
    mutating func next() throws -> (field: Int, value: Value)? {
        guard index < end else { return nil }
        let key = try varint()
        let field = Int(truncatingIfNeeded: key >> 3)
        guard field > 0, key >> 3 < 1 << 29 else {
            throw error("a field number is out of range: not a SentencePiece model")
        }
        switch key & 7 {
        case 0: return (field, .varint(try varint()))
        case 1: return (field, .fixed64(try fixed(8)))
        case 2:
            let length = try varint()
            guard length <= UInt64(end - index) else { throw error("a field is longer than what is left of the file") }
            let range = index..<index + Int(length)
            index = range.upperBound
            return (field, .bytes(range))
        case 5: return (field, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
        default: throw error("an unknown wire type: not a SentencePiece model")
        }
    }

    private mutating func varint() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard index < end else { throw error("the file ends too early") }
            let byte = data[index]
            index += 1
            if shift == 63, byte > 1 { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw error("a number is too long")
    }

    private mutating func fixed(_ count: Int) throws -> UInt64 {
        guard end - index >= count else { throw error("the file ends too early") }
        var value: UInt64 = 0
        for offset in 0..<count { value |= UInt64(data[index + offset]) << UInt64(8 * offset) }
        index += count
        return value
    }
}
