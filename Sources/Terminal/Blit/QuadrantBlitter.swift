/// Four pixels per cell in two colors, with block glyphs (`▌▚▛`…). Twice as fine across as half
/// blocks; each cell is split into the two colors with the smallest error.
package struct QuadrantBlitter: Blitter {
    package init() {}
    package var density: (across: Int, down: Int) { (2, 2) }

    /// Glyphs by the foreground pixels: bit 0 upper left, 1 upper right, 2 lower left, 3 lower right.
    private static let glyphs: [Unicode.Scalar] = Array(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█".unicodeScalars)

    package func blit(_ raster: Raster, onto canvas: inout Canvas, at rect: Rect) {
        for row in 0..<min(rect.height, raster.height / 2) {
            for column in 0..<min(rect.width, raster.width / 2) {
                let (x, y) = (2 * column, 2 * row)
                canvas[rect.x + column, rect.y + row] = Self.cell(
                    (raster[x, y], raster[x + 1, y], raster[x, y + 1], raster[x + 1, y + 1]))
            }
        }
    }

    /// Tries the eight splits of four pixels into two groups; each group gets its mean color.
    private static func cell(_ pixels: (Color, Color, Color, Color)) -> Cell {
        if pixels.0 == pixels.1 && pixels.0 == pixels.2 && pixels.0 == pixels.3 {
            return Cell(.space, Style(.standard, on: pixels.0))
        }
        var best: (mask: Int, error: Int, fore: Color, back: Color) = (0, .max, pixels.0, pixels.0)
        // A mask and its complement are the same split: the lower right pixel is always in the background.
        for mask in 0..<8 {
            var sums = (fore: (0, 0, 0, 0), back: (0, 0, 0, 0)), squares = 0
            for place in 0..<4 {
                let pixel = at(place, pixels), red = Int(pixel.red), green = Int(pixel.green), blue = Int(pixel.blue)
                squares += red * red + green * green + blue * blue
                if mask >> place & 1 == 1 {
                    sums.fore = (sums.fore.0 + red, sums.fore.1 + green, sums.fore.2 + blue, sums.fore.3 + 1)
                } else {
                    sums.back = (sums.back.0 + red, sums.back.1 + green, sums.back.2 + blue, sums.back.3 + 1)
                }
            }
            // The squared distance to the means is the sum of squares less each group's squared sum over its count.
            func kept(_ sum: (Int, Int, Int, Int)) -> Int {
                sum.3 == 0 ? 0 : (sum.0 * sum.0 + sum.1 * sum.1 + sum.2 * sum.2) / sum.3
            }
            let error = squares - kept(sums.fore) - kept(sums.back)
            if error < best.error { best = (mask, error, mean(sums.fore), mean(sums.back)) }
        }
        return best.mask == 0
            ? Cell(.space, Style(.standard, on: best.back))
            : Cell(Glyph(glyphs[best.mask]), Style(best.fore, on: best.back))
    }

    private static func at(_ place: Int, _ pixels: (Color, Color, Color, Color)) -> Color {
        place == 0 ? pixels.0 : place == 1 ? pixels.1 : place == 2 ? pixels.2 : pixels.3
    }

    private static func mean(_ sum: (Int, Int, Int, Int)) -> Color {
        sum.3 == 0
            ? Color(0) : Color(red: UInt8(sum.0 / sum.3), green: UInt8(sum.1 / sum.3), blue: UInt8(sum.2 / sum.3))
    }
}
