import Foundation

/// Phi-3 and later: `<|user|>⏎ … <|end|>⏎<|assistant|>⏎`.
struct Phi3Chat: ChatStyle {
    var bos = ""
    /// Written behind a conversation that no answer is asked for.
    var eos = "<|endoftext|>"
    /// What follows roles and ends of turns; Phi-4 has nothing there.
    var newline = "\n"
    /// The first template writes the beginning of the answer with the question.
    var answersAlways = false
    /// Phi-3 Vision begins no answer behind one of its own.
    var answersUsersOnly = false
    var hasSystem = true
    var writesEmptySystem = true

    var name: String { "phi3" }
    var stopStrings: [String] { ["<|end|>"] }

    init() {}

    init?(_ template: ChatTemplate) {
        guard template.has("<|end|>"), !template.isReasoning else { return nil }
        func turn(_ role: String, _ rest: String = "") -> String {
            "«<|\(role)|>\n»+message[«content»]+«<|end|>\n\(rest)»"
        }
        bos = template.leadingBOS
        eos = ""
        if template.has("{{\(turn("user", "<|assistant|>\n"))}}"), template.has("{{message[«content»]+«<|end|>\n»}}") {
            answersAlways = true
            hasSystem = template.has(turn("system"))
            return
        }
        if template.has("«<|»+message[«role»]+«|>»+message[«content»]+«<|end|>»") {
            newline = ""
        } else if template.has(turn("user")), template.has(turn("assistant")) {
            hasSystem = template.has(turn("system"))
            writesEmptySystem = !template.has("message[«role»]==«system»and message[«content»]")
        } else if !template.has("«<|»+message[«role»]+«|>\n»+message[«content»]+«<|end|>\n»") {
            return nil
        }
        guard template.has("{{«<|assistant|>\(newline)»}}") else { return nil }
        answersUsersOnly = template.has("if add_generation_prompt and messages[-1][«role»]!=«assistant»")
        if template.has("{{«<|assistant|>\(newline)»}}{%else%}{{eos_token}}") { eos = template.eos }
    }

    func write(_ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date, to text: inout ChatText) {
        text.markup(bos)
        for message in messages {
            if message.role == .system, !hasSystem || (message.text.isEmpty && !writesEmptySystem) { continue }
            if !answersAlways || message.role != .assistant { text.markup("<|\(message.role.rawValue)|>\(newline)") }
            text.content(message.text)
            text.markup("<|end|>\(newline)")
            if answersAlways, message.role == .user { text.markup("<|assistant|>\(newline)") }
        }
        if answersAlways { return }
        let asks = addingGenerationPrompt && !(answersUsersOnly && messages.last?.role == .assistant)
        text.markup(asks ? "<|assistant|>\(newline)" : eos)
    }
}
