import Terminal

/// One row per token of the answer, one column per token of the source. It scrolls with the selected token and the
/// probed word.
enum MatrixMap {
    struct Places {
        var probe: Rect
        /// Names of the columns, written downwards.
        var heads: Rect
        /// Names of the rows.
        var names: Rect
        var cells: Rect
        var cellWidth: Int
        var legend: Rect
        /// The first row's token and the first column's key.
        var firstToken: Int
        var firstKey: Int
        var rows: Int
        var columns: Int

        init(_ state: State, _ subject: AttentionSubject, keys: Int, in area: Rect) {
            legend = area.row(area.height - 1)
            probe = Rect(x: area.x, y: area.y, width: area.width, height: state.attention.probe == nil ? 0 : 1)
            let rest = area.inset(top: probe.height, bottom: 1)
            let nameWidth = min(14, rest.width / 4), headRows = rest.height >= 18 ? 7 : rest.height >= 10 ? 4 : 0
            heads = Rect(x: rest.x + nameWidth + 1, y: rest.y, width: rest.width - nameWidth - 1, height: headRows)
            names = Rect(x: rest.x, y: rest.y + headRows, width: nameWidth, height: rest.height - headRows)
            cells = Rect(x: heads.x, y: names.y, width: heads.width, height: names.height)
            cellWidth = keys * 3 <= cells.width ? 3 : keys * 2 <= cells.width ? 2 : 1
            columns = max(0, min(keys, cells.width / cellWidth))
            let tokens = state.chat.messages[subject.message].tokens.count
            rows = max(0, min(tokens, cells.height))
            let token = subject.place?.token ?? tokens - 1
            firstToken = max(0, min(tokens - rows, token - rows * 2 / 3))
            var key = keys
            if case .word(let probed)? = state.attention.probe {
                key = probed
            } else if let row = state.shownRow, let top = row.max(), top > 0 {
                key = row.firstIndex(of: top) ?? keys
            }
            firstKey = max(0, min(keys - columns, key - columns / 2))
        }
    }

    static func draw(
        _ state: State, _ subject: AttentionSubject, _ source: SourceView, in area: Rect, onto canvas: inout Canvas
    ) {
        let theme = state.theme, attention = state.attention
        guard area.height >= 4, area.width >= 16 else { return }
        // A decoder attends to its own answer too: the columns continue with it.
        let tokens = state.chat.messages[subject.message].tokens
        let places = Places(state, subject, keys: source.tokens.count, in: area)
        ProbeLine.draw(state, subject, in: places.probe, onto: &canvas)
        drawHeads(source, places, state, onto: &canvas)
        let rows = (0..<places.rows).map { offset in
            attention.rows.row(ofToken: places.firstToken + offset).map { state.treated($0) }
        }
        func seen(_ row: [Float]) -> [Float] {
            (0..<places.columns).map { row.indices.contains(places.firstKey + $0) ? row[places.firstKey + $0] : 0 }
        }
        // One scale for all rows on show, so that they can be compared.
        let top = rows.reduce(Float(0)) { max($0, $1.map { seen($0).max() ?? 0 } ?? 0) }
        for (offset, row) in rows.enumerated() {
            let number = places.firstToken + offset, y = places.cells.y + offset
            let isShown = subject.place?.token == number
            canvas.draw(
                fitted(tokens[number].label, width: places.names.width), endingAt: places.names.right, y: y,
                isShown ? theme.selected : tokens[number].isSpecial ? theme.faint : theme.quiet, in: places.names)
            guard let row else { continue }
            for (column, strength) in attention.scale.apply(to: seen(row), maximum: top).enumerated() {
                let cell = Legend.heatCell(strength, attention.colorMap, theme)
                for step in 0..<places.cellWidth { canvas[places.cells.x + column * places.cellWidth + step, y] = cell }
            }
        }
        var words = Legend.words(state)
        words.append("rows: written, columns: read")
        if places.columns < source.tokens.count {
            words.insert("\(places.firstKey + 1)–\(places.firstKey + places.columns) of \(source.tokens.count)", at: 0)
        }
        Legend.draw(low: 0, high: top, words: words, state, in: places.legend, onto: &canvas)
    }

    private static func drawHeads(_ source: SourceView, _ places: Places, _ state: State, onto canvas: inout Canvas) {
        guard places.heads.height > 0 else { return }
        for column in 0..<places.columns {
            let key = places.firstKey + column
            let glyphs = TextWidth.glyphs(of: source.tokens[key].label).filter { $0.width == 1 }.prefix(
                places.heads.height)
            let isProbed = state.attention.probe == .word(key)
            for (offset, glyph) in glyphs.enumerated() {
                canvas.draw(
                    glyph.glyph.text, x: places.heads.x + column * places.cellWidth,
                    y: places.heads.bottom - glyphs.count + offset,
                    isProbed
                        ? state.theme.selected : source.tokens[key].isSpecial ? state.theme.faint : state.theme.quiet)
            }
        }
    }

    /// The source word and the answer token at a cell.
    static func hit(x: Int, y: Int, _ state: State, _ subject: AttentionSubject, _ source: SourceView, in area: Rect)
        -> (probe: Probe?, token: TokenPlace?)
    {
        let places = Places(state, subject, keys: source.tokens.count, in: area)
        let column = (x - places.cells.x) / max(1, places.cellWidth), row = y - places.cells.y
        let probe: Probe? = x >= places.cells.x && column < places.columns ? .word(places.firstKey + column) : nil
        let token: TokenPlace? =
            row >= 0 && row < places.rows ? TokenPlace(message: subject.message, token: places.firstToken + row) : nil
        return (probe, token)
    }
}
