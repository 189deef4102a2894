import Support
import Terminal

/// The input line, with completions and attachments above it.
struct InputPanel: Panel {
    let focus = Focus.input, title = "Typing", place = PanelPlace.bottom, minimumSize = Size(1, 1)
    let keys = Self.bindings

    static let prompt = "› "

    static func lineCount(_ input: InputLine, width: Int) -> Int { wrapped(input, width: width).lines.count }

    /// The text broken at line feeds and at the edge, and the cursor's position.
    static func wrapped(_ input: InputLine, width: Int) -> (lines: [String], cursor: (line: Int, column: Int)) {
        let room = max(4, width - 3)
        var lines = [""], used = 0, cursor = (0, 0)
        for (index, character) in input.characters.enumerated() {
            if index == input.cursor { cursor = (lines.count - 1, used) }
            if character == "\n" { lines.append(""); used = 0; continue }
            let shown = Sanitizer.cells.text(String(character))
            let columns = TextWidth.width(of: shown)
            if used + columns > room { lines.append(""); used = 0 }
            lines[lines.count - 1] += shown
            used += columns
        }
        if input.cursor == input.characters.count { cursor = (lines.count - 1, used) }
        return (lines, cursor)
    }

    func draw(_ state: State, in rect: Rect, onto canvas: inout Canvas) {
        let theme = state.theme, rule = state.layout.rule
        let text = Self.wrapped(state.input, width: rect.width)
        let first = max(0, min(text.lines.count - rect.height, text.cursor.line - rect.height + 1))
        let focused = state.focus == .input && state.overlay == nil
        for row in 0..<min(rect.height, text.lines.count) {
            canvas.draw(
                row + first == 0 ? Self.prompt : "  ", x: rect.x, y: rect.y + row,
                focused ? theme.accent.with(.bold) : theme.faint)
            canvas.draw(text.lines[row + first], x: rect.x + 2, y: rect.y + row, theme.text, in: rect)
        }
        if state.input.isEmpty {
            canvas.draw(Self.placeholder(state), x: rect.x + 2, y: rect.y, theme.faint, in: rect)
        }
        if focused { canvas.cursor = (rect.x + 2 + text.cursor.column, rect.y + text.cursor.line - first) }
        if let rule, state.input.candidates.isEmpty, !state.attachments.isEmpty {
            let names = state.attachments.map {
                "▣ " + $0.name + ($0.thumbnail.map { " \($0.width)×\($0.height)" } ?? "")
            }
            canvas.draw(
                fitted(" with " + names.joined(separator: "  ") + " ", width: rule.width / 2), x: rule.x + 2, y: rule.y,
                theme.accent, in: rule)
        }
        if let rule, !state.input.candidates.isEmpty {
            let shown = fitted(
                " " + state.input.candidates.map(Sanitizer.cells.line).joined(separator: "   ") + " ",
                width: rule.width - 4)
            canvas.draw(shown, x: rule.x + 2, y: rule.y, theme.quiet, in: rule)
        }
    }

    private static func placeholder(_ state: State) -> String {
        if state.focus != .input { return "Tab or i to type" }
        guard state.engine.model != nil else { return "/model to choose a model, ? for help" }
        guard let inputs = state.engine.abilities?.inputs else { return "/audio PATH, /mic, or drop a sound file here" }
        var ways: [String] = []
        if inputs.contains(.text) {
            ways.append(
                state.engine.abilities?.holdsConversations == false && !inputs.contains(.picture)
                    ? "type a text" : "type a message")
        }
        if inputs.contains(.picture) { ways.append("/image PATH") }
        if inputs.contains(.sound) { ways += ["/audio PATH", "/mic"] }
        if inputs.contains(.picture) || inputs.contains(.sound) { ways.append("drop a file here") }
        return ways.joined(separator: ", ")
    }
}

extension Focus {
    package static let input = Focus("input")
}
