import Foundation
import Terminal

/// Two answers side by side, token by token, colored by probability; where they part is marked.
struct ComparisonView: OverlayView {
    let scroll: Int

    func draw(_ state: State, onto canvas: inout Canvas) {
        let theme = state.theme
        guard let comparison = state.comparison, state.chat.messages.indices.contains(comparison.original),
            state.chat.messages.indices.contains(comparison.variant)
        else {
            let inside = Chrome.box("Compare", width: min(60, canvas.size.width), height: 5, theme, onto: &canvas)
            canvas.draw(
                fitted("Nothing to compare yet: /rerun, or t and Enter on a token.", width: inside.width), x: inside.x,
                y: inside.y, theme.quiet, in: inside)
            return
        }
        let inside = Chrome.box(
            "Original and changed", width: canvas.size.width - 2, height: canvas.size.height - 2, theme, onto: &canvas
        )
        guard inside.width >= 20, inside.height >= 4 else { return }
        let half = (inside.width - 3) / 2
        let left = Rect(x: inside.x, y: inside.y, width: half, height: inside.height - 1),
            right = Rect(x: inside.x + half + 3, y: inside.y, width: half, height: inside.height - 1)
        let a = state.chat.messages[comparison.original], b = state.chat.messages[comparison.variant]
        let parting = zip(a.tokens, b.tokens).prefix { $0.id == $1.id }.count
        for y in inside.y..<inside.bottom - 1 { canvas.draw("│", x: inside.x + half + 1, y: y, theme.faint) }
        draw(a, "original", from: parting, in: left, state, onto: &canvas)
        draw(b, b.change ?? "changed", from: parting, in: right, state, onto: &canvas)
        let words =
            parting == max(a.tokens.count, b.tokens.count)
            ? "the same tokens" : "they differ from token \(parting + 1) on"
        canvas.draw(
            fitted(words + " · ↑↓ scroll · any other key closes", width: inside.width), x: inside.x,
            y: inside.bottom - 1, theme.quiet, in: inside)
    }

    func handle(_ key: Key, _ state: inout State, _ now: Date) -> [Effect] {
        state.overlay = key.moved(scroll, count: .max).map { .comparison(scroll: $0) }
        return []
    }

    private func draw(
        _ message: Message, _ title: String, from parting: Int, in rect: Rect, _ state: State,
        onto canvas: inout Canvas
    ) {
        let theme = state.theme
        let chosen = message.tokens.dropFirst(message.givenTokens)
        let mean = chosen.isEmpty ? 0 : chosen.reduce(0) { $0 + Double($1.probability) } / Double(chosen.count)
        canvas.draw(fitted(title, width: rect.width), x: rect.x, y: rect.y, theme.strong, in: rect)
        canvas.draw(
            fitted("\(message.tokens.count) tokens · mean p \(Figures.fixed(mean, 3))", width: rect.width), x: rect.x,
            y: rect.y + 1, theme.quiet, in: rect)
        var flow = TextFlow(width: rect.width)
        for (number, token) in message.tokens.enumerated() where !token.isSpecial {
            var style =
                number < message.givenTokens ? theme.faint : Style(theme.probability(token.probability))
            if number == parting { style = style.with([.bold, .underline]) }
            flow.append(Span(text: token.text, style: style, place: TokenPlace(message: 0, token: number)))
        }
        let lines = flow.finish()
        let first = max(0, min(scroll, lines.count - 1))
        for (offset, line) in lines.dropFirst(first).prefix(max(0, rect.height - 3)).enumerated() {
            var x = rect.x + line.indent
            for span in line.spans { x = canvas.draw(span.text, x: x, y: rect.y + 3 + offset, span.style, in: rect) }
        }
    }
}
