import Terminal

extension State {
    var layout: Layout { Layout(size, focus: focus, inputLines: InputView.lineCount(input, width: size.width)) }
}

/// The whole screen of a state.
package func render(_ state: State) -> Canvas {
    var state = TourView.pointing(state)
    // What lies over the screen is made of cells, and pixels would lie over it.
    if state.overlay != nil { state.theme.capabilities.graphics = nil }
    var canvas = Canvas(state.size)
    let layout = state.layout
    if layout.isTooSmall {
        drawTooSmall(&canvas, state.theme)
        return canvas
    }
    if let chat = layout.chat { ChatPanel.draw(state, in: chat, onto: &canvas) }
    if let divider = layout.divider { canvas.fill(divider, Glyph("│"), state.theme.faint) }
    if let attention = layout.attention { AttentionPanel.draw(state, in: attention, onto: &canvas) }
    if let memory = layout.memory { MemoryPanel.draw(state, in: memory, onto: &canvas) }
    if let rule = layout.rule {
        canvas.fill(rule, Glyph("─"), state.theme.faint)
        if let divider = layout.divider { canvas.draw("┴", x: divider.x, y: rule.y, state.theme.faint) }
        drawOwnKeys(state, in: rule, onto: &canvas)
    }
    InputView.draw(state, in: layout, onto: &canvas)
    StatusLine.draw(state, in: layout.status, onto: &canvas)
    switch state.overlay {
    case .help(let scroll): HelpScreen.draw(state, scroll: scroll, onto: &canvas)
    case .models(let selected): ModelPicker.draw(state, selected: selected, onto: &canvas)
    case .conversations(let selected): ConversationPicker.draw(state, selected: selected, onto: &canvas)
    case .deleteQuestion(let conversation): DeleteQuestion.draw(conversation, state, onto: &canvas)
    case .plan: PlanView.draw(state, onto: &canvas)
    case .alternatives(let selected): AlternativesView.draw(state, selected: selected, onto: &canvas)
    case .comparison(let scroll): ComparisonView.draw(state, scroll: scroll, onto: &canvas)
    case .tour(let step): TourView.draw(state, step: step, onto: &canvas)
    case .quitQuestion: QuitQuestion.draw(state, onto: &canvas)
    case nil: break
    }
    return canvas
}

/// The keys of the focused part, on the line above the input.
private func drawOwnKeys(_ state: State, in rule: Rect, onto canvas: inout Canvas) {
    let hints = KeyMap.hints(for: state).own
    guard !hints.isEmpty, state.input.candidates.isEmpty else { return }
    // What goes with the next message stands at the left.
    let room = state.attachments.isEmpty ? rule.width - 6 : rule.width / 2 - 6
    let start = KeyHints.draw(
        hints, room: room, endingAt: rule.right - 2, y: rule.y, state.theme.accent, state.theme.quiet, onto: &canvas)
    if start < rule.right - 2 {
        canvas.draw(" ", x: start - 1, y: rule.y, state.theme.quiet)
        canvas.draw(" ", x: rule.right - 2, y: rule.y, state.theme.quiet)
    }
}

private func drawTooSmall(_ canvas: inout Canvas, _ theme: Theme) {
    let lines = [
        "fovea needs a little more room:",
        "\(Layout.smallest.width)×\(Layout.smallest.height) at least, here are \(canvas.size.width)×\(canvas.size.height).",
    ]
    for (offset, line) in lines.enumerated() {
        canvas.draw(
            fitted(line, width: canvas.size.width), x: max(0, (canvas.size.width - TextWidth.width(of: line)) / 2),
            y: max(0, canvas.size.height / 2 - 1) + offset, theme.quiet)
    }
}

/// Parts that panels share.
enum Chrome {
    /// A panel's first row: its name, a line, and what it shows now.
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

    /// An empty box with a title in the middle of the screen, or of `area` where it fits there; returns its inside.
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

    /// A bar `fraction` full.
    static func progress(
        _ fraction: Double, x: Int, y: Int, width: Int, _ style: Style, _ theme: Theme, onto canvas: inout Canvas
    ) {
        for column in 0..<max(0, width) {
            let glyph = Bars.lying(Float(fraction), column: column, of: width, ascii: theme.ascii)
            canvas[x + column, y] = Cell(glyph, style)
        }
    }

    /// Lines of text in the middle of a rectangle.
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
