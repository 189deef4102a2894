import ChatTemplates
import Foundation
import Models
import Tokenization

/// The form in which a chat model wants a conversation: roles, ends of turns, places of pictures, a system message.
///
/// It is a chat template, rendered as transformers' `apply_chat_template` does. `ChatFormat(from:)` takes the template of
/// a checkpoint; `ChatFormat.named(_:)` gives one of our own by name, for files that have none.
package struct ChatFormat: Sendable {
    /// The name as error messages write it.
    let title: String
    /// Texts that end an answer.
    let stopStrings: [String]
    /// Text of the template between an answer and the next message: an answer ends where it begins. Empty where
    /// `stopStrings` says all.
    private let turnEnd: String
    /// The text of every message goes into a list of parts, which some templates require.
    private let wantsParts: Bool
    /// The template writes something for a picture.
    private let takesPictures: Bool
    private let renderer: Renderer
    /// The texts around thoughts.
    let thoughtMarks: ThoughtMarks

    // MARK: Formats

    /// The format of a checkpoint's own template.
    /// - Throws: `GenerationError.noChatTemplate` where there is none, `GenerationError.chatTemplate` for one that cannot
    ///   be read; both messages name `--chat-format`. `CheckpointError` for damaged files.
    package init(from files: ModelFiles) throws {
        guard let template = try ChatTemplate.find(in: files) else {
            throw GenerationError.noChatTemplate(file: files.path, known: Self.names)
        }
        try self.init(template)
    }

    init(_ template: ChatTemplate) throws {
        try self.init(
            template, title: "chat template in \((template.file as NSString).lastPathComponent)",
            stopStrings: template.tokens["eos_token"].map { [$0] } ?? [], learnsTurnEnd: true)
    }

    /// The format of this name.
    /// - Throws: `GenerationError.unknownChatFormat` with the names there are.
    package static func named(_ name: String) throws -> ChatFormat {
        guard let format = NamedFormat.all.first(where: { $0.name == name.lowercased() }) else {
            throw GenerationError.unknownChatFormat(name, known: names)
        }
        let tokens = ["bos_token": format.bos, "eos_token": format.eos]
        return try ChatFormat(
            ChatTemplate(file: format.name, source: format.template, tokens: tokens),
            title: "chat format \(format.name)", stopStrings: format.stopStrings, learnsTurnEnd: false)
    }

    /// As `--chat-format` takes them.
    package static var names: [String] { NamedFormat.all.map(\.name) }

    private init(_ template: ChatTemplate, title: String, stopStrings: [String], learnsTurnEnd: Bool) throws {
        self.title = title
        self.stopStrings = stopStrings
        thoughtMarks = ThoughtMarks(in: template.source)
        let renderer = try Renderer(template, title: title)
        self.renderer = renderer
        // Templates do not say what they take: a message that is looked for in the text tells.
        let probe = "fovea probe message", answer = "fovea probe answer"
        func text(_ messages: [ChatMessage], parts: Bool) -> String {
            (try? renderer.text(messages, inParts: parts, addingGenerationPrompt: false, date: Date()).string) ?? ""
        }
        let question = [ChatMessage(.user, probe)]
        let inParts = text(question, parts: true)
        let wantsParts = !text(question, parts: false).contains(probe) && inParts.contains(probe)
        self.wantsParts = wantsParts
        let withPicture = text([ChatMessage(.user, probe, pictures: [""])], parts: true)
        takesPictures = withPicture.contains(probe) && withPicture != inParts
        let turns = text(
            question + [ChatMessage(.assistant, answer), ChatMessage(.user, probe)], parts: wantsParts)
        let end = turns.firstRange(of: answer).map { turns[$0.upperBound...] } ?? ""
        turnEnd = learnsTurnEnd ? String(end.firstRange(of: probe).map { end[..<$0.lowerBound] } ?? end) : ""
    }

    // MARK: Rendering

    /// The conversation as pieces, told apart by who wrote them.
    /// - Parameters:
    ///   - addingGenerationPrompt: ends with the beginning of an answer.
    ///   - date: what formats that tell the model the date write.
    ///   - thinking: `enable_thinking` of the template; nil leaves its default.
    /// - Throws: `GenerationError.conversation` for one that the format refuses.
    package func text(
        _ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date = Date(), thinking: Bool? = nil
    ) throws -> ChatText {
        if !takesPictures, messages.contains(where: { !$0.pictures.isEmpty }) {
            throw GenerationError.conversation(format: title, problem: "it has no place for pictures")
        }
        return try renderer.text(
            messages, inParts: wantsParts, addingGenerationPrompt: addingGenerationPrompt, date: date,
            thinking: thinking)
    }

    // MARK: Ends of answers

    /// The end of an answer: tokens if the vocabulary has them, else strings.
    func ends(_ tokenizer: Tokenizer) -> (tokens: Set<Int>, strings: [String]) {
        var tokens: Set<Int> = []
        var strings: [String] = []
        for stop in stopStrings {
            if let id = tokenizer.id(of: stop) { tokens.insert(id) } else { strings.append(stop) }
        }
        let end = tokenizer.encode([(text: turnEnd, isMarkup: true)], addSpecialTokens: false)
        if let special = end.first(where: tokenizer.isSpecial) {
            tokens.insert(special)
        } else {
            let text = turnEnd.trimmingCharacters(in: .whitespacesAndNewlines)
            if !text.isEmpty, !strings.contains(text) { strings.append(text) }
        }
        return (tokens, strings)
    }
}

