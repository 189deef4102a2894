import CZlib

/// The parts of a picture file beside its pixels that decide the orientation, and whether the file is complete.
struct ImageMetadata {
    /// A TIFF structure.
    private(set) var exif: [UInt8]?
    /// An XML packet.
    private(set) var xmp: [UInt8]?
    /// The file ends before its container does.
    private(set) var isCut = false

    private static let exifMark: [UInt8] = [0x45, 0x78, 0x69, 0x66, 0, 0]  // "Exif", 0, 0

    init(format: ImageFormat, file: [UInt8]) {
        switch format {
        case .jpeg: readJPEG(file)
        case .png: readPNG(file)
        case .webp: readWebP(file)
        case .gif: readGIF(file)
        }
        // Some writers put the mark of JPEG before the block in other files, or twice.
        for _ in 0..<2 where exif?.starts(with: Self.exifMark) == true { exif?.removeFirst(6) }
    }

    /// Segments APP1 before the first scan. The decoder finds a missing end itself.
    private mutating func readJPEG(_ file: [UInt8]) {
        let xmpMark = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
        var offset = 2
        while offset + 4 <= file.count, file[offset] == 0xFF {
            let marker = file[offset + 1]
            if marker == 0xFF {  // fill byte
                offset += 1
                continue
            }
            if marker == 0xDA || marker == 0xD9 { return }
            let length = Int(file[offset + 2]) << 8 | Int(file[offset + 3])
            guard length >= 2, offset + 2 + length <= file.count else { return }
            let content = file[(offset + 4)..<(offset + 2 + length)]
            if marker == 0xE1, exif == nil, content.starts(with: Self.exifMark) { exif = Array(content) }
            if marker == 0xE1, xmp == nil, content.starts(with: xmpMark) {
                xmp = Array(content.dropFirst(xmpMark.count))
            }
            offset += 2 + length
        }
    }

    /// Chunks: length (4 bytes, big-endian), name, content, checksum. Text is in `tEXt` (keyword, 0, text), `zTXt` (keyword,
    /// 0, method, compressed text) and `iTXt` (keyword, 0, is compressed, method, language, 0, translation, 0, text).
    private mutating func readPNG(_ file: [UInt8]) {
        isCut = true
        var profile: [UInt8]?
        var offset = 8
        while offset + 12 <= file.count {
            let length = file[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
            guard offset + 12 + length <= file.count else { break }
            let name = file[(offset + 4)..<(offset + 8)], content = file[(offset + 8)..<(offset + 8 + length)]
            offset += 12 + length
            if name.elementsEqual("IEND".utf8) {
                isCut = false
                break
            }
            if name.elementsEqual("eXIf".utf8), exif == nil { exif = Array(content) }
            guard let (keyword, text) = Self.text(chunk: name, content) else { continue }
            switch keyword {
            case "XML:com.adobe.xmp": xmp = text()
            case "Raw profile type exif": profile = text()
            default: break
            }
        }
        if exif == nil { exif = profile.flatMap(Self.rawProfile) }
    }

    private static func text(
        chunk name: ArraySlice<UInt8>, _ content: ArraySlice<UInt8>
    ) -> (keyword: String, text: () -> [UInt8]?)? {
        guard let end = content.prefix(80).firstIndex(of: 0) else { return nil }
        let keyword = String(decoding: content[..<end], as: UTF8.self)
        let rest = content[(end + 1)...]
        switch String(decoding: name, as: UTF8.self) {
        case "tEXt": return (keyword, { Array(rest) })
        case "zTXt": return (keyword, { Self.inflated(rest.dropFirst()) })
        case "iTXt":
            let parts = rest.dropFirst(2).split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            let isCompressed = rest.first == 1
            return (keyword, { isCompressed ? Self.inflated(parts[2]) : Array(parts[2]) })
        default: return nil
        }
    }

    /// A block as ImageMagick writes it into text: a blank line, its kind, its length, then hexadecimal digits.
    private static func rawProfile(_ text: [UInt8]) -> [UInt8]? {
        let lines = text.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false)
        guard lines.count == 4 else { return nil }
        let digits = lines[3].compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// The text that zlib packed; nil if it is damaged or longer than a megabyte.
    private static func inflated(_ packed: ArraySlice<UInt8>) -> [UInt8]? {
        var status = Z_OK
        let text = [UInt8](unsafeUninitializedCapacity: 1 << 20) { output, filled in
            var length = UInt(output.count)
            status = packed.withUnsafeBufferPointer {
                uncompress(output.baseAddress, &length, $0.baseAddress, UInt($0.count))
            }
            filled = status == Z_OK ? Int(length) : 0
        }
        return status == Z_OK ? text : nil
    }

    /// Chunks: name, length (4 bytes, little-endian), content padded to an even length; the first is the file.
    private mutating func readWebP(_ file: [UInt8]) {
        func length(at offset: Int) -> Int { file[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) } }
        isCut = file.count < 8 + length(at: 4)
        var offset = 12
        while offset + 8 <= file.count {
            let length = length(at: offset + 4)
            guard offset + 8 + length <= file.count else { return }
            let name = file[offset..<offset + 4], content = file[(offset + 8)..<(offset + 8 + length)]
            if name.elementsEqual("EXIF".utf8), exif == nil { exif = Array(content) }
            if name.elementsEqual("XMP ".utf8), xmp == nil { xmp = Array(content) }
            offset += 8 + length + length % 2
        }
    }

    /// Blocks up to `;`, the end: `!` and a label, or `,` and a frame's header; then pieces of at most 255 bytes and an empty
    /// one. There is no orientation.
    private mutating func readGIF(_ file: [UInt8]) {
        func colors(_ packed: UInt8) -> Int { packed & 0x80 == 0 ? 0 : 3 << (Int(packed & 7) + 1) }
        isCut = true
        guard file.count > 13 else { return }
        var offset = 13 + colors(file[10])
        while offset < file.count {
            switch file[offset] {
            case UInt8(ascii: "!"): offset += 2
            case UInt8(ascii: ","):
                guard offset + 10 < file.count else { return }
                offset += 11 + colors(file[offset + 9])
            default:
                // The end, or bytes that some programs append.
                isCut = false
                return
            }
            while offset < file.count, file[offset] > 0 { offset += 1 + Int(file[offset]) }
            offset += 1
        }
    }
}
