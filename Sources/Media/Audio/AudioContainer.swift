/// The length that a file's container promises, so that a cut-off recording is told from a short one. libsndfile reads what
/// is there and says nothing; this looks only at the few header fields that name the length of what should follow.
enum AudioContainer {
    /// Bytes of samples: stated by the header, and present in the file.
    struct Shortfall: Equatable {
        let expected: Int64
        let actual: Int64
        let unit: String
    }

    /// The part of a file that holds the samples.
    struct Samples: Equatable {
        let offset: Int64
        /// Bytes; nil where the header does not tell, as recorders that stream or die leave it.
        let byteCount: Int64?
        /// Numbers are stored with their highest byte first.
        let isBigEndian: Bool
    }

    /// The bytes missing at the end, or nil if none are or the format does not tell.
    static func shortfall(of file: borrowing InputFile) throws(MediaError) -> Shortfall? {
        if let samples = try samples(of: file) {
            guard let size = samples.byteCount, size > file.byteCount - samples.offset else { return nil }
            return Shortfall(
                expected: size, actual: max(0, file.byteCount - samples.offset), unit: "bytes of samples")
        }
        let head = try file.bytes(at: 0, count: 4)
        return head.elementsEqual("OggS".utf8) ? try lastOggPage(of: file) : try mpegStream(of: file)?.shortfall
    }

    /// The samples of a container of chunks or an AU file; nil for other formats.
    static func samples(of file: borrowing InputFile) throws(MediaError) -> Samples? {
        let head = try file.bytes(at: 0, count: 24)
        switch String(decoding: head.prefix(4), as: UTF8.self) {
        case "RIFF", "RF64", "BW64": return try ChunkLayout.riff.samples(of: file)
        case "RIFX": return try ChunkLayout(start: 12, isBigEndian: true, data: ["data"]).samples(of: file)
        case "FORM": return try ChunkLayout(start: 12, isBigEndian: true, data: ["SSND", "BODY"]).samples(of: file)
        case "caff":
            return try ChunkLayout(start: 8, isBigEndian: true, sizeBytes: 8, padding: 1, data: ["data"])
                .samples(of: file)
        case "riff":  // Sony Wave64: names of 16 bytes, sizes that include name and size
            return try ChunkLayout(
                start: 40, isBigEndian: false, nameBytes: 16, sizeBytes: 8, sizeIncludesHeader: true, padding: 8,
                data: ["data"]
            ).samples(of: file)
        case ".snd", "dns.":
            guard head.count == 24 else { return nil }
            let isBigEndian = head[0] == 0x2E
            let size = ChunkLayout.number(head[8..<12], isBigEndian: isBigEndian)
            return Samples(
                offset: ChunkLayout.number(head[4..<8], isBigEndian: isBigEndian),
                byteCount: (1..<0xFFFF_FFFF).contains(size) ? size : nil, isBigEndian: isBigEndian)
        default: return nil
        }
    }

    /// Samples per channel of an MP3 file whose encoder wrote no header frame, counted frame by frame; libsndfile only
    /// estimates them from the bit rate of the first. Nil for every other file.
    static func countedMPEGLength(of file: borrowing InputFile) throws(MediaError) -> Int64? {
        guard let stream = try mpegStream(of: file), !stream.hasHeader else { return nil }
        return try MPEGFrame.sampleCount(of: file, from: stream.start)
    }

    private struct MPEGStream {
        /// Offset of the first frame.
        let start: Int64
        let hasHeader: Bool
        let shortfall: Shortfall?
    }

    /// MP3: after an ID3v2 tag, the first frame may be a header ("Xing" or, for a constant rate, "Info") with the number of
    /// bytes. Nil if it is not MPEG audio. (libmpg123 would print errors to standard error.)
    private static func mpegStream(of file: borrowing InputFile) throws(MediaError) -> MPEGStream? {
        var start: Int64 = 0
        var head = try file.bytes(at: 0, count: 10)
        if head.count == 10, Array(head.prefix(3)) == Array("ID3".utf8) {
            // Four times seven bits.
            start = 10 + head[6..<10].reduce(Int64(0)) { $0 << 7 | Int64($1 & 0x7F) }
        }
        head = try file.bytes(at: start, count: 256)
        guard head.count >= 64, head[0] == 0xFF, head[1] & 0xE0 == 0xE0 else { return nil }
        // The frame's side information comes before; its length depends on version and channels, 9 to 32 bytes.
        for mark in [Array("Xing".utf8), Array("Info".utf8)] {
            guard let at = (4..<48).first(where: { Array(head[$0..<$0 + 4]) == mark }) else { continue }
            func number(_ offset: Int) -> Int64 { head[offset..<offset + 4].reduce(0) { $0 << 8 | Int64($1) } }
            let flags = number(at + 4)
            // Bit 0: number of frames, bit 1: number of bytes.
            guard flags & 2 != 0 else { return MPEGStream(start: start, hasHeader: flags & 1 != 0, shortfall: nil) }
            let expected = number(at + 8 + (flags & 1 != 0 ? 4 : 0)), actual = file.byteCount - start
            let short = actual < expected ? Shortfall(expected: expected, actual: actual, unit: "bytes") : nil
            return MPEGStream(start: start, hasHeader: flags & 1 != 0, shortfall: short)
        }
        return MPEGStream(start: start, hasHeader: false, shortfall: nil)
    }

