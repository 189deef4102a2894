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
}
