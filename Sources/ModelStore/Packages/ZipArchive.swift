import CZlib
import Checkpoint
import JSON

/// The members of a Python wheel, which is a zip archive.
///
/// The archive is untrusted: a name that leads out of the folder is an error for the whole archive, and no member writes more
/// than its stated size.
struct ZipArchive {
    private let directory: ZipDirectory
    private var file: MappedFile { directory.file }

    /// - Throws: `CheckpointError`, `ModelStoreError.hostileFileName`
    init(path: String) throws {
        directory = try ZipDirectory(MappedFile(path: path))
        for name in directory.names where !Self.staysInside(name) {
            throw ModelStoreError.hostileFileName(name: name, source: path)
        }
    }

    private static func staysInside(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix("/") && !name.contains("\\") && !name.contains("\0")
            && !name.split(separator: "/").contains("..")
    }

    /// Appends a member of `size` bytes to a file.
    ///
    /// - Throws: `ModelStoreError.damagedArchive`, `CheckpointError`, `CancellationError`
    func extract(_ name: String, size: Int, to output: OutputFile) throws {
        guard let (entry, range) = try directory.find(name) else { throw damaged(name, "is not in it") }
        guard entry.size == size else { throw damaged(name, "has \(entry.size) bytes, expected \(size)") }
        var sink = ChecksummedOutput(output: output, limit: size)
        let isWhole = try withExtendedLifetime(file) {
            let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[range])
            return entry.isDeflated ? try Self.inflate(bytes, into: &sink) : try Self.copy(bytes, into: &sink)
        }
        guard isWhole, sink.count == size, sink.checksum == entry.checksum else {
            throw damaged(name, "does not have the size and checksum it should have")
        }
    }

    private func damaged(_ name: String, _ problem: String) -> ModelStoreError {
        .damagedArchive(file: file.path, reason: "\"\(printable(name))\" \(problem)")
    }

    private static let step = 1 << 18

    /// - Returns: true if all bytes fit.
    private static func copy(_ bytes: UnsafeRawBufferPointer, into sink: inout ChecksummedOutput) throws -> Bool {
        for start in stride(from: 0, to: bytes.count, by: step) {
            let end = min(start + step, bytes.count)
            guard try sink.write(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) else { return false }
        }
        return true
    }

    /// - Returns: true if the stream ends at the end of the member and all bytes fit.
    private static func inflate(_ bytes: UnsafeRawBufferPointer, into sink: inout ChecksummedOutput) throws -> Bool {
        var stream = z_stream()
        // Raw deflate: the archive has its own headers.
        let version = Int32(MemoryLayout<z_stream>.size)
        guard let length = UInt32(exactly: bytes.count), inflateInit2_(&stream, -15, ZLIB_VERSION, version) == Z_OK
        else {
            return false
        }
        defer { inflateEnd(&stream) }
        stream.next_in = UnsafeMutablePointer(mutating: bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
        stream.avail_in = length
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: step, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            stream.next_out = buffer.assumingMemoryBound(to: UInt8.self).baseAddress
            stream.avail_out = UInt32(step)
            let status = CZlib.inflate(&stream, Z_NO_FLUSH)
            guard status == Z_OK || status == Z_STREAM_END else { return false }
            guard try sink.write(UnsafeRawBufferPointer(rebasing: buffer[..<(step - Int(stream.avail_out))])) else {
                return false
            }
            if status == Z_STREAM_END { return stream.avail_in == 0 }
        }
    }
}

/// A file that is written up to a limit, with the CRC-32 of its bytes.
private struct ChecksummedOutput {
    private let output: OutputFile
    private let limit: Int
    private(set) var count = 0
    private(set) var checksum: UInt32 = 0

    init(output: OutputFile, limit: Int) {
        self.output = output
        self.limit = limit
    }

    /// - Returns: true if the bytes are within the limit; otherwise nothing is written.
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws -> Bool {
        try Task.checkCancellation()
        guard count + bytes.count <= limit else { return false }
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return true }
        checksum = UInt32(
            truncatingIfNeeded: crc32(
                UInt(checksum), start.assumingMemoryBound(to: UInt8.self), UInt32(bytes.count)))
        try output.write(bytes)
        count += bytes.count
        return true
    }
}
