import Foundation
import Generation
import JSON
import Server

/// `/v1/chat/completions` and `/v1/completions`.
struct TextEndpoint {
    enum Form { case chat, completion }

    private let server: OpenAIServer
    private let form: Form

    init(_ server: OpenAIServer, _ form: Form) {
        self.server = server
        self.form = form
    }

    private var model: ServedModel { server.model }

    /// A request after its body was read.
    private struct Asked {
        var request = GenerationRequest()
        var attention: AttentionRequest?
        var streams = false
        var includesUsage = false
        var logProbabilities = false
        /// vLLM's names were used: its answer's name is, too.
        var usesAliases = false
    }

    func run(_ http: HTTPRequest, _ writer: ResponseWriter) async throws {
        let body = try JSONReader(parsing: http.body, file: "the request").object()
        try server.check(model: body.stringIfPresent("model"))
        // Refused before the wait.
        _ = try AttentionRequest(body, for: model)
        let user = try body.stringIfPresent("user") ?? ""
        try await server.turn(http.client + "/" + user) { scratch in
            try await answer(asked(body, scratch), writer)
        }
    }

    // MARK: The request

    private func asked(_ body: JSONReader, _ scratch: InputScratch) throws -> Asked {
        var asked = Asked()
        for (key, plain) in [("n", 1), ("best_of", 1)] {
            if let value = try body.intIfPresent(key), value != plain {
                throw ServerError(400, "one answer at a time: \(key) should be \(plain)", parameter: key)
            }
        }
        for key in ["tools", "functions", "logit_bias", "suffix"] where !Self.isEmpty(body.value(key)) {
            throw ServerError(400, "\(key) is not supported", parameter: key)
        }
        if let format = try body.objectIfPresent("response_format"), try format.string("type") != "text" {
            throw ServerError(400, "only text is supported", parameter: "response_format")
        }
        asked.streams = try body.boolIfPresent("stream") ?? false
        asked.includesUsage = try body.objectIfPresent("stream_options")?.boolIfPresent("include_usage") ?? false
        asked.attention = try AttentionRequest(body, for: model)
        asked.usesAliases = !body.has("attention")
        if asked.attention?.format == .file, server.options.attentionFolder == nil {
            throw ServerError(
                400, "this server writes no files; start it with --attention-folder", parameter: "attention.format")
        }
        try readText(body, &asked)
        try readInput(body, scratch, &asked)
        return asked
    }

    private static func isEmpty(_ value: JSONValue?) -> Bool {
        guard let value else { return true }
        return value.arrayValue?.isEmpty ?? value.objectValue?.isEmpty ?? value.stringValue?.isEmpty ?? false
    }

    private func readText(_ body: JSONReader, _ asked: inout Asked) throws {
        var text = TextOptions()
        func number(_ key: String) throws -> Float? { try body.doubleIfPresent(key).map { Float($0) } }
        text.sampling.temperature = try number("temperature") ?? 0
        text.sampling.topP = try number("top_p").flatMap { $0 == 1 ? nil : $0 }
        text.sampling.topK = try body.intIfPresent("top_k").flatMap { $0 > 0 ? $0 : nil }
        text.sampling.minP = try number("min_p").flatMap { $0 == 0 ? nil : $0 }
        text.sampling.presencePenalty = try number("presence_penalty") ?? 0
        text.sampling.frequencyPenalty = try number("frequency_penalty") ?? 0
        text.sampling.repetitionPenalty = try number("repetition_penalty") ?? 1
        text.sampling.seed = try body.intIfPresent("seed").map { UInt64(bitPattern: Int64($0)) }
        let asksFor = try body.intIfPresent("max_completion_tokens") ?? body.intIfPresent("max_tokens")
        if let asksFor, asksFor < 1 {
            throw ServerError(400, "max_tokens should be at least 1", parameter: "max_tokens")
        }
        let most = server.options.mostTokens ?? model.abilities.contextLength
        text.maximumTokens = min(asksFor ?? (form == .chat ? most : 16), most)
        if let stop = try body.memberIfPresent("stop") {
            text.stopStrings = try stop.value.stringValue.map { [$0] } ?? stop.strings()
            guard text.stopStrings.count <= 16, text.stopStrings.allSatisfy({ !$0.isEmpty }) else {
                throw ServerError(400, "up to 16 texts, none of them empty", parameter: "stop")
            }
        }
        switch form {
        case .chat:
            asked.logProbabilities = try body.boolIfPresent("logprobs") ?? false
            text.alternatives = asked.logProbabilities ? try body.intIfPresent("top_logprobs") ?? 0 : 0
        case .completion:
            let count = try body.intIfPresent("logprobs")
            asked.logProbabilities = count != nil
            text.alternatives = count ?? 0
            text.chatForm = .raw
        }
        guard (0...20).contains(text.alternatives) else {
            throw ServerError(400, "0 to 20 alternatives are possible", parameter: "top_logprobs")
        }
        asked.request.text = text
    }

