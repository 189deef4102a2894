/// Weight, slant and so on of a cell.
public struct Attributes: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let bold = Attributes(rawValue: 1)
    public static let dim = Attributes(rawValue: 2)
    public static let italic = Attributes(rawValue: 4)
    public static let underline = Attributes(rawValue: 8)
    public static let reverse = Attributes(rawValue: 16)
}

/// Colours and attributes of text.
public struct Style: Hashable, Sendable {
    public var foreground: Color
    public var background: Color
    public var attributes: Attributes

    public init(_ foreground: Color = .standard, on background: Color = .standard, _ attributes: Attributes = []) {
        self.foreground = foreground
        self.background = background
        self.attributes = attributes
    }

    public static let plain = Style()

    public func with(_ more: Attributes) -> Style {
        Style(foreground, on: background, attributes.union(more))
    }

    public func on(_ background: Color) -> Style { Style(foreground, on: background, attributes) }
}

/// One place on the screen.
public struct Cell: Hashable, Sendable {
    public var glyph: Glyph
    public var style: Style
    /// The right half of a glyph two columns wide, whose left half is the cell before.
    public var isContinuation: Bool

    public init(_ glyph: Glyph = .space, _ style: Style = .plain, isContinuation: Bool = false) {
        self.glyph = glyph
        self.style = style
        self.isContinuation = isContinuation
    }

    public static let blank = Cell()
}

/// A picture of the screen, made of cells. Drawing outside of it, or of the clip rectangle, does nothing.
public struct Canvas: Hashable, Sendable {
    public let size: Size
    public private(set) var cells: [Cell]
    /// Where the cursor stands; hidden when nil.
    public var cursor: (x: Int, y: Int)? {
        get { cursorX < 0 ? nil : (cursorX, cursorY) }
        set { (cursorX, cursorY) = newValue.map { ($0.x, $0.y) } ?? (-1, -1) }
    }
    /// Pictures in pixels over cells that are blank.
    public private(set) var pictures: [PixelPicture] = []
    private var cursorX = -1
    private var cursorY = -1

    public init(_ size: Size) {
        self.size = size
        cells = Array(repeating: .blank, count: size.width * size.height)
    }

    public var bounds: Rect { Rect(size) }

    public subscript(x: Int, y: Int) -> Cell {
        get { x >= 0 && y >= 0 && x < size.width && y < size.height ? cells[y * size.width + x] : .blank }
        set { put(newValue.glyph, width: 1, x: x, y: y, newValue.style) }
    }

    /// Puts one glyph. What it covers of a wide glyph is cleared, so that no half of one is left.
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

    /// Draws `text` on one line within `clip`; a wide glyph that would be cut is left out.
    /// - Returns: the column after the last glyph.
    @discardableResult
    public mutating func draw(_ text: String, x: Int, y: Int, _ style: Style = .plain, in clip: Rect? = nil) -> Int {
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

    /// Draws `text` so that it ends at the column before `right`.
    public mutating func draw(_ text: String, endingAt right: Int, y: Int, _ style: Style = .plain, in clip: Rect? = nil) {
        draw(text, x: right - TextWidth.width(of: text), y: y, style, in: clip)
    }

    public mutating func fill(_ rect: Rect, _ glyph: Glyph = .space, _ style: Style = .plain) {
        let area = rect.intersection(bounds)
        for y in area.y..<max(area.y, area.bottom) {
            for x in area.x..<max(area.x, area.right) { put(glyph, width: 1, x: x, y: y, style) }
        }
    }

    /// Puts a picture over cells, which become blank. Whoever draws there later covers what it must not.
    public mutating func place(_ raster: Raster, over rect: Rect) {
        guard !rect.isEmpty, rect.intersection(bounds) == rect, raster.width > 0, raster.height > 0 else { return }
        fill(rect)
        pictures.append(PixelPicture(rect: rect, raster: raster))
    }

    /// Changes the style of what is drawn already.
    public mutating func restyle(_ rect: Rect, _ change: (inout Style) -> Void) {
        let area = rect.intersection(bounds)
        for y in area.y..<max(area.y, area.bottom) {
            for x in area.x..<max(area.x, area.right) { change(&cells[y * size.width + x].style) }
        }
    }

    /// The text of row `y`, trailing blanks removed.
    public func text(row y: Int) -> String {
        var line = ""
        for x in 0..<size.width where !self[x, y].isContinuation { line += self[x, y].glyph.text }
        while line.last == " " { line.removeLast() }
        return line
    }

    /// All rows, joined by line feeds.
    public var text: String { (0..<size.height).map { text(row: $0) }.joined(separator: "\n") }
}

/// `text` cut to `width` columns, with `…` where something was lost.
public func fitted(_ text: String, width: Int) -> String {
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
