/// Text attributes of a cell.
package struct Attributes: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let bold = Attributes(rawValue: 1)
    package static let underline = Attributes(rawValue: 8)
    package static let reverse = Attributes(rawValue: 16)
}

/// Colors and attributes of text.
package struct Style: Hashable, Sendable {
    package var foreground: Color
    package var background: Color
    package var attributes: Attributes

    package init(_ foreground: Color = .standard, on background: Color = .standard, _ attributes: Attributes = []) {
        self.foreground = foreground
        self.background = background
        self.attributes = attributes
    }

    package static let plain = Style()

    package func with(_ more: Attributes) -> Style {
        Style(foreground, on: background, attributes.union(more))
    }
}

/// One cell of the screen.
package struct Cell: Hashable, Sendable {
    package var glyph: Glyph
    package var style: Style
    /// True for the right half of a glyph that is two columns wide.
    package var isContinuation: Bool

    package init(_ glyph: Glyph = .space, _ style: Style = .plain, isContinuation: Bool = false) {
        self.glyph = glyph
        self.style = style
        self.isContinuation = isContinuation
    }

    package static let blank = Cell()
}

/// The content of a screen in cells. Drawing outside of it, or of the clip rectangle, has no effect.
package struct Canvas: Hashable, Sendable {
    package let size: Size
    package private(set) var cells: [Cell]
    /// Position of the cursor; nil hides it.
    package var cursor: (x: Int, y: Int)? {
        get { cursorX < 0 ? nil : (cursorX, cursorY) }
        set { (cursorX, cursorY) = newValue.map { ($0.x, $0.y) } ?? (-1, -1) }
    }
    /// Pictures in pixels over blank cells.
    package private(set) var pictures: [PixelPicture] = []
    private var cursorX = -1
    private var cursorY = -1

    package init(_ size: Size) {
        self.size = size
        cells = Array(repeating: .blank, count: size.width * size.height)
    }

    package var bounds: Rect { Rect(size) }

    package subscript(x: Int, y: Int) -> Cell {
        get { x >= 0 && y >= 0 && x < size.width && y < size.height ? cells[y * size.width + x] : .blank }
        set { put(newValue.glyph, width: 1, x: x, y: y, newValue.style) }
    }

    /// Puts one glyph. A wide glyph that it covers in part is cleared.
    mutating func put(_ glyph: Glyph, width: Int, x: Int, y: Int, _ style: Style) {
        guard x >= 0, y >= 0, y < size.height, x + width <= size.width else { return }
        let index = y * size.width + x
        if cells[index].isContinuation { cells[index - 1].glyph = .space }
        let after = index + width
        if x + width < size.width && cells[after].isContinuation {
            cells[after].glyph = .space
            cells[after].isContinuation = false
        }
        cells[index] = Cell(glyph, style)
        if width == 2 { cells[index + 1] = Cell(.space, style, isContinuation: true) }
    }

    /// Draws text on one line within `clip`; a wide glyph that would be cut is omitted.
    /// - Returns: the column after the last glyph.
    @discardableResult
    package mutating func draw(_ text: String, x: Int, y: Int, _ style: Style = .plain, in clip: Rect? = nil) -> Int {
        let clip = clip.map { bounds.intersection($0) } ?? bounds
        guard y >= clip.y && y < clip.bottom else { return x }
        var column = x
        for placed in TextWidth.glyphs(of: text) {
            if column + placed.width > clip.right { break }
            if column >= clip.x { put(placed.glyph, width: placed.width, x: column, y: y, style) }
            column += placed.width
        }
        return column
    }

    /// Draws text that ends at the column before `right`.
    package mutating func draw(
        _ text: String, endingAt right: Int, y: Int, _ style: Style = .plain, in clip: Rect? = nil
    ) {
        draw(text, x: right - TextWidth.width(of: text), y: y, style, in: clip)
    }

    package mutating func fill(_ rect: Rect, _ glyph: Glyph = .space, _ style: Style = .plain) {
        let area = rect.intersection(bounds)
        for y in area.y..<max(area.y, area.bottom) {
            for x in area.x..<max(area.x, area.right) { put(glyph, width: 1, x: x, y: y, style) }
        }
    }

    /// Puts a picture over cells, which become blank. Nothing may be drawn over it later.
    package mutating func place(_ raster: Raster, over rect: Rect) {
        guard !rect.isEmpty, rect.intersection(bounds) == rect, raster.width > 0, raster.height > 0 else { return }
        fill(rect)
        pictures.append(PixelPicture(rect: rect, raster: raster))
    }

    /// The text of row `y`, trailing blanks removed.
    package func text(row y: Int) -> String {
        var line = ""
        for x in 0..<size.width where !self[x, y].isContinuation { line += self[x, y].glyph.text }
        while line.last == " " { line.removeLast() }
        return line
    }

    /// All rows, joined by line feeds.
    package var text: String { (0..<size.height).map { text(row: $0) }.joined(separator: "\n") }
}

/// The text cut to `width` columns, with `…` at the cut.
package func fitted(_ text: String, width: Int) -> String {
    guard width > 0 else { return "" }
    if TextWidth.width(of: text) <= width { return text }
    var result = "", used = 0
    for placed in TextWidth.glyphs(of: text) {
        if used + placed.width > width - 1 { break }
        result += placed.glyph.text
        used += placed.width
    }
    return result + "…"
}
