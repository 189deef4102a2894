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
    /// The orientation that a file's EXIF block gives or, where that has no such tag, its XMP packet, as Pillow's
    /// `exif_transpose` looks for it; upright if there is none, or nonsense.
    init(_ metadata: ImageMetadata) {
        if let value = metadata.exif.flatMap(Self.tag(exif:)) {
            self = Self(rawValue: value) ?? .upright
        } else {
            self = metadata.xmp.flatMap(Self.tag(xmp:)).flatMap(Self.init(rawValue:)) ?? .upright
        }
    }

    /// The value of `tiff:Orientation="6"` or `<tiff:Orientation>6</tiff:Orientation>`.
    static func tag(xmp: [UInt8]) -> Int? {
        let name = Array("tiff:Orientation".utf8)
        var rest = xmp[...]
        while let found = rest.firstRange(of: name) {
            rest = rest[found.upperBound...]
            for separator in ["=\"", "='", ">"] where rest.starts(with: separator.utf8) {
                guard let digit = rest.dropFirst(separator.utf8.count).first, (0x30...0x39).contains(digit) else {
                    break
                }
                return Int(digit) - 0x30
            }
        }
        return nil
    }

    /// A TIFF structure: byte order, 42, offset of the first directory; its entries are tag, type, count, value.
    static func tag(exif bytes: [UInt8]) -> Int? {
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
            // 1, 3, 4 and their signed forms: a number of 8, 16 or 32 bits, at the start of the value field.
            switch type {
            case 1, 6: return number(at: offset + 8, 1)
            case 3, 8: return number(at: offset + 8, 2)
            case 4, 9: return number(at: offset + 8, 4)
            default: return nil
            }
        }
        return nil
    }
}
