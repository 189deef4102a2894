import Foundation
import Models
import Tokenization

/// How a chat model wants a conversation written: roles, ends of turns, places of pictures, a system message of its own.
///
/// `ChatFormat.recognized(in:)` finds a checkpoint's own format from its chat template; the text it renders is then that
/// of transformers' `apply_chat_template`. `ChatFormat.named(_:)` gives one by name.
package struct ChatFormat: Sendable {
    let style: any ChatStyle

    /// As `--chat-format` takes it.
    package var name: String { style.name }
    /// Texts that end an answer.
    package var stopStrings: [String] { style.stopStrings }
    /// What stands in the text for a picture; `nil` for formats without pictures.
    package var imagePlaceholder: String? { style.imagePlaceholder }

    init(_ style: any ChatStyle) { self.style = style }

    /// Every format, in its plain form.
    package static let all: [ChatFormat] = [
        ChatFormat(ChatML()), ChatFormat(Llama2Chat()), ChatFormat(Llama3Chat()),
        ChatFormat(Llama3Chat(dateLine: .today)),
        ChatFormat(MllamaChat()), ChatFormat(VicunaChat()), ChatFormat(SmolVLMChat()), ChatFormat(MistralChat()),
        ChatFormat(MistralChat.version3), ChatFormat(GemmaChat()), ChatFormat(GemmaChat(hasSystem: true)),
        ChatFormat(Phi3Chat()),
        ChatFormat(ZephyrChat()),
    ]

    /// The format of this name.
    /// - Throws: `GenerationError.unknownChatFormat` with the names there are.
    package static func named(_ name: String) throws -> ChatFormat {
        guard let format = all.first(where: { $0.name == name.lowercased() }) else {
            throw GenerationError.unknownChatFormat(name, known: all.map(\.name))
        }
        return format
    }

    /// Readers of templates, those that ask for more before those that ask for less.
    private static let readers: [any ChatStyle.Type] = [
        MllamaChat.self, Llama3Chat.self, SmolVLMChat.self, VicunaChat.self, Llama2Chat.self, MistralChat.self,
        GemmaChat.self, Phi3Chat.self,
        ZephyrChat.self, ChatML.self,
    ]

    /// The format that a checkpoint's own chat template describes.
    /// - Throws: `GenerationError.unrecognizedChatTemplate` where there is none, or none that is known here; the message
    ///   says how to name one. `CheckpointError` for damaged files.
    package static func recognized(in files: ModelFiles) throws -> ChatFormat {
        guard let template = try ChatTemplate.find(in: files) else {
            throw GenerationError.unrecognizedChatTemplate(file: files.path, isPresent: false, known: all.map(\.name))
        }
        return try recognized(template)
    }

    static func recognized(_ template: ChatTemplate) throws -> ChatFormat {
        for reader in readers {
            if let style = reader.init(template) { return ChatFormat(style) }
        }
        throw GenerationError.unrecognizedChatTemplate(file: template.file, isPresent: true, known: all.map(\.name))
    }

    // MARK: Rendering

    /// The conversation as pieces, told apart by who wrote them.
    /// - Parameters:
    ///   - addingGenerationPrompt: ends with the beginning of an answer.
    ///   - date: what formats that tell the model the date write.
    /// - Throws: `GenerationError.conversation` for one that the format cannot express, as its template would.
    package func text(_ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date = Date()) throws -> ChatText {
        if style.imagePlaceholder == nil, messages.contains(where: { !$0.pictures.isEmpty }) {
            throw GenerationError.conversation(format: name, problem: "it has no place for pictures")
        }
        var text = ChatText()
        try style.write(messages, addingGenerationPrompt: addingGenerationPrompt, date: date, to: &text)
        return text
    }

    /// The conversation as one text. It holds the begin-of-text token where the template writes it.
    package func render(_ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date = Date()) throws -> String {
        try text(messages, addingGenerationPrompt: addingGenerationPrompt, date: date).string
    }
}

extension ChatText {
    /// The tokens of the text. What people wrote never becomes a special token; the tokenizer's own begin of text is added
    /// unless the format has written one.
    package func tokens(_ tokenizer: Tokenizer) -> [Int] {
        let pieces = segments.map { (text: $0.text, isMarkup: $0.isMarkup) }
        let plain = tokenizer.encode(pieces, addSpecialTokens: false)
        // What the tokenizer puts around every text: the begin of text, and for some an end, which a prompt must not have.
        guard let begin = tokenizer.encode("a").first, tokenizer.isSpecial(begin), begin != plain.first else {
            return plain
        }
        return [begin] + plain
    }
}

/// One family of formats.
protocol ChatStyle: Sendable {
    var name: String { get }
    var stopStrings: [String] { get }
    var imagePlaceholder: String? { get }

    /// Reads the format off a template, if it is one of the family.
    init?(_ template: ChatTemplate)

    func write(_ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date, to text: inout ChatText) throws
}

extension ChatStyle {
    var imagePlaceholder: String? { nil }

    /// Checks that user and assistant take turns, the user first.
    func requireTurns(_ messages: some Collection<ChatMessage>) throws {
        for (index, message) in messages.enumerated() where (message.role == .user) != (index % 2 == 0) {
            throw GenerationError.conversation(
                format: name,
                problem:
                    "user and assistant have to take turns, the user first; message \(index + 1) is the \(message.role.rawValue)'s"
            )
        }
    }
}
