import Foundation
import Support

// Listing, opening and starting conversations.
extension State {
    mutating func didListConversations(_ found: [ConversationSummary]) -> [Effect] {
        conversations = found
        let selected = if case .conversations(let selected)? = overlay { selected } else { 0 }
        overlay = .conversations(selected: max(0, min(selected, found.count - 1)))
        return []
    }

    /// Opens a saved conversation. Attention is not saved; new answers bring it again.
    mutating func didOpenConversation(_ messages: [StoredMessage], _ now: Date) -> [Effect] {
        guard isFreeToSend() else { return [] }
        clearConversation()
        chat.messages = messages.map { kept in
            let author: Message.Author =
                kept.author == "person"
                ? .person : kept.author == "fovea" ? .program(.information) : .model(Sanitizer.cells.line(kept.author))
            var message = Message(author, kept.text, audioPath: kept.audioPath, date: kept.date)
            message.attachments = kept.pictures.map { Attachment(path: $0) }
            // An answer that was incomplete when the program ended stays stopped.
            message.progress = kept.progress == "failed" ? .failed : kept.progress == "finished" ? .finished : .stopped
            return message
        }
        overlay = nil
        focus = .input
        return Set(messages.flatMap(\.pictures)).sorted().map { .loadThumbnail($0) }
            + Set(messages.compactMap(\.audioPath)).sorted().map { .loadWaveform($0) }
    }

    mutating func beginConversation() -> [Effect] {
        guard isFreeToSend() else { return [] }
        clearConversation()
        say(.information, "a new conversation")
        return [.store(.begin)]
    }

    private mutating func clearConversation() {
        chat.answer += 1
        chat.messages = []
        chat.scroll = 0
        chat.record.removeAll()
        attention.selected = nil
        attention.shown = nil
        attention.rows = AttentionRows()
        attention.probe = nil
        attention.looks = nil
        attention.movesProbe = false
        attachments = []
        input.suggest(engine.sample?.questions ?? [])
        comparison = nil
    }
}
