import Foundation

/// Zephyr and TinyLlama: `<|user|>⏎ … </s>⏎<|assistant|>⏎`.
struct ZephyrChat: ChatStyle {
    var eos = "</s>"
    /// What follows a turn.
    var turnEnd = "\n"
    /// The beginning of an answer, without the line end that may follow it.
    var answer = "<|assistant|>\n"

    var name: String { "zephyr" }
    var stopStrings: [String] { [eos] }

    init() {}

    init?(_ template: ChatTemplate) {
        /// What follows the turns of a role: within the expression, and as text behind it.
        func end(_ role: String) -> String? {
            guard let start = template.expressions.firstRange(of: "{{«<|\(role)|>\n»+message[«content»]+eos_token"),
                let match = template.expressions[start.upperBound...].prefixMatch(of: /(?:\+«([^«»]*)»)?\}\}([^{]*)\{%/)
            else { return nil }
            return (match.1.map(String.init) ?? "") + match.2
        }
        guard let user = end("user"), end("system") == user, end("assistant") == user,
            let prompt = template.expressions.firstMatch(of: /\{\{«(<\|assistant\|>\n?)»\}\}([^{]*)/),
            template.asksForAnswer
        else { return nil }
        eos = template.eos
        turnEnd = user
        answer = String(prompt.1) + String(prompt.2)
    }

    func write(_ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date, to text: inout ChatText) {
        for message in messages {
            text.markup("<|\(message.role.rawValue)|>\n")
            text.content(message.text)
            text.markup(eos + turnEnd)
        }
        if addingGenerationPrompt { text.markup(answer) }
    }
}
