import Terminal

/// Drawing shared by panels and overlays.
enum Chrome {
    /// Draws a panel's first row: its title, a line, and a detail.
    static func header(
        _ title: String, _ detail: String, focused: Bool, in rect: Rect, _ theme: Theme, onto canvas: inout Canvas
    ) {
        let row = rect.row(0)
        canvas.fill(row, Glyph("─"), theme.faint)
        let end = canvas.draw(
            title + " ", x: row.x, y: row.y, focused ? theme.accent.with(.bold) : theme.strong, in: row)
        let room = row.right - end - 2
        if !detail.isEmpty && room > 6 {
            canvas.draw(" " + fitted(detail, width: room), endingAt: row.right, y: row.y, theme.quiet, in: row)
        }
    }

    /// Draws an empty titled box in the middle of `area` if it fits there, else of the screen; returns its inside.
    static func box(
        _ title: String, width: Int, height: Int, _ theme: Theme, within area: Rect? = nil, onto canvas: inout Canvas
    ) -> Rect {
        let size = Size(min(width, canvas.size.width), min(height, canvas.size.height))
        let whole = Rect(canvas.size)
        let place = area.flatMap { $0.width >= size.width + 2 && $0.height >= size.height ? $0 : nil } ?? whole
        let rect = Rect(
            x: place.x + (place.width - size.width) / 2, y: place.y + (place.height - size.height) / 2,
            width: size.width, height: size.height)
        canvas.fill(Rect(x: rect.x - 1, y: rect.y, width: rect.width + 2, height: rect.height))
        let line = theme.quiet
        guard rect.width >= 4, rect.height >= 3 else { return Rect(x: 0, y: 0, width: 0, height: 0) }
        for x in rect.x..<rect.right {
            canvas[x, rect.y] = Cell(Glyph("─"), line)
            canvas[x, rect.bottom - 1] = Cell(Glyph("─"), line)
        }
        for y in rect.y..<rect.bottom {
            canvas[rect.x, y] = Cell(Glyph("│"), line)
            canvas[rect.right - 1, y] = Cell(Glyph("│"), line)
        }
        canvas[rect.x, rect.y] = Cell(Glyph("╭"), line)
        canvas[rect.right - 1, rect.y] = Cell(Glyph("╮"), line)
        canvas[rect.x, rect.bottom - 1] = Cell(Glyph("╰"), line)
        canvas[rect.right - 1, rect.bottom - 1] = Cell(Glyph("╯"), line)
        canvas.draw(" \(title) ", x: rect.x + 2, y: rect.y, theme.accent.with(.bold), in: rect)
        canvas.cursor = nil
        return rect.inset(left: 2, top: 1, right: 2, bottom: 1)
    }

    /// Draws a bar that is filled to `fraction`.
    static func progress(
        _ fraction: Double, x: Int, y: Int, width: Int, _ style: Style, _ theme: Theme, onto canvas: inout Canvas
    ) {
        for column in 0..<max(0, width) {
            let glyph = Bars.lying(Float(fraction), column: column, of: width, ascii: theme.ascii)
            canvas[x + column, y] = Cell(glyph, style)
        }
    }

    /// Draws lines of text in the middle of a rectangle.
    static func centered(_ lines: [(String, Style)], in rect: Rect, onto canvas: inout Canvas) {
        let top = rect.y + max(0, (rect.height - lines.count) / 2)
        for (offset, line) in lines.enumerated() {
            let text = fitted(line.0, width: rect.width)
            canvas.draw(
                text, x: rect.x + max(0, (rect.width - TextWidth.width(of: text)) / 2), y: top + offset, line.1,
                in: rect)
        }
    }
}
