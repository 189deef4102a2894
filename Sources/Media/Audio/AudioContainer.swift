/// The length that a container's header states, to tell a truncated recording from a short one: libsndfile reads the existing
/// part without an error. Only the few header fields that state lengths are read.
enum AudioContainer {
    /// Bytes of samples: stated by the header, and present in the file.
    struct Shortfall: Equatable {
        let expected: Int64
        let actual: Int64
        let unit: String
    }

    /// The missing part at the end; nil if nothing is missing or the format does not state a length.
    static func shortfall(of file: borrowing InputFile) throws(MediaError) -> Shortfall? {
        let head = try file.bytes(at: 0, count: 12)
        switch head.prefix(4) {
        case [0x52, 0x49, 0x46, 0x46]:  // RIFF
            return try chunks(of: file, data: Array("data".utf8), bigEndian: false)
        case [0x52, 0x49, 0x46, 0x58]:  // RIFX
            return try chunks(of: file, data: Array("data".utf8), bigEndian: true)
        case [0x46, 0x4F, 0x52, 0x4D]:  // FORM
            return try chunks(of: file, data: Array("SSND".utf8), bigEndian: true)
        case [0x4F, 0x67, 0x67, 0x53]:  // OggS
            return try lastOggPage(of: file)
        default:
            return try mpegStream(of: file)?.shortfall
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

    /// RIFF and IFF: name (4 bytes), size (4 bytes), content padded to an even size.
    private static func chunks(of file: borrowing InputFile, data: [UInt8], bigEndian: Bool) throws(MediaError)
        -> Shortfall?
    {
        var offset: Int64 = 12
        // The bound on chunks before the samples keeps a hostile file from costing a long scan.
        for _ in 0..<1000 {
            let header = try file.bytes(at: offset, count: 8)
            guard header.count == 8 else { return nil }
            let bytes = bigEndian ? Array(header[4...]) : header[4...].reversed()
            let size = bytes.reduce(Int64(0)) { $0 << 8 | Int64($1) }
            let content = offset + 8
            if Array(header[..<4]) == data {
                // Streaming recorders do not know the size: they write 0 or (almost) the largest number.
                guard size > 0, size < 0x7FFF_0000 else { return nil }
                let there = file.byteCount - content
                return there < size ? Shortfall(expected: size, actual: there, unit: "bytes of samples") : nil
            }
            offset = content + size + size % 2
        }
        return nil
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
