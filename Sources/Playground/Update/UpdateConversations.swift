import Foundation
import Support
import Terminal

// Conversations: which there are, another one, a new one.
extension State {
    mutating func learn(_ found: [ConversationStore.Summary]) -> [Effect] {
        conversations = found
        let selected = if case .conversations(let selected)? = overlay { selected } else { 0 }
        overlay = .conversations(selected: max(0, min(selected, found.count - 1)))
        return []
    }

    /// Puts a kept conversation in place of the present one. Attention is not kept with it; it comes back with new answers.
    mutating func open(_ messages: [StoredMessage], _ now: Date) -> [Effect] {
        guard isFreeToSend() else { return [] }
        clearConversation()
        chat.messages = messages.map { kept in
            let author: Message.Author =
                kept.author == "person"
                ? .person : kept.author == "fovea" ? .program(.information) : .model(Sanitizer.cells.line(kept.author))
            var message = Message(author, kept.text, audioPath: kept.audioPath, date: kept.date)
            message.attachments = kept.pictures.map { Attachment(path: $0) }
            // What was being written when the program ended will not go on.
            message.progress = kept.progress == "failed" ? .failed : kept.progress == "finished" ? .finished : .stopped
            return message
        }
        overlay = nil
        focus = .input
        return Set(messages.flatMap(\.pictures)).sorted().map { .look($0) }
            + Set(messages.compactMap(\.audioPath)).sorted().map { .outline($0) }
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

extension SlashCommand {
    static let keeping: [SlashCommand] = [
        SlashCommand(
            name: "conversations", argument: "[WORDS]",
            help: "earlier conversations, or those with these words; Enter resumes, d deletes"
        ) { _, argument, _ in
            [.store(.list(containing: argument))]
        },
        SlashCommand(name: "new", argument: "", help: "begin a new conversation; this one is kept") { state, _, _ in
            state.beginConversation()
        },
        SlashCommand(name: "rename", argument: "TITLE", help: "call this conversation something else") {
            state, argument, _ in
            guard !argument.isEmpty else { state.say(.warning, "/rename needs a title"); return [] }
            state.say(.information, "this conversation: \(argument)")
            return [.store(.rename(nil, argument))]
        },
        SlashCommand(
            name: "export", argument: "md|json|html [PATH]",
            help: "write the conversation to a file; html holds the heat maps",
            choices: { _ in ExportFormat.allCases.map(\.rawValue) }
        ) { state, argument, _ in
            let parts = argument.split(separator: " ", maxSplits: 1).map(String.init)
            guard let format = ExportFormat(rawValue: parts.first ?? "") else {
                state.say(.warning, "/export takes \(ExportFormat.allCases.map(\.rawValue).joined(separator: ", "))")
                return []
            }
            guard !state.chat.messages.isEmpty else { state.say(.warning, "nothing was said yet"); return [] }
            let path = parts.count > 1 ? Completion.unquoted(parts[1]) : "fovea-conversation.\(format.rawValue)"
            return [.save(path: path, text: format.text(of: state))]
        },
        SlashCommand(name: "save", argument: "[PATH]", help: "write the conversation as Markdown", path: .any) {
            state, argument, now in
            let path = argument.isEmpty ? "fovea-conversation.md" : Completion.unquoted(argument)
            return [.save(path: path, text: Transcript.markdown(state.chat.messages))]
        },
    ]
}