    private func readInput(_ body: JSONReader, _ scratch: InputScratch, _ asked: inout Asked) throws {
        var sound: String?
        switch form {
        case .chat:
            let read = try OpenAIMessages.read(body.member("messages")) { try scratch.path($0, folder: nil) }
            asked.request.messages = read.messages
            sound = read.sound
        case .completion:
            let prompt = try body.member("prompt")
            guard let text = prompt.value.stringValue else {
                throw ServerError(400, "should be one text", parameter: "prompt")
            }
            asked.request.messages = [ChatMessage(.user, text)]
        }
        let pictures = asked.request.messages.reduce(0) { $0 + $1.pictures.count }
        guard pictures <= server.options.mostPictures else {
            throw ServerError(
                400, "\(pictures) pictures; possible are \(server.options.mostPictures)", parameter: "messages")
        }
        if let sound {
            // A text beside the sound comes before the transcript, as in OpenAI's transcription.
            let text = asked.request.messages.last?.text ?? ""
            asked.request.speech.initialPrompt = text.isEmpty ? nil : text
            asked.request.speech.alternatives = asked.request.text.alternatives
            if body.has("max_tokens") || body.has("max_completion_tokens") {
                asked.request.speech.maximumTokensPerWindow = asked.request.text.maximumTokens
            }
            let temperature = asked.request.text.sampling.temperature
            if temperature > 0 { asked.request.speech.temperatures = [temperature] }
            asked.request.messages = []
            asked.request.sound = .file(path: sound)
        }
    }

    // MARK: The answer

    private struct Choice<Message: Encodable>: Encodable {
        let index = 0
        var message: Message?
        var delta: Message?
        var text: String?
        var logprobs: Nullable<Logprobs>
        var finishReason: Nullable<String>
        var attention: AnswerAttention?
        var attnCaptureData: [AnswerAttention.Step]?
    }

    private struct Message: Encodable {
        var role: String?
        var content: String?
        var reasoningContent: String?
    }

