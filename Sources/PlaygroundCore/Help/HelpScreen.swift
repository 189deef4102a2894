import Foundation
import Terminal

/// The overlay with all keys and commands.
struct HelpScreen: OverlayView {
    let scroll: Int

    func draw(_ state: State, onto canvas: inout Canvas) {
        let theme = state.theme
        let lines = Self.lines
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

    func handle(_ key: Key, _ state: inout State, _ now: Date) -> [Effect] {
        let last = max(0, Self.lines.count - state.size.height + 2), page = state.size.height - 4
        if let moved = key.moved(scroll, count: last + 1, page: page) {
            state.overlay = .help(scroll: moved)
        } else if key.code == .character(" ") {
            state.overlay = .help(scroll: min(last, scroll + page))
        } else if key.closes || [.enter, .character("?"), .function(1)].contains(key.code) {
            state.overlay = nil
        }
        return []
    }

    /// The names of as many keys as fit, the usual ones first.
    private static func keyNames(_ keys: [Key], width: Int) -> String {
        var text = ""
        for key in keys {
            let longer = text.isEmpty ? key.description : text + "  " + key.description
            if TextWidth.width(of: longer) > width { break }
            text = longer
        }
        return text
    }

    private static var lines: [(key: String, text: String)] {
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
