/// A picture in pixels.
package struct Raster: Sendable, Hashable {
    package let width: Int
    package let height: Int
    /// Row-major, top to bottom.
    package var pixels: [Color]

    package init(width: Int, height: Int, fill: Color = Color(0)) {
        self.width = max(0, width)
        self.height = max(0, height)
        pixels = Array(repeating: fill, count: self.width * self.height)
    }

    package subscript(x: Int, y: Int) -> Color {
        get { pixels[y * width + x] }
        set { pixels[y * width + x] = newValue }
    }
}

/// A way to show pixels in cells. Callers paint as many pixels as its density says.
package protocol Blitter: Sendable {
    /// Pixels per cell, across and down.
    var density: (across: Int, down: Int) { get }
    func blit(_ raster: Raster, onto canvas: inout Canvas, at rect: Rect)
}

/// Two pixels per cell: `▀` in the upper one's color over the lower one's.
package struct HalfBlockBlitter: Blitter {
    package init() {}
    package var density: (across: Int, down: Int) { (1, 2) }

    package func blit(_ raster: Raster, onto canvas: inout Canvas, at rect: Rect) {
        for row in 0..<min(rect.height, raster.height / 2) {
            for column in 0..<min(rect.width, raster.width) {
                let upper = raster[column, 2 * row], lower = raster[column, 2 * row + 1]
                // One color needs no block; a blank saves color pairs and bytes.
                canvas[rect.x + column, rect.y + row] =
                    upper == lower
                    ? Cell(.space, Style(.standard, on: lower)) : Cell(Glyph("▀"), Style(upper, on: lower))
            }
        }
    }
}

/// One pixel per cell: a character with the density of the pixel's brightness, in its color.
package struct ShadeBlitter: Blitter {
    package static let ramp: [Unicode.Scalar] = Array(" .:-=+*#%@".unicodeScalars)

    package init() {}
    package var density: (across: Int, down: Int) { (1, 1) }

    package static func glyph(_ brightness: Double) -> Glyph {
        Glyph(ramp[max(0, min(ramp.count - 1, Int(brightness * Double(ramp.count))))])
    }

    package func blit(_ raster: Raster, onto canvas: inout Canvas, at rect: Rect) {
        for row in 0..<min(rect.height, raster.height) {
            for column in 0..<min(rect.width, raster.width) {
                let pixel = raster[column, row]
                canvas[rect.x + column, rect.y + row] = Cell(Self.glyph(pixel.luma), Style(pixel))
            }
        }
    }
}
