/// The structure of a parser's inputs.
enum InputForm: Sendable {
    /// Bytes without structure.
    case bytes
    /// A JSON document.
    case json
    /// Pieces with lengths or checksums around them.
    case framed(any Framing)
}

/// A part of an input, such as a chunk of a PNG.
struct Piece: Sendable, Hashable {
    /// The kind or name of the piece, which mutations keep.
    var label: [UInt8] = []
    var body: [UInt8]

    init(_ body: [UInt8]) { self.body = body }

    init(_ label: [UInt8], _ body: [UInt8]) {
        self.label = label
        self.body = body
    }
}

/// A format whose files are pieces. `join` writes the lengths, counts and checksums that fit the pieces.
protocol Framing: Sendable {
    /// The pieces of a file; nil if it is too damaged to have any.
    func split(_ file: [UInt8]) -> [Piece]?
    func join(_ pieces: [Piece]) -> [UInt8]
}

extension Array where Element == UInt8 {
    /// The unsigned number of `count` bytes at `offset`; nil beyond the end.
    func little(_ offset: Int, _ count: Int) -> Int? {
        guard offset >= 0, offset <= self.count - count else { return nil }
        var value: UInt64 = 0
        for byte in self[offset..<offset + count].reversed() { value = value << 8 | UInt64(byte) }
        return Int(exactly: value)
    }

    mutating func appendLittle(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    mutating func appendBig(_ value: UInt32) { Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) } }

    /// The bytes from `offset`, at most `count`.
    func slice(_ offset: Int, _ count: Int) -> [UInt8]? {
        guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
        return Array(self[offset..<offset + count])
    }
}
