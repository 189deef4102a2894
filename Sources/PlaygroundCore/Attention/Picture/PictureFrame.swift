import Terminal

/// The cells a picture covers, in its own proportions, and the visible part of it.
struct PictureFrame: Hashable {
    /// The cells it covers, centered in the given area.
    let rect: Rect
    /// The visible part, in shares (0…1) of the picture.
    let left: Double
    let top: Double
    let right: Double
    let bottom: Double

    /// - Parameters:
    ///   - width, height: the picture's, in any unit; a cell counts as twice as high as wide.
    ///   - zoom: how many times larger than the area the picture is drawn.
    /// - center: the point that zooming keeps visible, in shares.
    init(width: Int, height: Int, in area: Rect, zoom: Int = 1, center: (x: Double, y: Double) = (0.5, 0.5)) {
        guard !area.isEmpty, width > 0, height > 0 else {
            rect = Rect(x: area.x, y: area.y, width: 0, height: 0)
            (left, top, right, bottom) = (0, 0, 1, 1)
            return
        }
        let across = Double(area.width), down = Double(area.height * 2)
        let scale = min(across / Double(width), down / Double(height)) * Double(max(1, zoom))
        let whole = (width: max(1, Double(width) * scale), height: max(1, Double(height) * scale))
        let columns = max(1, min(area.width, Int(whole.width.rounded()))),
            rows = max(1, min(area.height, Int((whole.height / 2).rounded())))
        rect = Rect(
            x: area.x + (area.width - columns) / 2, y: area.y + (area.height - rows) / 2, width: columns, height: rows)
        func part(_ seen: Double, _ all: Double, _ middle: Double) -> (Double, Double) {
            // Rounding to whole cells must not cut the picture.
            let share = seen + 2 > all ? 1 : seen / all
            let start = max(0, min(1 - share, middle - share / 2))
            return (start, start + share)
        }
        (left, right) = part(Double(columns), whole.width, center.x)
        (top, bottom) = part(Double(rows * 2), whole.height, center.y)
    }

    /// The point of the picture under a cell's middle, in shares.
    func point(x: Int, y: Int) -> (x: Double, y: Double)? {
        guard rect.contains(x: x, y: y) else { return nil }
        return (
            left + (right - left) * (Double(x - rect.x) + 0.5) / Double(rect.width),
            top + (bottom - top) * (Double(y - rect.y) + 0.5) / Double(rect.height)
        )
    }

    /// The patch of each pixel of a raster over the frame, row by row; -1 outside of patches.
    func patches(_ patches: [PictureView.Patch], across: Int, down: Int) -> [Int32] {
        var map = [Int32](repeating: -1, count: across * down)
        let stepX = (right - left) / Double(across), stepY = (bottom - top) / Double(down)
        // A pixel belongs to the patch its middle lies in.
        func first(_ edge: Double, _ start: Double, _ step: Double, _ count: Int) -> Int {
            max(0, min(count, Int(((edge - start) / step - 0.5).rounded(.up))))
        }
        for (number, patch) in patches.enumerated() {
            let columns =
                first(
                    patch.left, left, stepX, across)..<max(
                    first(patch.left, left, stepX, across), first(patch.right, left, stepX, across))
            let rows =
                first(
                    patch.top, top, stepY, down)..<max(
                    first(patch.top, top, stepY, down), first(patch.bottom, top, stepY, down))
            for row in rows { for column in columns { map[row * across + column] = Int32(number) } }
        }
        return map
    }
}
