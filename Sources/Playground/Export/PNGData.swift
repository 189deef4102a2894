import Foundation
import Media
import PlaygroundCore

/// A picture as uncompressed PNG, which is enough for small pictures in a page.
enum PNGData {
    static func data(_ picture: RGBImage) -> Data {
        var rows = Data(capacity: picture.height * (picture.width * 3 + 1))
        for y in 0..<picture.height {
            rows.append(0)  // no filter
            rows.append(contentsOf: picture.pixels[y * picture.width * 3..<(y + 1) * picture.width * 3])
        }
        var data = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        data.append(chunk("IHDR", number(picture.width) + number(picture.height) + Data([8, 2, 0, 0, 0])))
        data.append(chunk("IDAT", stored(rows)))
        data.append(chunk("IEND", Data()))
        return data
    }

    private static func number(_ value: Int) -> Data {
        Data((0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) })
    }

    private static func chunk(_ name: String, _ body: Data) -> Data {
        let named = Data(name.utf8) + body
        return number(body.count) + named + number(Int(crc(named)))
    }

    /// A zlib stream (RFC 1950) of stored blocks.
    private static func stored(_ bytes: Data) -> Data {
        var data = Data([0x78, 0x01])
        var start = 0
        repeat {
            let count = min(65_535, bytes.count - start), isLast = start + count == bytes.count
            data.append(isLast ? 1 : 0)
            for value in [count, ~count] {
                data.append(contentsOf: [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)])
            }
            data.append(bytes[start..<start + count])
            start += count
        } while start < bytes.count
        var a: UInt32 = 1, b: UInt32 = 0
        for byte in bytes {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return data + number(Int(b << 16 | a))
    }

    private static let crcTable: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }

    private static func crc(_ data: Data) -> UInt32 {
        ~data.reduce(~UInt32(0)) { crcTable[Int(($0 ^ UInt32($1)) & 0xFF)] ^ ($0 >> 8) }
    }
}
