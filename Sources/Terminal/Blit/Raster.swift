/// A picture in pixels that is to be shown in cells.
public struct Raster: Sendable, Hashable {
    public let width: Int
    public let height: Int
    /// Row-major, top to bottom.
    public var pixels: [Color]

    public init(width: Int, height: Int, fill: Color = Color(0)) {
        self.width = max(0, width)
        self.height = max(0, height)
        pixels = Array(repeating: fill, count: self.width * self.height)
    }

    public subscript(x: Int, y: Int) -> Color {
        get { pixels[y * width + x] }
        set { pixels[y * width + x] = newValue }
    }
}

/// A way to show pixels in cells. The caller asks how many pixels fit and paints that many.
public protocol Blitter: Sendable {
    /// Pixels per cell, across and down.
    var density: (across: Int, down: Int) { get }
    func blit(_ raster: Raster, onto canvas: inout Canvas, at rect: Rect)
}

/// Two pixels per cell: `▀` in the upper one's colour over the lower one's.
public struct HalfBlockBlitter: Blitter {
    public init() {}
    public var density: (across: Int, down: Int) { (1, 2) }

    public func blit(_ raster: Raster, onto canvas: inout Canvas, at rect: Rect) {
        for row in 0..<min(rect.height, raster.height / 2) {
            for column in 0..<min(rect.width, raster.width) {
                let upper = raster[column, 2 * row], lower = raster[column, 2 * row + 1]
                // One colour needs no block: a blank keeps the pair count and the bytes down.
                canvas[rect.x + column, rect.y + row] =
                    upper == lower ? Cell(.space, Style(.standard, on: lower)) : Cell(Glyph("▀"), Style(upper, on: lower))
            }
        }
    }
}

/// One pixel per cell: a character as dense as the pixel is bright, in its colour if there is any.
public struct ShadeBlitter: Blitter {
    public static let ramp: [Unicode.Scalar] = Array(" .:-=+*#%@".unicodeScalars)

    public init() {}
    public var density: (across: Int, down: Int) { (1, 1) }

    public static func glyph(_ brightness: Double) -> Glyph {
        Glyph(ramp[max(0, min(ramp.count - 1, Int(brightness * Double(ramp.count))))])
    }

    public func blit(_ raster: Raster, onto canvas: inout Canvas, at rect: Rect) {
        for row in 0..<min(rect.height, raster.height) {
            for column in 0..<min(rect.width, raster.width) {
                let pixel = raster[column, row]
                canvas[rect.x + column, rect.y + row] = Cell(Self.glyph(pixel.luma), Style(pixel))
            }
        }
    }
}
