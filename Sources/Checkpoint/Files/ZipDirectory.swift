import JSON

/// The directory of a zip archive: a checkpoint of `torch.save`, or a Python wheel.
///
/// Entry names are only looked up, never used as paths.
package struct ZipDirectory {
    /// More entries than any checkpoint has; bounds the memory that a directory takes.
    private static let mostEntries = 1 << 17

    package struct Entry: Sendable {
        package let isDeflated: Bool
        /// CRC-32 of the content.
        package let checksum: UInt32
        package let compressedSize: Int
        package let size: Int
        fileprivate let localHeader: Int
    }

    package let file: MappedFile
    private let entries: [String: Entry]

    static func recognizes(_ head: some Sequence<UInt8>) -> Bool { head.starts(with: "PK\u{3}\u{4}".utf8) }

    package init(_ file: MappedFile) throws(CheckpointError) {
        self.file = file
        let end = try Self.end(of: file)
        var reader = ByteReader(file, offset: end.directory)
        // An entry takes 46 bytes and its name.
        let count = try reader.checkCount(end.count, minimumBytes: 46, what: "zip entries")
        guard count <= Self.mostEntries else {
            throw reader.malformed("\(count) zip entries, at most \(Self.mostEntries) are read")
        }
        var entries: [String: Entry] = [:]
        entries.reserveCapacity(count)
        for _ in 0..<count {
            let (name, entry) = try Self.entry(&reader, file)
            guard entries.updateValue(entry, forKey: name) == nil else {
                throw reader.malformed("the zip entry \"\(printable(name))\" occurs twice")
            }
        }
        self.entries = entries
    }

    package var names: some Collection<String> { entries.keys }

    /// The bytes of the entry called `name` in the file; `nil` if there is none. It must be stored without compression,
    /// as `torch.save` does.
    func range(_ name: String) throws(CheckpointError) -> Range<Int>? {
        guard let (entry, range) = try find(name) else { return nil }
        guard !entry.isDeflated else {
            throw .malformed(
                file: file.path, tensor: nil,
                problem: "the zip entry \"\(printable(name))\" is compressed or encrypted; "
                    + "torch.save stores entries as they are")
        }
        return range
    }

    /// The entry called `name` and the place of its compressed bytes; `nil` if there is none.
    package func find(_ name: String) throws(CheckpointError) -> (entry: Entry, range: Range<Int>)? {
        guard let entry = entries[name] else { return nil }
        var reader = ByteReader(file, offset: entry.localHeader)
        guard try reader.integer(UInt32.self) == 0x0403_4b50 else {
            throw reader.malformed("the zip entry \"\(printable(name))\" has no header where the directory points")
        }
        _ = try reader.skip(22)
        let nameLength = Int(try reader.integer(UInt16.self))
        let extraLength = Int(try reader.integer(UInt16.self))
        _ = try reader.skip(nameLength + extraLength)
        let start = try reader.skip(entry.compressedSize)
        return (entry, start..<start + entry.compressedSize)
    }

    // MARK: Directory

    private static func entry(_ reader: inout ByteReader, _ file: MappedFile) throws(CheckpointError) -> (String, Entry)
    {
        guard try reader.integer(UInt32.self) == 0x0201_4b50 else {
            throw reader.malformed("the zip directory has no entry at byte \(reader.offset - 4)")
        }
        _ = try reader.skip(4)
        let flags = try reader.integer(UInt16.self)
        let method = try reader.integer(UInt16.self)
        _ = try reader.skip(4)
        let checksum = try reader.integer(UInt32.self)
        let compressed = try reader.integer(UInt32.self)
        let uncompressed = try reader.integer(UInt32.self)
        let nameLength = Int(try reader.integer(UInt16.self))
        let extraLength = Int(try reader.integer(UInt16.self))
        let commentLength = Int(try reader.integer(UInt16.self))
        _ = try reader.skip(8)
        let offset = try reader.integer(UInt32.self)
        let name = try reader.text(count: nameLength, what: "a zip entry's name")
        guard flags & 1 == 0, method == 0 || method == 8 else {
            throw reader.malformed("the zip entry \"\(printable(name))\" is encrypted or compressed in an unknown way")
        }
        var sizes = [uncompressed, compressed, offset].map { $0 == .max ? nil : UInt64($0) }
        let extraEnd = try reader.skip(extraLength) + extraLength
        try zip64(&sizes, ByteReader(file, extraEnd - extraLength..<extraEnd))
        _ = try reader.skip(commentLength)
        guard let size = sizes[0].flatMap({ Int(exactly: $0) }),
            let compressedSize = sizes[1].flatMap({ Int(exactly: $0) }), method == 8 || compressedSize == size,
            let header = sizes[2].flatMap({ Int(exactly: $0) }), header <= reader.offset
        else {
            throw reader.malformed("the zip entry \"\(printable(name))\" has impossible sizes")
        }
        let entry = Entry(
            isDeflated: method == 8, checksum: checksum, compressedSize: compressedSize, size: size, localHeader: header
        )
        return (name, entry)
    }

    /// Fills in the sizes that do not fit into 32 bits from the extra fields of an entry.
    private static func zip64(_ sizes: inout [UInt64?], _ extra: ByteReader) throws(CheckpointError) {
        var fields = extra
        while fields.remaining >= 4, sizes.contains(nil) {
            let kind = try fields.integer(UInt16.self)
            let length = Int(try fields.integer(UInt16.self))
            guard kind == 1 else {
                _ = try fields.skip(length)
                continue
            }
            for index in sizes.indices where sizes[index] == nil { sizes[index] = try fields.integer(UInt64.self) }
        }
    }

    /// The offset of the directory and the number of its entries, from the record at the end of the file.
    private static func end(of file: MappedFile) throws(CheckpointError) -> (directory: Int, count: UInt64) {
        // The record takes 22 bytes and a comment of up to 65535.
        let size = file.bytes.count
        let first = max(0, size - 22 - 0xffff)
        for start in stride(from: size - 22, through: first, by: -1) where file.bytes[start] == UInt8(ascii: "P") {
            var record = ByteReader(file, offset: start)
            guard try record.integer(UInt32.self) == 0x0605_4b50 else { continue }
            _ = try record.skip(6)
            let count = try record.integer(UInt16.self)
            _ = try record.skip(4)
            let directory = try record.integer(UInt32.self)
            guard Int(try record.integer(UInt16.self)) == record.remaining else { continue }
            if let end = try zip64End(file, before: start) { return end }
            guard directory <= start else { throw record.malformed("the zip directory lies outside of the file") }
            return (Int(directory), UInt64(count))
        }
        throw .malformed(
            file: file.path, tensor: nil,
            problem: "the zip directory at its end is missing, as after a download that was cut short")
    }

    private static func zip64End(
        _ file: MappedFile, before start: Int
    ) throws(CheckpointError) -> (directory: Int, count: UInt64)? {
        guard start >= 20 else { return nil }
        var locator = ByteReader(file, offset: start - 20)
        guard try locator.integer(UInt32.self) == 0x0706_4b50 else { return nil }
        _ = try locator.skip(4)
        guard let place = Int(exactly: try locator.integer(UInt64.self)), place <= start else {
            throw locator.malformed("the ZIP64 record lies outside of the file")
        }
        var record = ByteReader(file, offset: place)
        guard try record.integer(UInt32.self) == 0x0606_4b50 else {
            throw record.malformed("the ZIP64 record is not where its locator points")
        }
        _ = try record.skip(28)
        let count = try record.integer(UInt64.self)
        _ = try record.skip(8)
        guard let directory = Int(exactly: try record.integer(UInt64.self)), directory <= place else {
            throw record.malformed("the zip directory lies outside of the file")
        }
        return (directory, count)
    }
}
