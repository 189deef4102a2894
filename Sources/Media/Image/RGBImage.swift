/// An upright picture of 8-bit red, green and blue, `[height, width, 3]`.
package struct RGBImage: Sendable, Equatable {
    package let width: Int
    package let height: Int
    /// `[height, width, 3]`.
    package let pixels: [UInt8]

    package init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0 && pixels.count == width * height * 3, "pixels are [height, width, 3]")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// The color at a point. 0 ≤ x < width, 0 ≤ y < height.
    package subscript(x x: Int, y y: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
        let i = (y * width + x) * 3
        return (pixels[i], pixels[i + 1], pixels[i + 2])
    }

    /// A picture with alpha on a white ground, by the arithmetic of Pillow's `alpha_composite`, as `convert_to_rgb` of
    /// the reference processors does it.
    /// - Parameter decode: writes `[height, width, 4]` of red, green, blue and alpha that is not premultiplied. What it
    ///   leaves out is white.
    init(onWhiteWidth width: Int, height: Int, decode: (UnsafeMutableBufferPointer<UInt8>) -> Void) {
        let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 4) { pixels, filled in
            // A damaged file may leave rows unwritten; they must not show what was in memory before.
            pixels.initialize(repeating: 0)
            decode(UnsafeMutableBufferPointer(rebasing: pixels[..<(width * height * 4)]))
            for pixel in 0..<width * height {
                let alpha = Int(pixels[4 * pixel + 3])
                for channel in 0..<3 {
                    let sum = Int(pixels[4 * pixel + channel]) * alpha + 255 * (255 - alpha) + 128
                    // sum / 255, rounded, without a division.
                    pixels[3 * pixel + channel] = UInt8(truncatingIfNeeded: ((sum >> 8) + sum) >> 8)
                }
            }
            filled = width * height * 3
        }
        self.init(width: width, height: height, pixels: pixels)
    }
}
