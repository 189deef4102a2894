import Foundation

/// ChatML: `<|im_start|>role⏎ … <|im_end|>⏎`. SmolLM2, Qwen 1.5 to 2.5, Hermes, Yi; with a text for each picture Fovea's own.
struct ChatML: ChatStyle {
    var bos = ""
    /// What the system says where the conversation has no such message.
    var defaultSystem: String?
    var strips = false
    var asksForAnswer = true
    var imagePlaceholder: String?

    var name: String { "chatml" }
    var stopStrings: [String] { ["<|im_end|>"] }

    init() {}

    init?(_ template: ChatTemplate) {
        let content = ["message[«content»]", "message[«content»]|trim"]
        let byRole = content.map { "«<|im_start|>»+message[«role»]+«\n»+\($0)+«<|im_end|>\n»" }
        let byBranch = content.map { "«<|im_start|>user\n»+\($0)+«<|im_end|>\n»" }
        if template.has("{{«<|im_start|>»+message[«role»]+«\n»}}"), template.has("{{«<|im_end|>\n»}}"),
            template.has("{{part[«text»]}}"),
            let picture = template.capture("{%if part[«type»]==«image»%}{{«", "»}}"), !template.isReasoning,
            !template.has("tools")
        {
            // A message in parts: its pictures, then its text.
            imagePlaceholder = picture
            bos = template.leadingBOS
            asksForAnswer = template.asksForAnswer
            return
        }
        guard template.has(any: byRole + byBranch), !template.isReasoning, !template.has("<image>"),
            !template.has("image_pad"),
            // One that always has tools to tell of.
            !template.has("for tool in tools") || template.has("if tools")
        else { return nil }
        bos = template.leadingBOS
        strips = template.has(any: [byRole[1], byBranch[1]])
        asksForAnswer = template.asksForAnswer
        // Qwen 2.5 has another branch for tools, whose system message has no end within the string.
        if template.has("[«role»]!=«system»") || template.has("[«role»]==«system»") {
            defaultSystem = template.capture("«<|im_start|>system\n", "<|im_end|>\n»")
        }
    }

    func write(_ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date, to text: inout ChatText) {
        text.markup(bos)
        if let defaultSystem, messages.first?.role != .system {
            text.markup("<|im_start|>system\n\(defaultSystem)<|im_end|>\n")
        }
        for message in messages {
            text.markup("<|im_start|>\(message.role.rawValue)\n")
            if let imagePlaceholder { text.markup(String(repeating: imagePlaceholder, count: message.pictures.count)) }
            text.content(strips ? message.text.stripped : message.text)
            text.markup("<|im_end|>\n")
        }
        if addingGenerationPrompt, asksForAnswer { text.markup("<|im_start|>assistant\n") }
    }
}
