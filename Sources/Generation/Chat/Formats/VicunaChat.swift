import Foundation

/// Vicuna as LLaVA 1.5 has it: `USER: <image>⏎ … ASSISTANT: … `. The begin-of-text token is the tokenizer's to add.
struct VicunaChat: ChatStyle {
    var eos = "</s>"

    var name: String { "vicuna" }
    var stopStrings: [String] { [eos, "USER:"] }
    var imagePlaceholder: String? { "<image>" }

    init() {}

    init?(_ template: ChatTemplate) {
        guard template.has("{{message[«role»].upper()+«: »}}"), template.has("{{«<image>\n»}}"),
            template.has("{{«ASSISTANT:»}}"),
            template.has("{%if message[«role»]!=«system»%}"), template.has("{{content[«text»]+« »}}")
        else { return nil }
        if !template.eos.isEmpty { eos = template.eos }
    }

    func write(_ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date, to text: inout ChatText) {
        for message in messages {
            if message.role != .system { text.markup(message.role.rawValue.uppercased() + ": ") }
            text.markup(String(repeating: "<image>\n", count: message.pictures.count))
            text.content(message.text)
            text.markup(" ")
        }
        if addingGenerationPrompt { text.markup("ASSISTANT:") }
    }
}
