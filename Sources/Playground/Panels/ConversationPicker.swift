import Foundation
import Support
import Terminal

/// Earlier conversations, to go on with.
enum ConversationPicker {
    static func draw(_ state: State, selected: Int, onto canvas: inout Canvas) {
        let theme = state.theme, all = state.conversations
        let width = min(84, canvas.size.width), height = min(max(6, all.count + 4), canvas.size.height)
        let inside = Chrome.box("Conversations", width: width, height: height, theme, onto: &canvas)
        if all.isEmpty {
            canvas.draw("None is kept, or none has these words.", x: inside.x, y: inside.y, theme.quiet, in: inside)
        }
        let room = max(1, inside.height - 2)
        let first = max(0, min(selected - room / 2, all.count - room))
        for index in first..<max(first, min(all.count, first + room)) {
            let conversation = all[index], isSelected = index == selected
            let row = inside.row(index - first)
            if isSelected { canvas.fill(row, .space, theme.selected) }
            func style(_ style: Style) -> Style { isSelected ? theme.selected : style }
            canvas.draw(isSelected ? "▸" : " ", x: row.x, y: row.y, style(theme.accent), in: row)
            let when = date(conversation.started), count = Figures.right("\(conversation.messages)", 4)
            canvas.draw(when, x: row.x + 2, y: row.y, style(theme.quiet), in: row)
            canvas.draw(count + " messages", endingAt: row.right, y: row.y, style(theme.quiet), in: row)
            canvas.draw(
                fitted(Sanitizer.cells.line(conversation.title), width: row.width - when.count - 20),
                x: row.x + when.count + 4, y: row.y, style(theme.text), in: row)
        }
        canvas.draw(
            "↑↓ choose · Enter resume · d delete · Esc close", x: inside.x, y: inside.bottom - 1, theme.quiet,
            in: inside)
    }

    private static func date(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd HH:mm"
        return formatter.string(from: date)
    }
}
