import Foundation

/// Llama 2: `<s>[INST] … [/INST] … </s>`, the system message within the first turn of the user.
struct Llama2Chat: ChatStyle {
    var bos = "<s>"
    var eos = "</s>"

    var name: String { "llama2" }
    var stopStrings: [String] { [eos] }

    init() {}

    init?(_ template: ChatTemplate) {
        guard template.has("{{bos_token+«[INST] »+content.strip()+« [/INST]»}}"),
            template.has("{{« »+content.strip()+« »+eos_token}}"),
            template.has("«<<SYS>>\n»+system_message+«\n<</SYS>>\n\n»+message[«content»]"),
            // A variant has a system message of its own.
            template.has("set system_message=false"), !template.has("USE_DEFAULT_PROMPT"), !template.has("«<<SYS>>»in")
        else { return nil }
        bos = template.bos
        eos = template.eos
    }

    func write(_ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date, to text: inout ChatText) throws {
        let system = messages.first.flatMap { $0.role == .system ? $0.text : nil }
        let turns = messages.dropFirst(system == nil ? 0 : 1)
        try requireTurns(turns)
        for (index, message) in turns.enumerated() {
            var content = ChatText()
            if let system, index == 0 {
                content.markup("<<SYS>>\n")
                content.content(system)
                content.markup("\n<</SYS>>\n\n")
            }
            content.content(message.text)
            text.markup(message.role == .user ? bos + "[INST] " : " ")
            text.append(content.stripped())
            text.markup(message.role == .user ? " [/INST]" : " " + eos)
        }
    }
}
