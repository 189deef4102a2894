import Foundation

/// SmolVLM and Idefics3: `User:<image> … <end_of_utterance>⏎`, behind a token that begins everything.
struct SmolVLMChat: ChatStyle {
    var prefix = "<|im_start|>"

    var name: String { "smolvlm" }
    var stopStrings: [String] { ["<end_of_utterance>"] }
    var imagePlaceholder: String? { "<image>" }

    init() {}

    init?(_ template: ChatTemplate) {
        guard template.has(any: ["{{message[«role»]|capitalize}}", "{{message[«role»].capitalize()}}"]),
            template.has("{%if message[«content»][0][«type»]==«image»%}{{«:»}}{%else%}{{«: »}}{%endif%}"),
            template.has("{{«<image>»}}"),
            template.has("<end_of_utterance>\n{%endfor%}"), template.has("{{«Assistant:»}}"),
            let start = template.expressions.firstRange(of: "{%for message in messages%}")
        else { return nil }
        prefix = String(template.expressions[..<start.lowerBound])
        if prefix == "{{bos_token}}" { prefix = template.bos }
        guard !prefix.contains("{") else { return nil }
    }

    func write(_ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date, to text: inout ChatText) {
        text.markup(prefix)
        for message in messages {
            text.markup(message.role.rawValue.capitalized + (message.pictures.isEmpty ? ": " : ":"))
            text.markup(String(repeating: "<image>", count: message.pictures.count))
            text.content(message.text)
            text.markup("<end_of_utterance>\n")
        }
        if addingGenerationPrompt { text.markup("Assistant:") }
    }
}
