/// A picture: 8-bit red, green, blue, row after row (`[height, width, 3]`), upright.
public struct RGBImage: Sendable, Equatable {
    public let width: Int
    public let height: Int
    /// `[height, width, 3]`.
    public let pixels: [UInt8]

    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0 && pixels.count == width * height * 3, "pixels are [height, width, 3]")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// The colour at a point. 0 ≤ x < width, 0 ≤ y < height.
    public subscript(x x: Int, y y: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
        let i = (y * width + x) * 3
        return (pixels[i], pixels[i + 1], pixels[i + 2])
    }
}
