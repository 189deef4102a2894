import Terminal

/// Sound: the spectrogram with heat over its columns, the curve of the weights, the time axis and the words.
enum SoundMap {
    static func draw(
        _ state: State, _ subject: AttentionSubject, _ sound: SoundView, in area: Rect, onto canvas: inout Canvas
    ) {
        let theme = state.theme
        var map = area
        let view = TimeView(sound: sound, showsPadding: state.attention.showsPadding, map)
        let shown = shownWeights(state, subject, columns: view.rect.width, view)
        var words = Legend.words(state)
        if shown.hidden >= 0.01 { words.append("\(Figures.percent(Double(shown.hidden))) in padding") }
        words.append("\(state.attention.pooling.rawValue) per column")
        Legend.draw(low: shown.low, high: shown.high, words: words, state, in: map.row(map.height - 1), onto: &canvas)
        map = map.inset(bottom: 1)
        let wordRows = map.height >= 24 ? 3 : map.height >= 16 ? 2 : map.height >= 8 ? 1 : 0
        if wordRows > 0 {
            let rows = Rect(x: view.rect.x, y: map.bottom - wordRows, width: view.rect.width, height: wordRows)
            WordRows.draw(state, subject, view, in: rows, onto: &canvas)
            map = map.inset(bottom: wordRows)
        }
        let said = subject.word.flatMap { span(of: $0, view) }
        drawAxis(view, besides: said, y: map.bottom - 1, theme, onto: &canvas)
        for column in said ?? 0..<0 {
            canvas[view.rect.x + column, map.bottom - 1] = Cell(Glyph("━"), theme.accent.with(.bold))
        }
        drawProbe(state, view, y: map.bottom - 1, onto: &canvas)
        map = map.inset(bottom: 1)
        if state.attention.showsHeads, let captured = state.attention.shown?.captured {
            HeadStrips.draw(state, captured, view, in: map, onto: &canvas)
            return
        }
        let curveRows = map.height >= 26 ? 5 : map.height >= 15 ? 3 : map.height >= 8 ? 2 : 1
        let curve = Rect(x: view.rect.x, y: map.bottom - curveRows, width: view.rect.width, height: curveRows)
        drawCurve(shown.strengths, state.attention.colorMap, in: curve, theme, onto: &canvas)
        Spectrogram.draw(
            sound, view, heat: shown.strengths, state.attention, in: map.inset(bottom: curveRows), theme, onto: &canvas)
    }

    /// The moment under a column of the panel's body, as a share of the window.
    static func moment(atColumn x: Int, _ state: State, _ sound: SoundView, in area: Rect) -> Double? {
        let view = TimeView(sound: sound, showsPadding: state.attention.showsPadding, area)
        guard x >= view.rect.x, x < view.rect.right else { return nil }
        return (Double(x - view.rect.x) + 0.5) / Double(view.rect.width) * view.share
    }

    // MARK: Weights

    private struct Weights {
        /// Per column, 0…1.
        var strengths: [Float] = []
        var low: Float = 0
        var high: Float = 0
        /// Sum of the weights that lie in the padding, when that is not shown.
        var hidden: Float = 0
    }

    private static func shownWeights(_ state: State, _ subject: AttentionSubject, columns: Int, _ view: TimeView)
        -> Weights
    {
        let attention = state.attention
        guard subject.token != nil, let profile = state.shownRow else { return Weights() }
        let range = 0..<max(1, min(profile.count, Int((view.share * Double(profile.count)).rounded(.up))))
        let pooled = attention.pooling.pool(profile, range, columns: columns)
        let seen = profile[range]
        return Weights(
            strengths: attention.scale.apply(to: pooled), low: seen.min() ?? 0, high: seen.max() ?? 0,
            hidden: attention.head == .max || attention.isRelative ? 0 : profile[range.upperBound...].reduce(0, +))
    }

    // MARK: Rows

    private static func drawCurve(
        _ strengths: [Float], _ map: ColorMap, in rect: Rect, _ theme: Theme, onto canvas: inout Canvas
    ) {
        for (column, strength) in strengths.enumerated() where column < rect.width {
            for row in 0..<rect.height {
                let glyph = Bars.upright(strength, row: row, of: rect.height, ascii: theme.ascii)
                if glyph != .space {
                    canvas[rect.x + column, rect.bottom - 1 - row] = Cell(glyph, Style(map.color(0.3 + 0.7 * strength)))
                }
            }
        }
    }

    /// Seconds of the recording under the map.
    private static func drawAxis(
        _ view: TimeView, besides span: Range<Int>?, y: Int, _ theme: Theme, onto canvas: inout Canvas
    ) {
        let rect = Rect(x: view.rect.x, y: y, width: view.rect.width, height: 1)
        let spacing = view.seconds > 0 ? Double(rect.width) / view.seconds : 0
        guard spacing > 0 else { return }
        let step = [1.0, 2, 5, 10, 15].first { $0 * spacing >= 8 } ?? 30
        var second = 0.0
        while second < view.seconds {
            let label = axisLabel(view.sound.start + second)
            let x = rect.x + Int(second * spacing)
            let isFree = span.map { !$0.overlaps(x - rect.x..<x - rect.x + 1 + label.count) } ?? true
            if isFree, x + 1 + label.count <= rect.right {
                canvas.draw("╵", x: x, y: y, theme.faint, in: rect)
                canvas.draw(label, x: x + 1, y: y, theme.quiet, in: rect)
            }
            second += step
        }
    }

    /// The time of the word, in columns.
    private static func span(of word: WordRecord, _ view: TimeView) -> Range<Int>? {
        guard view.sound.length > 0, let first = view.column((word.start - view.sound.start) / view.sound.length) else {
            return nil
        }
        let last = view.column((word.end - view.sound.start) / view.sound.length) ?? view.rect.width - 1
        return first..<max(first, last) + 1
    }

    /// A mark on the axis at the probe.
    private static func drawProbe(_ state: State, _ view: TimeView, y: Int, onto canvas: inout Canvas) {
        guard case .moment(view.sound.index, let moment)? = state.attention.probe, let column = view.column(moment)
        else { return }
        canvas.draw("◆", x: view.rect.x + column, y: y, state.theme.accent.with(.bold))
    }

    private static func axisLabel(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        return whole < 60 ? "\(whole) s" : "\(whole / 60):\(whole % 60 < 10 ? "0" : "")\(whole % 60)"
    }
}
