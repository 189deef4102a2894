import Support
import Terminal

/// The commands that the line being typed may become, or the possible arguments of its command, above the input.
enum CommandList {
    private static let mostRows = 8

    /// A row of the list.
    struct Row: Hashable {
        let name: String
        let help: String
    }

    /// Rows for the typed line; empty where the line is no command, or its argument has no choices.
    static func rows(_ state: State) -> [Row] {
        guard state.overlay == nil, state.focus == .input else { return [] }
        let typed = state.input.text
        guard typed.hasPrefix("/"), !typed.contains("\n") else { return [] }
        guard let space = typed.firstIndex(of: " ") else {
            return SlashCommand.all.filter { ("/" + $0.name).hasPrefix(typed) }.map {
                Row(name: "/" + $0.name + ($0.argument.isEmpty ? "" : " " + $0.argument), help: $0.help)
            }
        }
        guard let command = SlashCommand.named(String(typed[..<space].dropFirst())) else { return [] }
        let argument = typed[typed.index(after: space)...]
        let choices = command.path == nil ? command.choices(state).filter { $0.hasPrefix(argument) } : []
        if choices.isEmpty {
            return command.argument.isEmpty ? [] : [Row(name: command.argument, help: command.help)]
        }
        return choices.map { Row(name: Sanitizer.cells.line($0), help: "") }
    }

    /// Draws the rows in a box that ends above `bottom`.
    static func draw(_ state: State, above bottom: Int, onto canvas: inout Canvas) {
        let rows = rows(state)
        let room = min(mostRows, bottom - 2)
        guard !rows.isEmpty, room > 0 else { return }
        let theme = state.theme
        let shown = rows.count <= room ? rows.count : room - 1
        let nameWidth = min(rows.map { TextWidth.width(of: $0.name) }.max() ?? 0, canvas.size.width * 2 / 5)
        let helpWidth = rows.map { TextWidth.width(of: $0.help) }.max() ?? 0
        let more = shown < rows.count ? "\(rows.count - shown) more · Tab completes" : ""
        let width = min(
            canvas.size.width,
            max(nameWidth + (helpWidth > 0 ? helpWidth + 2 : 0), TextWidth.width(of: more)) + 4)
        let height = shown + (shown < rows.count ? 1 : 0)
        let box = Rect(x: 0, y: bottom - height, width: width, height: height)
        canvas.fill(box, .space, theme.statusBar)
        func tinted(_ style: Style) -> Style {
            theme.capabilities.depth.showsRasters
                ? Style(style.foreground, on: theme.statusBar.background, style.attributes) : theme.statusBar
        }
        for (offset, row) in rows.prefix(shown).enumerated() {
            let y = box.y + offset
            canvas.draw(
                fitted(row.name, width: nameWidth), x: box.x + 2, y: y, tinted(theme.accent), in: box)
            canvas.draw(row.help, x: box.x + 4 + nameWidth, y: y, theme.statusBar, in: box)
        }
        if shown < rows.count {
            canvas.draw(more, x: box.x + 2, y: box.bottom - 1, theme.statusBar, in: box)
        }
    }
}
