import Terminal

/// The source words, each shaded by its weight.
enum WordsMap {
    struct Places {
        var probe: Rect
        var text: Rect
        var shares: Rect
        var legend: Rect

        init(_ state: State, in area: Rect) {
            legend = area.row(area.height - 1)
            shares = area.row(area.height - 2)
            probe = Rect(x: area.x, y: area.y, width: area.width, height: state.attention.probe == nil ? 0 : 1)
            text = area.inset(top: probe.height, bottom: 2)
        }
    }

    static func draw(
        _ state: State, _ subject: AttentionSubject, _ source: SourceView, in area: Rect, onto canvas: inout Canvas
    ) {
        let theme = state.theme, attention = state.attention
        guard area.height >= 4 else { return }
        let places = Places(state, in: area)
        ProbeLine.draw(state, subject, in: places.probe, onto: &canvas)
        let row = subject.token == nil ? nil : state.shownRow
        if attention.showsHeads, let captured = attention.shown?.captured {
            HeadStrips.draw(state, captured, in: places.text.inset(left: HeadStrips.margin), onto: &canvas) { 0..<$0 }
            canvas.draw(
                "from the first word at the left to the last at the right", x: places.shares.x, y: places.shares.y,
                theme.quiet, in: places.shares)
        } else {
            for (offset, line) in visibleLines(state, source, row, in: places.text).enumerated() {
                var x = places.text.x + line.indent
                for span in line.spans {
                    x = canvas.draw(span.text, x: x, y: places.text.y + offset, span.style, in: places.text)
                }
            }
            canvas.draw(
                fitted(shares(of: row, source, state), width: places.shares.width), x: places.shares.x,
                y: places.shares.y, theme.quiet, in: places.shares)
        }
        let seen = row.map { Array($0.prefix(source.tokens.count)) } ?? []
        Legend.draw(
            low: seen.min() ?? 0, high: seen.max() ?? 0, words: Legend.words(state), state, in: places.legend,
            onto: &canvas)
    }

    /// The word under a cell.
    static func probe(x: Int, y: Int, _ state: State, _ source: SourceView, in area: Rect) -> Probe? {
        let places = Places(state, in: area)
        guard places.text.contains(x: x, y: y) else { return nil }
        let lines = visibleLines(state, source, state.shownRow, in: places.text)
        let line = y - places.text.y
        return lines.indices.contains(line) ? lines[line].span(atColumn: x - places.text.x)?.key.map { .word($0) } : nil
    }

    /// The visible lines around the probed word, else around the word with the largest weight.
    private static func visibleLines(_ state: State, _ source: SourceView, _ row: [Float]?, in rect: Rect) -> [FlowLine]
    {
        guard rect.height > 0 else { return [] }
        let attention = state.attention
        let strengths = row.map { attention.scale.apply(to: Array($0.prefix(source.tokens.count))) } ?? []
        var flow = TextFlow(width: rect.width)
        for (key, token) in source.tokens.enumerated() {
            let strength = strengths.indices.contains(key) ? strengths[key] : 0
            let isProbed = attention.probe == .word(key)
            var text = token.text
            if token.isSpecial || text.isEmpty { text = token.piece + " " }
            // A line feed is a token too and must be visible if it is attended to.
            if text.contains("\n") && text.allSatisfy(\.isWhitespace) {
                flow.append(Span(text: "⏎", style: style(strength, state, special: true, isProbed: isProbed), key: key))
                flow.append(Span(text: text, style: .plain))
                continue
            }
            if text.first == " " {
                flow.append(Span(text: " ", style: .plain, key: key))
                text.removeFirst()
            }
            flow.append(
                Span(text: text, style: style(strength, state, special: token.isSpecial, isProbed: isProbed), key: key))
        }
        let lines = flow.finish()
        let focus: Int? =
            if case .word(let key)? = attention.probe { key } else {
                strengths.max().flatMap { $0 > 0 ? strengths.firstIndex(of: $0) : nil }
            }
        let line = focus.flatMap { focus in lines.firstIndex { $0.spans.contains { $0.key == focus } } } ?? 0
        let first = max(0, min(lines.count - rect.height, line - rect.height / 2))
        return Array(lines[first..<min(lines.count, first + rect.height)])
    }

    /// Heat as background, with a text color that stays legible on it.
    private static func style(_ strength: Float, _ state: State, special: Bool, isProbed: Bool) -> Style {
        let theme = state.theme
        if isProbed { return theme.selected }
        let plain = special ? theme.faint : theme.text
        guard theme.capabilities.depth.showsRasters else {
            return strength >= 0.66
                ? plain.with([.reverse, .bold])
                : strength >= 0.33
                    ? plain.with([.bold, .underline]) : strength >= 0.12 ? plain.with(.underline) : plain
        }
        guard strength >= 0.04 else { return plain }
        let heat = Color(0x14171C).mixed(
            with: state.attention.colorMap.color(0.15 + 0.85 * strength), Double(state.attention.opacity) / 100)
        return Style(heat.luma > 0.45 ? Color(0x101216) : Color(0xF2F4F8), on: heat)
    }

    /// The distribution of the token's attention, in words.
    private static func shares(of row: [Float]?, _ source: SourceView, _ state: State) -> String {
        guard let row else { return "the words the model reads" }
        if state.attention.isRelative {
            return "above the mean of this answer's \(state.attention.rows.tokensWithRows) tokens; 0 is plain"
        }
        if state.attention.head == .max { return "the strongest head at each word; does not sum to 1" }
        var special: Float = 0, words: Float = 0
        for (token, weight) in zip(source.tokens, row) {
            if token.isSpecial { special += weight } else { words += weight }
        }
        var text = ["on words \(Figures.percent(Double(words)))", "special tokens \(Figures.percent(Double(special)))"]
        let beyond = row.dropFirst(source.tokens.count).reduce(0, +)
        if beyond >= 0.005 { text.append("elsewhere \(Figures.percent(Double(beyond)))") }
        return text.joined(separator: " · ")
    }
}
