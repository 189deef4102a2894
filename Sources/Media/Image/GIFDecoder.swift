/// A decoder of the first frame of a GIF (GIF89a Specification, CompuServe 1990), on the canvas.
///
/// Codes of variable length by Lempel, Ziv and Welch; the table has at most 4,096 entries. What of the frame lies outside of
/// the canvas is cut. Pixels that it does not cover are transparent if any are, else they have the first color, as in Pillow.
enum GIFDecoder: ImageDecoder {
    static func size(of bytes: [UInt8], path: String) throws(MediaError) -> (width: Int, height: Int) {
        var reader = GIFReader(bytes: bytes, path: path)
        let screen = try reader.screen()
        return (screen.width, screen.height)
    }

    static func decode(_ bytes: [UInt8], path: String) throws(MediaError) -> RGBImage {
        var reader = GIFReader(bytes: bytes, path: path)
        let screen = try reader.screen()
        let frame = try reader.firstFrame(colors: screen.colors)
        return RGBImage(onWhiteWidth: screen.width, height: screen.height) { pixels in
            func paint(_ place: Int, _ code: UInt8) {
                if code == frame.transparent { return }
                // A color that the table lacks is black.
                let color = frame.colors.dropFirst(Int(code) * 3).prefix(3)
                for (channel, level) in color.enumerated() { pixels[place + channel] = level }
                pixels[place + 3] = 255
            }
            let isCovered =
                frame.left == 0 && frame.top == 0 && frame.width >= screen.width && frame.height >= screen.height
            if !isCovered, frame.transparent == nil {
                for place in stride(from: 0, to: pixels.count, by: 4) { paint(place, 0) }
            }
            for row in 0..<frame.height {
                let y = frame.top + frame.row(of: row)
                guard y < screen.height else { continue }
                for column in 0..<max(0, min(frame.width, screen.width - frame.left)) {
                    let place = (y * screen.width + frame.left + column) * 4
                    for channel in 0..<4 { pixels[place + channel] = 0 }
                    paint(place, frame.indices[row * frame.width + column])
                }
            }
        }
    }
}

/// One frame's colors, by index.
private struct GIFFrame {
    var left: Int
    var top: Int
    var width: Int
    var height: Int
    var isInterlaced: Bool
    /// Three bytes each.
    var colors: ArraySlice<UInt8>
    var transparent: UInt8?
    /// `[rows, columns]` in the order of the file; fewer where the data end early.
    var indices: [UInt8] = []

    /// The row of the picture that the file's row `number` is: every eighth first, where rows are interlaced.
    func row(of number: Int) -> Int {
        guard isInterlaced else { return number }
        var number = number
        for (first, step) in [(0, 8), (4, 8), (2, 4), (1, 2)] {
            let rows = first < height ? (height - first + step - 1) / step : 0
            if number < rows { return first + number * step }
            number -= rows
        }
        return height
    }
}

private struct GIFReader {
    let bytes: [UInt8]
    let path: String
    private var offset = 6

    init(bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
    }

    private func damaged(_ reason: String) -> MediaError { .damagedImage(path: path, format: "GIF", reason: reason) }

    private mutating func take(_ count: Int) throws(MediaError) -> ArraySlice<UInt8> {
        guard count <= bytes.count - offset else { throw .truncatedImage(path: path, format: "GIF") }
        defer { offset += count }
        return bytes[offset..<offset + count]
    }

    private mutating func byte() throws(MediaError) -> UInt8 {
        let found = try take(1)
        return found[found.startIndex]
    }

    private mutating func word() throws(MediaError) -> Int {
        let low = Int(try byte())
        return low | Int(try byte()) << 8
    }

    /// A color table, if a packed field announces one.
    private mutating func colors(_ packed: UInt8) throws(MediaError) -> ArraySlice<UInt8> {
        packed & 0x80 == 0 ? [] : ArraySlice(Array(try take(3 << Int(packed & 7 + 1))))
    }

    /// The canvas and the colors of frames that have none of their own.
    mutating func screen() throws(MediaError) -> (width: Int, height: Int, colors: ArraySlice<UInt8>) {
        let (width, height) = (try word(), try word())
        let packed = try byte()
        _ = try take(2)
        return (width, height, try colors(packed))
    }

