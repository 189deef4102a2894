import JSON

/// A reader of little-endian values from untrusted bytes, with bounds checks.
struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private let path: String
    private let end: Int
    private(set) var offset: Int
    /// The file, for messages.
    var tensor: String?

    init(_ file: MappedFile, offset: Int = 0) { self.init(file, offset..<file.bytes.count) }

    /// Reads nothing but the bytes of `range`, which lie in the file.
    init(_ file: MappedFile, _ range: Range<Int>) {
        bytes = file.bytes
        path = file.path
        offset = range.lowerBound
        end = range.upperBound
    }

    var remaining: Int { end - offset }

    /// Skips `count` bytes and returns their offset.
    mutating func skip(_ count: Int) throws(CheckpointError) -> Int {
        guard count >= 0, count <= remaining else {
            let (needed, overflow) = offset.addingReportingOverflow(count)
            throw .truncated(file: path, tensor: tensor, needed: overflow ? .max : needed, available: end)
        }
        defer { offset += count }
        return offset
    }

    mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self) throws(CheckpointError) -> T
    {
        let start = try skip(MemoryLayout<T>.size)
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: T.self))
    }

    mutating func float() throws(CheckpointError) -> Float { Float(bitPattern: try integer(UInt32.self)) }
    mutating func double() throws(CheckpointError) -> Double { Double(bitPattern: try integer(UInt64.self)) }

    mutating func bytes(count: Int) throws(CheckpointError) -> [UInt8] {
        let start = try skip(count)
        return Array(bytes[start..<start + count])
    }

    /// The next `count` bytes as UTF-8; `what` names them in the error.
    mutating func text(count: Int, what: String) throws(CheckpointError) -> String {
        let start = try skip(count)
        guard
            let text = String(validating: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]), as: UTF8.self)
        else {
            throw malformed("\(what) at byte \(start) is not UTF-8 text")
        }
        return text
    }

    /// The next `count` bytes as UTF-8, with invalid bytes replaced by U+FFFD.
    mutating func lenientText(count: Int) throws(CheckpointError) -> String {
        let start = try skip(count)
        return String(decoding: bytes[start..<start + count], as: UTF8.self)
    }

    /// Rejects a count of items that cannot fit into the rest of the file, before memory is allocated for them.
    func checkCount(_ count: UInt64, minimumBytes: Int, what: String) throws(CheckpointError) -> Int {
        guard let count = Int(exactly: count), count <= remaining / minimumBytes else {
            throw malformed("the header promises \(count) \(what), but only \(remaining) bytes follow")
        }
        return count
    }

    func malformed(_ problem: String) -> CheckpointError {
        .malformed(file: path, tensor: tensor.map { printable($0) }, problem: problem)
    }
}