    private enum Logprobs: Encodable {
        case chat(TokenProbabilities.Chat)
        case completion(TokenProbabilities.Completion)

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .chat(let value): try value.encode(to: encoder)
            case .completion(let value): try value.encode(to: encoder)
            }
        }
    }

    private struct Document: Encodable {
        let id: String
        let object: String
        let created: Int
        let model: String
        var choices: [Choice<Message>]
        var usage: Usage?
    }

    private func answer(_ asked: Asked, _ writer: ResponseWriter) async throws {
        let collector = AnswerCollector(attention: asked.attention, isSpeech: asked.request.sound != nil)
        let name = UUID().uuidString.replacing("-", with: "").lowercased()
        let identifier = (form == .chat ? "chatcmpl-" : "cmpl-") + name
        let created = Int(Date().timeIntervalSince1970)
        let part = form == .chat ? (asked.streams ? "chat.completion.chunk" : "chat.completion") : "text_completion"
        let model = model.name
        @Sendable func document(_ choices: [Choice<Message>], _ usage: Usage? = nil) throws -> String {
            try JSONOutput.text(
                Document(
                    id: identifier, object: part, created: created, model: model, choices: choices, usage: usage),
                pretty: false)
        }
        guard asked.streams else {
            try await server.answer(asked.request, asked.attention, into: collector) { _ in }
            let file = try collector.writeFile(in: server.options.attentionFolder, name: identifier)
            let whole = collector.whole
            var choice = choice(whole, asked, characters: 0, geometry: collector.geometry, file: file)
            let text = asked.request.sound == nil ? whole.text : whole.text.trimmingCharacters(in: .whitespaces)
            if form == .chat {
                let thought = whole.thought.isEmpty ? nil : whole.thought
                choice.message = Message(role: "assistant", content: text, reasoningContent: thought)
            } else {
                choice.text = text
            }
            choice.finishReason = Nullable(Self.reason(collector.summary))
            return writer.send(
                try document([choice], Usage(collector.summary, tokens: whole.tokens.count)))
        }
        let form = form
        let characters = Counter()
        try await server.answer(asked.request, asked.attention, into: collector) { piece in
            let isFirst = !writer.hasStarted
            if isFirst {
                writer.start(type: "text/event-stream")
                if form == .chat {
                    var first = Choice<Message>(logprobs: Nullable(nil), finishReason: Nullable(nil))
                    first.delta = Message(role: "assistant", content: "")
                    writer.event(try document([first]))
                }
            }
            var choice = self.choice(
                piece, asked, characters: characters.value, geometry: isFirst ? collector.geometry : nil, file: nil)
            characters.value += piece.text.unicodeScalars.count
            if form == .chat {
                choice.delta = Message(
                    content: piece.text, reasoningContent: piece.thought.isEmpty ? nil : piece.thought)
            } else {
                choice.text = piece.text
            }
            writer.event(try document([choice]))
        }
        writer.start(type: "text/event-stream")
        let file = try collector.writeFile(in: server.options.attentionFolder, name: identifier)
        var last = Choice<Message>(
            logprobs: Nullable(nil), finishReason: Nullable(Self.reason(collector.summary)))
        if form == .chat { last.delta = Message() } else { last.text = "" }
        if let file { last.attention = AnswerAttention(file: file) }
        writer.event(try document([last]))
        if asked.includesUsage {
            writer.event(try document([], Usage(collector.summary, tokens: collector.whole.tokens.count)))
        }
        writer.event("[DONE]")
        writer.end()
    }

    private func choice(
        _ piece: AnswerCollector.Piece, _ asked: Asked, characters: Int, geometry: AnswerAttention.Geometry?,
        file: String?
    ) -> Choice<Message> {
        var logprobs: Logprobs?
        if asked.logProbabilities {
            let values = TokenProbabilities(piece.tokens)
            logprobs = form == .chat ? .chat(values.chat) : .completion(values.completion(from: characters))
        }
        var choice = Choice<Message>(logprobs: Nullable(logprobs), finishReason: Nullable(nil))
        if let attention = asked.attention {
            let steps = attention.format == .file ? nil : piece.steps
            choice.attention = AnswerAttention(geometry: geometry?.shown, steps: steps, file: file)
            if asked.usesAliases { choice.attnCaptureData = steps }
        }
        return choice
    }

    private static func reason(_ summary: GenerationSummary?) -> String {
        switch summary?.reason {
        case .lengthLimit: "length"
        default: "stop"
        }
    }
}

/// A number that only the model's thread changes while it answers.
private final class Counter: @unchecked Sendable {
    // Safety: the model's thread alone uses it.
    var value = 0
}

extension AnswerAttention.Geometry {
    fileprivate var shown: Self? { isEmpty ? nil : self }
}
