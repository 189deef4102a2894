import CZlib

/// Builds zip files by hand, right ones and wrong ones.
struct ZipBytes {
    struct Member {
        var name: String
        var content: [UInt8]
        var isDeflated = true
        var checksum: UInt32?
        var size: Int?
        var compressedSize: Int?
        var offset: Int?
        var method: UInt16?
        var flags: UInt16 = 0
    }

    var members: [Member]
    var comment = ""
    var directoryOffset: Int?
    var count: Int?

    init(_ members: [Member]) { self.members = members }

    var bytes: [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for member in members {
            let data = member.isDeflated ? Self.deflated(member.content) : member.content
            let checksum = member.checksum ?? Self.checksum(member.content)
            let sizes =
                u32(checksum) + u32(member.compressedSize ?? data.count) + u32(member.size ?? member.content.count)
            let start = member.offset ?? file.count
            let common = u16(member.flags) + u16(member.method ?? (member.isDeflated ? 8 : 0)) + [0, 0, 0, 0] + sizes
            let localName = Array(member.name.utf8)
            file += u32(0x0403_4B50) + u16(20) + common + u16(localName.count) + u16(0) + localName + data
            directory +=
                u32(0x0201_4B50) + u16(20) + u16(20) + common + u16(member.name.utf8.count)
                + [UInt8](repeating: 0, count: 12)
            directory += u32(start) + Array(member.name.utf8)
        }
        let start = file.count
        let number = count ?? members.count
        file += directory + u32(0x0605_4B50) + u16(0) + u16(0) + u16(number) + u16(number)
        return file + u32(directory.count) + u32(directoryOffset ?? start) + u16(comment.utf8.count)
            + Array(comment.utf8)
    }

    static func deflated(_ content: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        deflateInit2_(
            &stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        defer { deflateEnd(&stream) }
        var content = content
        var result = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(content.count))))
        content.withUnsafeMutableBufferPointer { input in
            result.withUnsafeMutableBufferPointer { output in
                (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
                (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(output.count))
                _ = deflate(&stream, Z_FINISH)
            }
        }
        return Array(result.prefix(Int(stream.total_out)))
    }

    static func checksum(_ content: [UInt8]) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32(0, content, UInt32(content.count)))
    }

    private func u16(_ value: some BinaryInteger) -> [UInt8] { little(UInt16(truncatingIfNeeded: value)) }
    private func u32(_ value: some BinaryInteger) -> [UInt8] { little(UInt32(truncatingIfNeeded: value)) }
    private func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
