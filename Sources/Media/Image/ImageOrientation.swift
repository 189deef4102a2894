/// The rotation and reflection that make a stored picture upright: EXIF tag 0x0112 (CIPA DC-008, §4.6.4), values 1 to 8.
enum ImageOrientation: Int, Sendable {
    case upright = 1, mirrored, upsideDown, mirroredUpsideDown
    case mirroredOnLeftSide, onLeftSide, mirroredOnRightSide, onRightSide

    var swapsAxes: Bool { rawValue >= 5 }

    /// The stored pixel at (x, y) of the upright picture; `width` and `height` are the stored ones.
    @inline(__always)
    private func source(_ x: Int, _ y: Int, _ width: Int, _ height: Int) -> (x: Int, y: Int) {
        switch self {
        case .upright: (x, y)
        case .mirrored: (width - 1 - x, y)
        case .upsideDown: (width - 1 - x, height - 1 - y)
        case .mirroredUpsideDown: (x, height - 1 - y)
        case .mirroredOnLeftSide: (y, x)
        case .onLeftSide: (y, height - 1 - x)
        case .mirroredOnRightSide: (width - 1 - y, height - 1 - x)
        case .onRightSide: (width - 1 - y, x)
        }
    }

    func upright(_ image: RGBImage) -> RGBImage {
        guard self != .upright else { return image }
        let width = swapsAxes ? image.height : image.width, height = swapsAxes ? image.width : image.height
        let pixels = [UInt8](unsafeUninitializedCapacity: image.pixels.count) { target, filled in
            image.pixels.withUnsafeBufferPointer { stored in
                var output = 0
                for y in 0..<height {
                    for x in 0..<width {
                        let from = source(x, y, image.width, image.height)
                        let input = (from.y * image.width + from.x) * 3
                        target[output] = stored[input]
                        target[output + 1] = stored[input + 1]
                        target[output + 2] = stored[input + 2]
                        output += 3
                    }
                }
            }
            filled = image.pixels.count
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }
}

extension ImageOrientation {
    /// The orientation in the file; upright if it is absent or invalid.
    init(format: ImageFormat, file: [UInt8]) {
        let block: ArraySlice<UInt8>? =
            switch format {
            case .jpeg: Self.jpegExif(file)
            case .png: Self.pngExif(file)
            case .webp: Self.webpExif(file)
            }
        self = block.flatMap(Self.init(exif:)) ?? .upright
    }

    private static let exifMark: [UInt8] = [0x45, 0x78, 0x69, 0x66, 0, 0]  // "Exif", 0, 0

    /// Segment APP1 before the first scan.
    private static func jpegExif(_ file: [UInt8]) -> ArraySlice<UInt8>? {
        var offset = 2
        while offset + 4 <= file.count, file[offset] == 0xFF {
            let marker = file[offset + 1]
            if marker == 0xFF {  // fill byte
                offset += 1
                continue
            }
            if marker == 0xDA || marker == 0xD9 { return nil }
            let length = Int(file[offset + 2]) << 8 | Int(file[offset + 3])
            guard length >= 2, offset + 2 + length <= file.count else { return nil }
            let content = file[(offset + 4)..<(offset + 2 + length)]
            if marker == 0xE1, content.starts(with: exifMark) { return content.dropFirst(6) }
            offset += 2 + length
        }
        return nil
    }

    /// Chunk eXIf: length (4 bytes, big-endian), name, content, checksum.
    private static func pngExif(_ file: [UInt8]) -> ArraySlice<UInt8>? {
        var offset = 8
        while offset + 12 <= file.count {
            let length = file[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
            guard offset + 12 + length <= file.count else { return nil }
            if Array(file[(offset + 4)..<(offset + 8)]) == Array("eXIf".utf8) {
                return file[(offset + 8)..<(offset + 8 + length)]
            }
            offset += 12 + length
        }
        return nil
    }

    /// Chunk EXIF: name, length (4 bytes, little-endian), content padded to an even length.
    private static func webpExif(_ file: [UInt8]) -> ArraySlice<UInt8>? {
        var offset = 12
        while offset + 8 <= file.count {
            let length = file[(offset + 4)..<(offset + 8)].reversed().reduce(0) { $0 << 8 | Int($1) }
            guard offset + 8 + length <= file.count else { return nil }
            if Array(file[offset..<offset + 4]) == Array("EXIF".utf8) {
                let content = file[(offset + 8)..<(offset + 8 + length)]
                return content.starts(with: exifMark) ? content.dropFirst(6) : content
            }
            offset += 8 + length + length % 2
        }
        return nil
    }

    /// A TIFF structure: byte order, 42, offset of the first directory; its entries are tag, type, count, value.
    init?(exif block: ArraySlice<UInt8>) {
        let bytes = Array(block)
        let bigEndian: Bool
        switch bytes.prefix(4) {
        case [0x4D, 0x4D, 0, 42]: bigEndian = true
        case [0x49, 0x49, 42, 0]: bigEndian = false
        default: return nil
        }
        func number(at offset: Int, _ size: Int) -> Int? {
            guard offset >= 0, offset + size <= bytes.count else { return nil }
            let field = bytes[offset..<offset + size]
            return (bigEndian ? Array(field) : field.reversed()).reduce(0) { $0 << 8 | Int($1) }
        }
        guard let directory = number(at: 4, 4), let count = number(at: directory, 2) else { return nil }
        for entry in 0..<count {
            let offset = directory + 2 + entry * 12
            guard let tag = number(at: offset, 2), let type = number(at: offset + 2, 2) else { return nil }
            guard tag == 0x0112 else { continue }
            // 3: 16-bit number, in the first half of the value field.
            guard type == 3, let value = number(at: offset + 8, 2), let orientation = Self(rawValue: value) else {
                return nil
            }
            self = orientation
            return
        }
        return nil
    }
}