/// Gives a template the variables that transformers gives it.
private struct Renderer: Sendable {
    let template: Template
    let source: ChatTemplate
    let title: String

    init(_ source: ChatTemplate, title: String) throws {
        self.source = source
        self.title = title
        do {
            template = try Template(source.source)
        } catch {
            throw GenerationError.chatTemplate(
                file: source.file, problem: error.description, known: ChatFormat.names)
        }
    }

    /// - Parameter inParts: messages without pictures are lists of parts, too.
    func text(
        _ messages: [ChatMessage], inParts: Bool, addingGenerationPrompt: Bool, date: Date, thinking: Bool? = nil
    ) throws -> ChatText {
        var variables: [(String, TemplateValue)] = [
            ("messages", .list(messages.map { Self.value($0, inParts: inParts) })), ("tools", .none),
            ("documents", .none), ("add_generation_prompt", .bool(addingGenerationPrompt)),
        ]
        if let thinking { variables.append(("enable_thinking", .bool(thinking))) }
        variables += source.tokens.map { ($0.key, .string($0.value)) }
        do {
            return ChatText(try template.render(variables, date: Self.date(date)))
        } catch {
            guard error.kind == .raised else {
                throw GenerationError.chatTemplate(
                    file: source.file, problem: error.description, known: ChatFormat.names)
            }
            throw GenerationError.conversation(format: title, problem: error.problem)
        }
    }

    private static func value(_ message: ChatMessage, inParts: Bool) -> TemplateValue {
        let text = TemplateValue.string(message.text, isInput: true)
        var content = text
        if inParts || !message.pictures.isEmpty {
            let picture = TemplateValue.mapping([("type", .string("image"))])
            let parts = Array(repeating: picture, count: message.pictures.count)
            content = .list(parts + [.mapping([("type", .string("text")), ("text", text)])])
        }
        return .mapping([("role", .string(message.role.rawValue)), ("content", content)])
    }

    private static func date(_ date: Date) -> TemplateDate {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .current
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
        return TemplateDate(
            year: parts.year ?? 1970, month: parts.month ?? 1, day: parts.day ?? 1, hour: parts.hour ?? 0,
            minute: parts.minute ?? 0, second: parts.second ?? 0)
    }
}
