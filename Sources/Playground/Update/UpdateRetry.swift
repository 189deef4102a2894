import Foundation

// Asking again.
extension State {
    /// The place of the newest message a person wrote.
    private var lastQuestion: Int? { chat.messages.lastIndex { $0.author == .person } }

    /// Answers the last question once more; the answer before it goes.
    mutating func retry(_ now: Date) -> [Effect] {
        guard isFreeToSend() else { return [] }
        guard let index = lastQuestion else {
            say(.warning, "nothing was asked yet")
            return []
        }
        let question = chat.messages[index]
        if question.spoken != nil {
            say(.warning, "what the microphone heard is not kept; speak again with /mic")
            return []
        }
        let effects = takeBack(from: index + 1)
        if let audio = question.audioPath { return effects + ask(request(for: audio), now) }
        return effects + ask(request(), now)
    }

    /// Puts the last question back into the line; it and its answer go.
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

    /// Removes messages from a place on, with their attention, here and where they are kept.
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
