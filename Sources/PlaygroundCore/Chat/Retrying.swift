import Foundation

// Repeating and editing the last question.
extension State {
    /// Index of the newest question.
    private var lastQuestion: Int? { chat.messages.lastIndex { $0.author == .person } }

    /// Answers the last question again; the previous answer is removed.
    mutating func retry(_ now: Date) -> [Effect] {
        guard isFreeToSend() else { return [] }
        guard let index = lastQuestion else {
            say(.warning, "nothing was asked yet")
            return []
        }
        let question = chat.messages[index]
        if question.spoken != nil {
            say(.warning, "microphone recordings are not saved; speak again with /mic")
            return []
        }
        let effects = takeBack(from: index + 1)
        if let audio = question.audioPath { return effects + ask(request(for: audio), now) }
        return effects + ask(request(), now)
    }

    /// Moves the last question back to the input line and removes its answer.
    mutating func editLast(_ now: Date) -> [Effect] {
        guard isFreeToSend() else { return [] }
        guard let index = lastQuestion else {
            say(.warning, "nothing was asked yet")
            return []
        }
        let question = chat.messages[index]
        let effects = takeBack(from: index)
        input.clear()
        input.insert(question.audioPath.map { "/audio \($0)" } ?? question.text)
        attachments = question.attachments
        focus = .input
        return effects
    }

    /// Removes messages from an index on, with their attention, from the screen and from the store.
    mutating func takeBack(from index: Int) -> [Effect] {
        guard index < chat.messages.count else { return [] }
        if let first = chat.messages[index...].flatMap({ $0.tokens.compactMap(\.record) }).first {
            chat.record.truncate(to: first)
        }
        chat.messages.removeSubrange(index...)
        attention.selected = nil
        attention.shown = nil
        attention.rows = AttentionRows()
        attention.probe = nil
        attention.looks = nil
        chat.scroll = 0
        return [.store(.truncate(to: index))]
    }
}
