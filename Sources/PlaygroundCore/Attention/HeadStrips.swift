import AttentionAnalysis
import Terminal

/// Every head of the layer as a strip, to find the heads that follow the input.
enum HeadStrips {
    static let margin = 6

    /// Over the time of a window of sound.
    static func draw(
        _ state: State, _ captured: CapturedAttention, _ view: TimeView, in rect: Rect, onto canvas: inout Canvas
    ) {
        let area = view.rect.x > rect.x ? view.rect : rect.inset(left: margin)
        draw(state, captured, in: Rect(x: area.x, y: rect.y, width: area.width, height: rect.height), onto: &canvas) {
            0..<max(1, min($0, Int((view.share * Double($0)).rounded(.up))))
        }
    }

    /// - Parameters:
    /// - rect: the strips; their names are in the `margin` columns left of it.
    /// - range: the visible keys, given their number.
    static func draw(
        _ state: State, _ captured: CapturedAttention, in rect: Rect, onto canvas: inout Canvas,
        range: (Int) -> Range<Int>
    ) {
        let theme = state.theme, attention = state.attention
        guard rect.height > 0, captured.heads > 0 else { return }
        let shown = min(captured.heads, rect.height)
        // Scroll so that the chosen head is among those shown.
        var first = 0
        if case .head(let chosen) = attention.head, chosen >= shown {
            first = min(chosen - shown + 1, captured.heads - shown)
        }
        let area = rect
        for row in 0..<shown {
            let head = first + row
            let height = rect.height / shown
            let top = rect.y + row * height, bottom = top + height
            let isChosen = attention.head == .head(head)
            canvas.draw(
                Figures.right("h\(head)", margin - 1), x: area.x - margin, y: (top + bottom - 1) / 2,
                isChosen ? theme.accent.with(.bold) : theme.quiet)
            guard let raw = captured.profile(layer: state.shownLayers, head: .head(head)) else { continue }
            let profile = attention.hidesSinks ? SinkMask.masking(attention.rows.sinks, in: raw) : raw
            let strengths = attention.scale.apply(
                to: attention.pooling.pool(profile, range(profile.count), columns: area.width))
            for (column, strength) in strengths.enumerated() {
                let color = attention.colorMap.color(strength)
                for y in top..<bottom {
                    // Half a row stays dark between strips higher than one row.
                    let isEdge = height > 1 && y == bottom - 1
                    canvas[area.x + column, y] =
                        !theme.capabilities.depth.showsRasters
                        ? Cell(ShadeBlitter.glyph(Double(strength)), Style(color))
                        : isEdge ? Cell(Glyph("▀"), Style(color)) : Cell(.space, Style(.standard, on: color))
                }
            }
        }
    }
}