    /// Ogg: the file must not end inside a page. (Streams without an end-of-stream mark are common and complete.)
    private static func lastOggPage(of file: borrowing InputFile) throws(MediaError) -> Shortfall? {
        // A page has at most 27 + 255 + 255·255 bytes.
        let tailStart = max(0, file.byteCount - 131_072)
        let tail = try file.bytes(at: tailStart, count: 131_072)
        var last: Shortfall?
        var i = 0
        while i + 27 <= tail.count {
            guard tail[i] == 0x4F, tail[i + 1] == 0x67, tail[i + 2] == 0x67, tail[i + 3] == 0x53, tail[i + 4] == 0
            else {
                i += 1
                continue
            }
            let segments = Int(tail[i + 26])
            let table = tail[(i + 27)..<min(i + 27 + segments, tail.count)]
            let length = 27 + segments + table.reduce(0) { $0 + Int($1) }
            if table.count < segments || i + length > tail.count {
                let start = tailStart + Int64(i)
                last = Shortfall(expected: start + Int64(length), actual: file.byteCount, unit: "bytes")
                i += 4
            } else {
                last = nil
                i += length
            }
        }
        return last
    }
}

/// A file of chunks: name, size, content, padding.
private struct ChunkLayout {
    /// Offset of the first chunk.
    let start: Int64
    let isBigEndian: Bool
    var nameBytes = 4
    var sizeBytes = 4
    var sizeIncludesHeader = false
    /// Bytes whose multiples contents are filled up to.
    var padding: Int64 = 2
    /// Names of the chunk with the samples.
    let data: [String]

    static let riff = ChunkLayout(start: 12, isBigEndian: false, data: ["data"])

    func samples(of file: borrowing InputFile) throws(MediaError) -> AudioContainer.Samples? {
        let headerBytes = Int64(nameBytes + sizeBytes)
        var offset = start
        /// RF64: the real size of the samples.
        var wideSize: Int64?
        // A thousand chunks before the samples is not a recording; the bound keeps a hostile file from costing a scan.
        for _ in 0..<1000 {
            let header = try file.bytes(at: offset, count: Int(headerBytes))
            guard header.count == headerBytes else { return nil }
            let name = String(decoding: header.prefix(4), as: UTF8.self)
            var size = Self.number(header[nameBytes...], isBigEndian: isBigEndian)
            if sizeIncludesHeader, size >= headerBytes { size -= headerBytes }
            let content = offset + headerBytes
            if name == "ds64" {
                let sizes = try file.bytes(at: content, count: 16)
                wideSize = sizes.count == 16 ? Self.number(sizes[8...], isBigEndian: false) : nil
            }
            if data.contains(name) {
                // Recorders that stream do not know the size: they write 0, or (almost) the largest number.
                let largest = sizeBytes == 4 ? 0x7FFF_0000 : Int64.max
                let known = size < largest ? size : wideSize ?? 0
                return AudioContainer.Samples(
                    offset: content, byteCount: known > 0 && known < Int64.max ? known : nil, isBigEndian: isBigEndian)
            }
            let (end, isTooFar) = content.addingReportingOverflow(size)
            guard !isTooFar, end < file.byteCount else { return nil }
            offset = (end + padding - 1) / padding * padding
        }
        return nil
    }

    /// An unsigned number; the largest signed one for what does not fit.
    static func number(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> Int64 {
        let value = (isBigEndian ? Array(bytes) : bytes.reversed()).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int64(clamping: value)
    }
}

/// The four bytes at the beginning of a frame of MPEG audio, layer III (ISO/IEC 11172-3, §2.4.1.3, and 13818-3).
private struct MPEGFrame {
    let byteCount: Int64
    let sampleCount: Int64

    init?(_ header: [UInt8]) {
        guard header.count == 4, header[0] == 0xFF, header[1] & 0xE0 == 0xE0, header[1] >> 1 & 3 == 1 else {
            return nil
        }
        let version = header[1] >> 3 & 3  // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
        let rateIndex = Int(header[2] >> 2 & 3), bitRateIndex = Int(header[2] >> 4)
        guard version != 1, rateIndex < 3, (1...14).contains(bitRateIndex) else { return nil }
        let isFirst = version == 3
        let kilobits: [Int64] =
            isFirst
            ? [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
            : [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
        let rate = [44_100, 48_000, 32_000][rateIndex] / (isFirst ? 1 : version == 2 ? 2 : 4) as Int64
        sampleCount = isFirst ? 1152 : 576
        byteCount = sampleCount / 8 * kilobits[bitRateIndex - 1] * 1000 / rate + Int64(header[2] >> 1 & 1)
    }

    /// Sum over the frames from `start` to the first byte that begins no frame.
    static func sampleCount(of file: borrowing InputFile, from start: Int64) throws(MediaError) -> Int64 {
        var total: Int64 = 0
        var position = start, blockStart = start
        var block: [UInt8] = []
        while true {
            if position + 4 > blockStart + Int64(block.count) {
                block = try file.bytes(at: position, count: 1 << 16)
                blockStart = position
            }
            let index = Int(position - blockStart)
            guard index + 4 <= block.count, let frame = MPEGFrame(Array(block[index..<index + 4])) else { return total }
            total += frame.sampleCount
            position += frame.byteCount
        }
    }
}
