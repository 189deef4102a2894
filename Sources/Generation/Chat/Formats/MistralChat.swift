import Foundation

/// Mistral: `[INST] … [/INST] … </s>`, with the blanks that each version of its tokenizer has around them, and the system
/// message before the first or the last words of the user.
struct MistralChat: ChatStyle {
    enum SystemPlace: Sendable, Hashable {
        case none, firstTurn, lastTurn
    }

    var name = "mistral"
    var bos = "<s>"
    var eos = "</s>"
    var user = (before: "[INST] ", after: " [/INST]")
    var assistant = (before: "", after: "")
    var stripsAssistant = false
    var systemPlace = SystemPlace.none

    var stopStrings: [String] { [eos] }

    init() {}

    /// The spacing of the third version of the tokenizer.
    static var version3: MistralChat {
        var chat = MistralChat()
        chat.name = "mistral-v3"
        chat.user = ("[INST] ", "[/INST]")
        chat.assistant = (" ", "")
        chat.systemPlace = .lastTurn
        return chat
    }

    init?(_ template: ChatTemplate) {
        let userTurn = /\{\{«([^«»]*\[INST\][^«»]*)»\+message\[«content»\]\+«([^«»]*\[\/INST\][^«»]*)»\}\}/
        let answer = /\{\{(?:«([^«»]*)»\+)?message\[«content»\](\|trim)?\+eos_token(?:\+«([^«»]*)»)?\}\}/
        guard let own = template.expressions.firstMatch(of: userTurn),
            let reply = template.expressions.firstMatch(of: answer),
            template.has("{{bos_token}}"), template.has("raise_exception("), !template.has("SYSTEM_PROMPT"),
            !template.has("<<SYS>>")
        else { return nil }
        (bos, eos) = (template.bos, template.eos)
        user = (String(own.1), String(own.2))
        assistant = (reply.1.map(String.init) ?? "", reply.3.map(String.init) ?? "")
        stripsAssistant = reply.2 != nil
        if user.after.hasPrefix("[") { name = "mistral-v3" }
        if template.has("system_message") {
            guard template.has("{{«\(user.before)»+system_message+«\n\n»+message[«content»]+«\(user.after)»}}") else {
                return nil
            }
            if template.has("loop[«first»]and system_message is defined") {
                systemPlace = .firstTurn
            } else if template.has("loop[«last»]and system_message is defined") {
                systemPlace = .lastTurn
            } else {
                return nil
            }
        }
    }

    func write(_ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date, to text: inout ChatText) throws {
        text.markup(bos)
        var turns = messages[...]
        var system: String?
        if systemPlace != .none, let first = messages.first, first.role == .system {
            system = first.text
            turns = turns.dropFirst()
        }
        try requireTurns(turns)
        for (index, message) in turns.enumerated() {
            if message.role == .user {
                text.markup(user.before)
                if let system, index == (systemPlace == .firstTurn ? 0 : turns.count - 1) {
                    text.content(system)
                    text.markup("\n\n")
                }
                text.content(message.text)
                text.markup(user.after)
            } else {
                text.markup(assistant.before)
                text.content(stripsAssistant ? message.text.stripped : message.text)
                text.markup(eos + assistant.after)
            }
        }
    }
}
