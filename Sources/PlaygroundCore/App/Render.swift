import Terminal

extension State {
    var layout: Layout { Layout(size, focus: focus, inputLines: InputPanel.lineCount(input, width: size.width)) }
}

/// Draws the screen of a state.
package func render(_ state: State) -> Canvas {
    var state = TourView.pointing(state)
    // Overlays and lists consist of cells, and pixels would cover them.
    if state.overlay != nil || !CommandList.rows(state).isEmpty { state.theme.capabilities.graphics = nil }
    var canvas = Canvas(state.size)
    let layout = state.layout
    if layout.isTooSmall {
        drawTooSmall(&canvas, state.theme)
        return canvas
    }
    if let divider = layout.divider { canvas.fill(divider, Glyph("│"), state.theme.faint) }
    if let rule = layout.rule {
        canvas.fill(rule, Glyph("─"), state.theme.faint)
        if let divider = layout.divider { canvas.draw("┴", x: divider.x, y: rule.y, state.theme.faint) }
        drawOwnKeys(state, in: rule, onto: &canvas)
    }
    for placed in layout.panels { Panels.panel(placed.focus).draw(state, in: placed.rect, onto: &canvas) }
    StatusLine.draw(state, in: layout.status, onto: &canvas)
    CommandList.draw(
        state, above: layout.rule?.y ?? layout[.input]?.y ?? layout.status.y, onto: &canvas)
    state.overlay?.view.draw(state, onto: &canvas)
    return canvas
}

/// Draws the keys of the focused panel on the line above the input.
private func drawOwnKeys(_ state: State, in rule: Rect, onto canvas: inout Canvas) {
    let hints = KeyMap.hints(for: state).own
    guard !hints.isEmpty, state.input.candidates.isEmpty else { return }
    // The attachments of the next message are at the left.
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
        "fovea needs a larger terminal:",
        "at least \(Layout.smallest.width)×\(Layout.smallest.height); this one is \(canvas.size.width)×\(canvas.size.height).",
    ]
    for (offset, line) in lines.enumerated() {
        canvas.draw(
            fitted(line, width: canvas.size.width), x: max(0, (canvas.size.width - TextWidth.width(of: line)) / 2),
            y: max(0, canvas.size.height / 2 - 1) + offset, theme.quiet)
    }
}