    /// Blocks up to the first frame: `!` begins an extension, `,` a frame, `;` the end.
    mutating func firstFrame(colors shared: ArraySlice<UInt8>) throws(MediaError) -> GIFFrame {
        var transparent: UInt8?
        while true {
            switch try byte() {
            case UInt8(ascii: "!"):
                let label = try byte()
                let content = try blocks()
                if label == 0xF9, content.count >= 4, content[0] & 1 == 1 { transparent = content[3] }
            case UInt8(ascii: ","):
                let (left, top, width, height) = (try word(), try word(), try word(), try word())
                guard width > 0, height > 0 else { throw damaged("its first frame has no pixels") }
                let packed = try byte()
                let own = try colors(packed)
                var frame = GIFFrame(
                    left: left, top: top, width: width, height: height, isInterlaced: packed & 0x40 != 0,
                    colors: own.isEmpty ? shared : own, transparent: transparent)
                guard !frame.colors.isEmpty else { throw damaged("its first frame has no colors") }
                let bits = Int(try byte())
                guard (1...11).contains(bits) else { throw damaged("codes of \(bits) bits") }
                guard width * height <= ImageFile.defaultMaximumPixels else {
                    throw .imageTooLarge(
                        path: path, width: width, height: height, limit: ImageFile.defaultMaximumPixels)
                }
                frame.indices = try expanded(blocks(), bits: bits, count: width * height)
                return frame
            case UInt8(ascii: ";"): throw damaged("it has no frame")
            case let other: throw damaged("a block of the unknown kind \(other)")
            }
        }
    }

    /// The content of blocks of at most 255 bytes, up to the empty one.
    private mutating func blocks() throws(MediaError) -> [UInt8] {
        var content: [UInt8] = []
        while case let count = Int(try byte()), count > 0 { content += try take(count) }
        return content
    }

    /// Expands the codes of a frame.
    /// - Throws: `truncatedImage` if the codes end before `count` pixels, `damagedImage` for a code that has no meaning yet.
    private func expanded(_ packed: [UInt8], bits: Int, count: Int) throws(MediaError) -> [UInt8] {
        let clear = 1 << bits
        // Each entry is the entry `prefix` and one byte more.
        var prefix = [UInt16](repeating: 0, count: 4096), suffix = [UInt8](repeating: 0, count: 4096)
        var lengths = [Int](repeating: 1, count: 4096)
        for code in 0..<clear { suffix[code] = UInt8(truncatingIfNeeded: code) }
        var (next, width, previous) = (clear + 2, bits + 1, -1)
        var (buffer, available) = (0, 0)
        var result: [UInt8] = []
        // What the codes can give, not what the header claims: each gives at most 4,096 bytes.
        result.reserveCapacity(min(count, packed.count * 4096))
        for byte in packed {
            buffer |= Int(byte) << available
            available += 8
            while available >= width {
                let code = buffer & (1 << width - 1)
                buffer >>= width
                available -= width
                if code == clear {
                    (next, width, previous) = (clear + 2, bits + 1, -1)
                    continue
                }
                if code == clear + 1 { return try whole(result, count) }
                guard code < next || (code == next && previous >= 0), code < clear || previous >= 0 else {
                    throw damaged("code \(code) has no meaning")
                }
                // The entry that this code completes is that of the one before, and the first byte of this one.
                let isNew = code == next
                let start = result.count
                let length = isNew ? lengths[previous] + 1 : lengths[code]
                result.append(contentsOf: repeatElement(0, count: length))
                var (entry, place) = (isNew ? previous : code, start + length - 1 - (isNew ? 1 : 0))
                while place >= start {
                    result[place] = suffix[entry]
                    entry = Int(prefix[entry])
                    place -= 1
                }
                if isNew { result[start + length - 1] = result[start] }
                if previous >= 0, next < 4096 {
                    prefix[next] = UInt16(previous)
                    suffix[next] = result[start]
                    lengths[next] = lengths[previous] + 1
                    next += 1
                    if next == 1 << width, width < 12 { width += 1 }
                }
                previous = code
                if result.count >= count { return Array(result.prefix(count)) }
            }
        }
        return try whole(result, count)
    }

    private func whole(_ result: [UInt8], _ count: Int) throws(MediaError) -> [UInt8] {
        guard result.count >= count else { throw .truncatedImage(path: path, format: "GIF") }
        return result
    }
}
