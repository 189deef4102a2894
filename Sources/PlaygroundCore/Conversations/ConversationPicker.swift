import Foundation
import Support
import Terminal

/// The list of saved conversations.
struct ConversationPicker: OverlayView {
    let selected: Int

    func draw(_ state: State, onto canvas: inout Canvas) {
        let theme = state.theme, all = state.conversations
        let width = min(84, canvas.size.width), height = min(max(6, all.count + 4), canvas.size.height)
        let inside = Chrome.box("Conversations", width: width, height: height, theme, onto: &canvas)
        if all.isEmpty {
            canvas.draw(
                "No saved conversation, or none with these words.", x: inside.x, y: inside.y, theme.quiet, in: inside)
        }
        let room = max(1, inside.height - 2)
        let first = max(0, min(selected - room / 2, all.count - room))
        for index in first..<max(first, min(all.count, first + room)) {
            let conversation = all[index], isSelected = index == selected
            let row = inside.row(index - first)
            if isSelected { canvas.fill(row, .space, theme.selected) }
            func style(_ style: Style) -> Style { isSelected ? theme.selected : style }
            canvas.draw(isSelected ? "▸" : " ", x: row.x, y: row.y, style(theme.accent), in: row)
            let when = Self.date(conversation.started), count = Figures.right("\(conversation.messages)", 4)
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

    func handle(_ key: Key, _ state: inout State, _ now: Date) -> [Effect] {
        let all = state.conversations, chosen = all.indices.contains(selected) ? all[selected] : nil
        if let moved = key.moved(selected, count: all.count) {
            state.overlay = .conversations(selected: moved)
        } else if key.code == .enter, let chosen {
            state.overlay = nil
            return state.isFreeToSend() ? [.store(.open(chosen.id))] : []
        } else if key.code == .character("d") || key.code == .delete {
            if let chosen { state.overlay = .deleteQuestion(chosen) }
        } else if key.closes || key.code == .enter {
            state.overlay = nil
        }
        return []
    }

    private static func date(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd HH:mm"
        return formatter.string(from: date)
    }
}

/// The question before a conversation is deleted.
struct DeleteQuestion: OverlayView {
    let conversation: ConversationSummary

    func draw(_ state: State, onto canvas: inout Canvas) {
        let inside = Chrome.box("Delete", width: min(60, canvas.size.width), height: 5, state.theme, onto: &canvas)
        canvas.draw(
            fitted("Delete “\(Sanitizer.cells.line(conversation.title))” for good?", width: inside.width), x: inside.x,
            y: inside.y, state.theme.text, in: inside)
        canvas.draw("y yes    any other key: no", x: inside.x, y: inside.y + 2, state.theme.quiet, in: inside)
    }

    func handle(_ key: Key, _ state: inout State, _ now: Date) -> [Effect] {
        state.overlay = .conversations(selected: state.conversations.firstIndex(of: conversation) ?? 0)
        return key == .character("y") ? [.store(.delete(conversation.id))] : []
    }
}
