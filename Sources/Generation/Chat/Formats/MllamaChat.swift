import Foundation

/// Llama 3.2 Vision: as Llama 3.1, with `<|image|>` where a picture is, and no system message of the template's own then.
struct MllamaChat: ChatStyle {
    var bos = "<|begin_of_text|>"
    var dateLine = Llama3Chat.DateLine.today
    var knowledge = "December 2023"
    /// The later template writes a person's system message even with pictures; the first one refuses it.
    var keepsSystemWithPictures = false

    var name: String { "mllama" }
    var stopStrings: [String] { ["<|eot_id|>", "<|eom_id|>"] }
    var imagePlaceholder: String? { "<|image|>" }

    init() {}

    init?(_ template: ChatTemplate) {
        guard template.has("«<|image|>»"),
            template.has("«<|start_header_id|>»+message[«role»]+«<|end_header_id|>\n\n»"),
            let cutoff = template.capture("Cutting Knowledge Date: ", "\n"), let line = Llama3Chat.dateLine(template)
        else { return nil }
        (bos, knowledge, dateLine) = (template.bos, cutoff, line)
        keepsSystemWithPictures = template.has("user_supplied_system_message")
        guard keepsSystemWithPictures || template.has("raise_exception(«Prompting with images") else { return nil }
    }

    func write(_ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date, to text: inout ChatText) throws {
        text.markup(bos)
        var turns = messages[...]
        let system = messages.first.flatMap { $0.role == .system ? $0.text.stripped : nil }
        if system != nil { turns = turns.dropFirst() }
        let hasPictures = turns.contains { !$0.pictures.isEmpty }
        if hasPictures, !keepsSystemWithPictures, let system, !system.isEmpty {
            throw GenerationError.conversation(
                format: name, problem: "this model takes either pictures or a system message")
        }
        if !hasPictures || (keepsSystemWithPictures && system != nil) {
            Llama3Chat.writeSystem(system ?? "", dateLine: dateLine, knowledge: knowledge, date: date, to: &text)
        }
        for message in turns {
            text.markup("<|start_header_id|>\(message.role.rawValue)<|end_header_id|>\n\n")
            text.markup(String(repeating: "<|image|>", count: message.pictures.count))
            text.content(message.text)
            text.markup("<|eot_id|>")
        }
        if addingGenerationPrompt { text.markup("<|start_header_id|>assistant<|end_header_id|>\n\n") }
    }
}
