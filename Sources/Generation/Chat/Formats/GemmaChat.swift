import Foundation

/// Gemma: `<start_of_turn>user⏎ … <end_of_turn>⏎<start_of_turn>model⏎`. Gemma 3 takes a system message, before the
/// first words of the user, and pictures.
struct GemmaChat: ChatStyle {
    var bos = "<bos>"
    var hasSystem = false

    var name: String { hasSystem ? "gemma3" : "gemma" }
    var stopStrings: [String] { ["<end_of_turn>"] }
    var imagePlaceholder: String? { hasSystem ? "<start_of_image>" : nil }

    init(hasSystem: Bool = false) { self.hasSystem = hasSystem }

    init?(_ template: ChatTemplate) {
        guard template.has("set role=«model»"), template.has("{{«<start_of_turn>model\n»}}") else { return nil }
        bos = template.has("{{bos_token}}") ? template.bos : ""
        if template.has("«<start_of_turn>»+role+«\n»+(first_user_prefix if loop[«first»]else«»)"),
            template.has("{{message[«content»]|trim}}")
        {
            hasSystem = true
        } else {
            guard template.has("«<start_of_turn>»+role+«\n»+message[«content»]|trim+«<end_of_turn>\n»"),
                template.has("raise_exception(«System role not supported»)")
            else { return nil }
        }
    }

    func write(_ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date, to text: inout ChatText) throws {
        text.markup(bos)
        var turns = messages[...]
        var system: String?
        if let first = messages.first, first.role == .system {
            guard hasSystem else {
                throw GenerationError.conversation(format: name, problem: "this model takes no system message")
            }
            system = first.text
            turns = turns.dropFirst()
        }
        try requireTurns(turns)
        for (index, message) in turns.enumerated() {
            text.markup("<start_of_turn>\(message.role == .assistant ? "model" : "user")\n")
            if index == 0, let system {
                text.content(system)
                text.markup("\n\n")
            }
            text.markup(String(repeating: imagePlaceholder ?? "", count: message.pictures.count))
            text.content(message.text.stripped)
            text.markup("<end_of_turn>\n")
        }
        if addingGenerationPrompt { text.markup("<start_of_turn>model\n") }
    }
}
