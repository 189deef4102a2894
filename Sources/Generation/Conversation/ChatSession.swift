import Checkpoint
import Compute
import Formats
import Models
import Tokenization
import Transformer

/// A model that continues text, as a partner in a conversation. Used from one executor.
///
/// The cache of keys and values stays from turn to turn: a conversation that goes on runs only what is new in it. A model
/// without a chat template has no idea of turns; it continues the last message.
public final class ChatSession {
    public let session: TextSession
    /// The checkpoint's own format; nil for one that has no template.
    private let ownFormat: Result<ChatFormat, any Error>?
    private var interventions = Interventions.none
    private var window = ConversationWindow()
    /// The last prompt and what the model said to it.
    private var last: (text: String, ids: [Int], answer: String, answerIDs: [Int])?

    /// Puts a declared model on a device.
    public init(
        _ model: any DecoderOnlyModel, from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        ownFormat = Self.format(of: files)
        session = try TextSession(model, from: files, on: device, progress: progress)
        model.tap?.selection = AttentionTap.Selection(.selfAttention)
    }

    private static func format(of files: ModelFiles) -> Result<ChatFormat, any Error>? {
        let format = Result { try ChatFormat.recognised(in: files) }
        if case .failure(GenerationError.unrecognisedChatTemplate(_, isPresent: false, _)) = format { return nil }
        return format
    }

    private var family: String { session.model.decoder.shape.name }

    private func format(_ form: TextOptions.ChatForm) throws -> ChatFormat? {
        switch form {
        case .raw: nil
        case .named(let name): try ChatFormat.named(name)
        case .automatic: try ownFormat?.get()
        }
    }
}

extension ChatSession: ModelSession {
    public static func serves(_ model: any Model) -> Bool { model is any DecoderOnlyModel }

    public static func abilities(of model: any Model, from files: ModelFiles) throws -> ModelAbilities {
        let decoder = try continuer(model, files).decoder
        return ModelAbilities(
            family: decoder.shape.name, inputs: [.text], holdsConversations: format(of: files) != nil, shownAttention: .selfAttention,
            attentionLayers: Array(0..<decoder.layerCount), attentionHeads: decoder.shape.attention.heads,
            contextLength: decoder.shape.contextLength)
    }

    public static func make(
        _ model: any Model, from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void
    ) throws -> ChatSession {
        try ChatSession(continuer(model, files), from: files, on: device, progress: progress)
    }

    private static func continuer(_ model: any Model, _ files: ModelFiles) throws -> any DecoderOnlyModel {
        guard let model = model as? any DecoderOnlyModel else {
            throw GenerationError.notATextModel(path: files.path, type: try ModelRegistry.modelType(of: files))
        }
        return model
    }

    public var bytesPerToken: Int { session.model.bytesPerToken }
    public var tokensLeft: Int? { session.decoder.positionsLeft }

    public func answer(
        _ request: GenerationRequest, isCancelled: @escaping () -> Bool, emit: @escaping (GenerationEvent) throws -> Void
    ) throws {
        let text = try request.lastText(family: family)
        if request.interventions != interventions {
            // What the cache holds was computed with other heads and keys.
            session.decoder.reset()
            interventions = request.interventions
            session.model.tap?.interventions = interventions
        }
        guard let format = try format(request.text.chatForm) else {
            let prompt = session.tokenizer.encode(text)
            try emit(.inputPrepared(.source(SourceText(prompt, tokenizer: session.tokenizer))))
            try session.generate(prompt, options: request.text, isCancelled: isCancelled, emit: emit)
            return
        }
        try converse(request, format, isCancelled: isCancelled, emit: emit)
    }

    /// Answers the last message of a conversation.
    private func converse(
        _ request: GenerationRequest, _ format: ChatFormat, isCancelled: @escaping () -> Bool,
        emit: @escaping (GenerationEvent) throws -> Void
    ) throws {
        var rendered = ""
        let (prompt, dropped) = try window.fit(request, contextLength: session.decoder.contextLength) { messages in
            let text = try format.text(messages, addingGenerationPrompt: true)
            rendered = text.string
            return tokens(text)
        }
        if dropped > 0 { try emit(.contextShortened(droppedMessages: dropped)) }
        try emit(.inputPrepared(.source(SourceText(prompt, tokenizer: session.tokenizer))))

        // The texts that end a turn are tokens of their own where the vocabulary has them.
        var options = request.text
        var ends = session.endTokens
        for stop in format.stopStrings {
            if let id = session.tokenizer.id(of: stop) { ends.insert(id) } else { options.stopStrings.append(stop) }
        }
        var said = ""
        var reason = FinishReason.cancelled
        let ids = try session.generate(prompt, options: options, endTokens: ends, isCancelled: isCancelled) { event in
            if case .token(let token) = event { said += token.text }
            if case .finished(let summary) = event { reason = summary.reason }
            try emit(event)
        }
        // A text that was cut at a stop string is not what its tokens spell.
        last = options.answerPrefix.isEmpty && reason != .stopString ? (rendered, prompt, said, ids) : nil
    }

    /// The tokens of a conversation. Where it goes on from the last answer, that answer's own tokens stand for it: written
    /// out and read again it might have others, and the cache would be of no use.
    private func tokens(_ text: ChatText) -> [Int] {
        if let last, !last.answer.isEmpty, let rest = text.dropping(prefix: last.text + last.answer) {
            let ids = session.tokenizer.encode(rest.segments.map { ($0.text, $0.isMarkup) }, addSpecialTokens: false)
            // Only a special token parts what comes before from what comes after for every tokenizer.
            if let first = ids.first, session.tokenizer.isSpecial(first) { return last.ids + last.answerIDs + ids }
        }
        return text.tokens(session.tokenizer)
    }
}

extension ChatText {
    /// What comes after a beginning, byte for byte; nil for a text that begins otherwise.
    func dropping(prefix: String) -> ChatText? {
        guard string.utf8.starts(with: prefix.utf8) else { return nil }
        var left = prefix.utf8.count
        var rest = ChatText()
        for segment in segments {
            let count = min(left, segment.text.utf8.count)
            left -= count
            let text = String(decoding: segment.text.utf8.dropFirst(count), as: UTF8.self)
            if segment.isMarkup { rest.markup(text) } else { rest.content(text) }
        }
        return rest
    }
}
