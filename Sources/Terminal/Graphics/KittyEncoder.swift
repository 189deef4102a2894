import Foundation

/// Pictures by kitty's graphics protocol (sw.kovidgoyal.net/kitty/graphics-protocol): RGB pixels in base64, scaled by the terminal.
enum KittyEncoder {
    /// The largest number of base64 bytes in one escape sequence.
    private static let chunk = 4096

    static func encode(_ raster: Raster, number: Int, over rect: Rect) -> [UInt8] {
        var pixels = Data(capacity: raster.pixels.count * 3)
        for pixel in raster.pixels {
            pixels.append(pixel.red)
            pixels.append(pixel.green)
            pixels.append(pixel.blue)
        }
        let text = Array(pixels.base64EncodedData())
        // C=1: the cursor stays. q=2: no answers. The same number and placement take the place of what was there.
        var control =
            "a=T,f=24,t=d,i=\(number),p=1,s=\(raster.width),v=\(raster.height),c=\(rect.width),r=\(rect.height),C=1,q=2,"
        var bytes = [UInt8]()
        bytes.reserveCapacity(text.count + text.count / chunk * 16 + 128)
        for first in stride(from: 0, to: max(1, text.count), by: chunk) {
            let last = min(text.count, first + chunk)
            bytes +=
                Array("\u{1B}_G\(control)m=\(last < text.count ? 1 : 0);".utf8) + text[first..<last]
                + Array("\u{1B}\\".utf8)
            control = ""
        }
        return bytes
    }

    /// Bytes that remove a picture.
    static func deletion(number: Int) -> [UInt8] { Array("\u{1B}_Ga=d,d=i,i=\(number),q=2;\u{1B}\\".utf8) }
}
