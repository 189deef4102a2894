import Support
import Terminal

/// All keys and commands, from the key map and the registry of commands.
enum HelpScreen {
    static func draw(_ state: State, scroll: Int, onto canvas: inout Canvas) {
        let theme = state.theme
        let lines = lines(theme)
        let inside = Chrome.box(
            "Keys and commands", width: min(76, canvas.size.width), height: min(lines.count + 2, canvas.size.height),
            theme, onto: &canvas)
        let first = max(0, min(scroll, lines.count - inside.height))
        for row in 0..<min(inside.height, lines.count - first) {
            let line = lines[first + row]
            if line.text.isEmpty {
                canvas.draw(line.key, x: inside.x, y: inside.y + row, theme.strong, in: inside)
            } else {
                canvas.draw(fitted(line.key, width: 24), x: inside.x + 1, y: inside.y + row, theme.accent, in: inside)
                canvas.draw(
                    fitted(line.text, width: inside.width - 26), x: inside.x + 26, y: inside.y + row, theme.text,
                    in: inside)
            }
        }
        let more = lines.count > inside.height ? " ↑↓ scroll · Esc close " : " Esc close "
        canvas.draw(more, endingAt: inside.right, y: inside.bottom, theme.quiet)
    }

    static func lineCount() -> Int { lines(Theme()).count }

    /// As many of the keys as fit, the usual ones first.
    private static func keyNames(_ keys: [Key], width: Int) -> String {
        var text = ""
        for key in keys {
            let longer = text.isEmpty ? key.description : text + "  " + key.description
            if TextWidth.width(of: longer) > width { break }
            text = longer
        }
        return text
    }

    private static func lines(_ theme: Theme) -> [(key: String, text: String)] {
        var lines: [(key: String, text: String)] = []
        for group in KeyMap.groups {
            if !lines.isEmpty { lines.append(("", "")) }
            lines.append((group.title, ""))
            for binding in group.bindings where !binding.help.isEmpty {
                lines.append((keyNames(binding.keys, width: 23), binding.help))
            }
        }
        lines.append(("", ""))
        lines.append(("Commands", ""))
        for command in SlashCommand.all { lines.append(("/\(command.name) \(command.argument)", command.help)) }
        return lines
    }
}

/// The models there are, to load or to download.
enum ModelPicker {
    static func draw(_ state: State, selected: Int, onto canvas: inout Canvas) {
        let theme = state.theme, models = state.engine.models
        let anyInstalled = models.contains(where: \.installed)
        let intro =
            models.isEmpty
            ? ["No models are known."]
            : anyInstalled
                ? []
                : ["No model is installed yet. Choose one to download;", "it is then loaded, and kept for next time."]
        let width = min(78, canvas.size.width)
        let height = intro.count + (intro.isEmpty ? 0 : 1) + max(1, models.count) + 4
        let inside = Chrome.box(
            anyInstalled ? "Models" : "Welcome", width: width, height: min(height, canvas.size.height), theme,
            onto: &canvas)
        var y = inside.y
        for line in intro {
            canvas.draw(line, x: inside.x, y: y, theme.text, in: inside)
            y += 1
        }
        if !intro.isEmpty { y += 1 }
        let room = max(1, inside.bottom - 2 - y)
        let first = max(0, min(selected - room + 1, models.count - room))
        for index in first..<max(first, min(models.count, first + room)) {
            let model = models[index], isSelected = index == selected
            let row = Rect(x: inside.x, y: y, width: inside.width, height: 1)
            if isSelected { canvas.fill(row, .space, theme.selected) }
            func style(_ style: Style) -> Style { isSelected ? theme.selected : style }
            canvas.draw(isSelected ? "▸ " : "  ", x: row.x, y: y, style(theme.accent), in: row)
            let name = fitted(Sanitizer.cells.line(model.name), width: 20)
            canvas.draw(name, x: row.x + 2, y: y, style(theme.strong), in: row)
            let state =
                model.name == state.engine.model ? "loaded" : model.installed ? "installed" : Figures.bytes(model.bytes)
            canvas.draw(
                Figures.right(state, 10), endingAt: row.right, y: y, style(model.installed ? theme.model : theme.quiet),
                in: row)
            canvas.draw(
                fitted(Sanitizer.cells.line(model.description), width: row.width - 36), x: row.x + 24, y: y,
                style(theme.quiet), in: row)
            y += 1
        }
        let hint =
            models.isEmpty
            ? "Esc close"
            : "↑↓ choose · Enter \(models.indices.contains(selected) && models[selected].installed ? "load" : "download") · Esc close"
        canvas.draw(hint, x: inside.x, y: inside.bottom - 1, theme.quiet, in: inside)
    }
}

/// Asked before the program ends.
enum QuitQuestion {
    static func draw(_ state: State, onto canvas: inout Canvas) {
        let inside = Chrome.box("Quit", width: 40, height: 5, state.theme, onto: &canvas)
        canvas.draw("Leave fovea?", x: inside.x, y: inside.y, state.theme.text, in: inside)
        canvas.draw("y · q · Ctrl-C yes    n · Esc no", x: inside.x, y: inside.y + 2, state.theme.quiet, in: inside)
    }
}

/// Asked before a conversation is deleted.
enum DeleteQuestion {
    static func draw(_ conversation: ConversationStore.Summary, _ state: State, onto canvas: inout Canvas) {
        let inside = Chrome.box("Delete", width: min(60, canvas.size.width), height: 5, state.theme, onto: &canvas)
        canvas.draw(
            fitted("Delete “\(Sanitizer.cells.line(conversation.title))” for good?", width: inside.width), x: inside.x,
            y: inside.y, state.theme.text, in: inside)
        canvas.draw("y yes    any other key: no", x: inside.x, y: inside.y + 2, state.theme.quiet, in: inside)
    }
}
