import Checkpoint
import Compute
import AttentionTypes
import NumberFormats
import Models
import Tokenization
import Transformer

/// A conversation with a model that continues text. Used from one executor.
///
/// The KV cache stays from turn to turn: the next turn runs only its new tokens, and encodes only new pictures. A model
/// without a chat template continues the last message.
package final class ChatSession: ModelSession {
    package let session: TextSession
    /// The checkpoint's own format; nil for one that has no template.
    private let ownFormat: Result<ChatFormat, any Error>?
    /// For a model whose text refers to pictures.
    private let pictures: ChatPictures?
    private var interventions = Interventions.none
    private var window = ConversationWindow()
    /// The last prompt and what the model said to it.
    private var last: (text: String, shown: ChatPictures.Shown?, ids: [Int], answer: String, answerIDs: [Int])?

    /// Puts a declared model on a device.
    package init(
        _ model: any Model, from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void
    ) throws {
        ownFormat = Self.format(of: files)
        let session = try TextSession(model, from: files, on: device, progress: progress)
        self.session = session
        pictures = try model.pictureReader.map { try ChatPictures($0, from: files, tokenizer: session.tokenizer) }
        model.tap?.selection = AttentionTap.Selection(model.capabilities.watchedAttention)
    }

    private static func format(of files: ModelFiles) -> Result<ChatFormat, any Error>? {
        let format = Result { try ChatFormat(from: files) }
        if case .failure(GenerationError.noChatTemplate) = format { return nil }
        return format
    }

    private var family: String { session.model.family }

    private func format(_ form: TextOptions.ChatForm) throws -> ChatFormat? {
        switch form {
        case .raw: nil
        case .named(let name): try ChatFormat.named(name)
        case .automatic: try ownFormat?.get()
        }
    }
}

extension ChatSession {
    package static func serves(_ model: any Model) -> Bool { model.capabilities.inputs.contains(.prompt) }
    package static func holdsConversations(_ files: ModelFiles) -> Bool { format(of: files) != nil }

    package var bytesPerToken: Int { session.model.bytesPerToken }
    package var tokensLeft: Int? { session.decoder.positionsLeft }

    package func answer(
        _ request: GenerationRequest, isCancelled: @escaping () -> Bool,
        emit: @escaping (GenerationEvent) throws -> Void
    ) throws {
        try check(request)
        let readsAnew = intervene(request.interventions)
        var shown: ChatPictures.Shown?
        var rendered = ""
        var prompt: [Int]
        var options = request.text
        var ends = session.endTokens
        var dropped = ArraySlice<ChatMessage>()
        if let format = try format(options.chatForm) {
            let count: Int
            let thinking = options.thinking
            (prompt, count) = try window.fit(request, contextLength: session.decoder.contextLength) { messages in
                let text = try format.text(messages, addingGenerationPrompt: true, thinking: thinking)
                rendered = text.string
                shown = try pictures?.load(messages)
                return try tokens(text, shown)
            }
            dropped = request.messages.drop { $0.role == .system }.prefix(count)
            if count > 0 { try emit(.contextShortened(droppedMessages: count)) }
            let formatEnds = format.ends(session.tokenizer)
            ends.formUnion(formatEnds.tokens)
            options.stopStrings += formatEnds.strings
            let marks = format.thoughtMarks
            options.thoughts = TextOptions.Thoughts(
                marks: marks, areOpen: marks.areOpen(atEndOf: rendered))
        } else {
            let message = request.messages.suffix(1)
            shown = try pictures?.load(Array(message))
            let text = message.first?.text ?? ""
            prompt = try shown.flatMap { try pictures?.tokens(raw: text, $0) } ?? session.tokenizer.encode(text)
        }
        let seconds = try show(
            shown, prompt, numberedFrom: dropped.reduce(0) { $0 + $1.pictures.count }, anew: readsAnew, emit)

        var said = ""
        var reason = FinishReason.cancelled
        var thinks = false
        let ids = try session.generate(
            prompt, options: options, endTokens: ends, encodeSeconds: seconds, isCancelled: isCancelled
        ) { event in
            if case .token(let token) = event {
                said += token.text
                thinks = thinks || token.thought != nil
            }
            if case .finished(let summary) = event { reason = summary.reason }
            try emit(event)
        }
        // A text that was cut at a stop string, or follows thoughts, is not what its tokens spell.
        let isWhole = !thinks && options.answerPrefix.isEmpty && reason != .stopString && !rendered.isEmpty
        last = isWhole ? (rendered, shown, prompt, said, ids) : nil
    }

    /// - Throws: `GenerationError.unsuitableInput` for what the model does not read.
    private func check(_ request: GenerationRequest) throws {
        func unsuitable(_ problem: String) -> GenerationError {
            .unsuitableInput(family: family, problem: problem, takes: pictures == nil ? "text" : "text and pictures")
        }
        if request.sound != nil { throw unsuitable("it does not listen") }
        if pictures == nil, request.messages.contains(where: { !$0.pictures.isEmpty }) {
            throw unsuitable("it sees no pictures")
        }
        guard let message = request.messages.last, !message.text.isEmpty || !message.pictures.isEmpty else {
            throw unsuitable("there is no text")
        }
    }

    /// - Returns: true if cached values of pictures are no longer valid.
    private func intervene(_ new: Interventions) -> Bool {
        guard new != interventions else { return false }
        // The cached keys and values were computed with other heads and keys.
        session.decoder.reset()
        session.model.tap?.interventions = new
        defer { interventions = new }
        func ofTower(_ all: Interventions) -> Interventions {
            Interventions(
                silencedHeads: all.silencedHeads.filter { $0.kind == .vision },
                hiddenKeys: all.hiddenKeys.filter { $0.key == .vision })
        }
        return ofTower(new) != ofTower(interventions)
    }

    /// Tells what the model looks at, and lets it read pictures it has not read yet.
    /// - Returns: the seconds that took.
    private func show(
        _ shown: ChatPictures.Shown?, _ prompt: [Int], numberedFrom first: Int, anew: Bool,
        _ emit: (GenerationEvent) throws -> Void
    ) throws -> Double {
        let inputs = shown.flatMap { pictures?.inputs($0, in: prompt, from: first) } ?? []
        for input in inputs { try emit(.inputPrepared(.picture(input))) }
        if inputs.isEmpty { try emit(.inputPrepared(.source(SourceText(prompt, tokenizer: session.tokenizer)))) }
        guard let shown, let pictures else { return 0 }
        let clock = ContinuousClock()
        let began = clock.now
        guard try pictures.show(shown, anew: anew) else { return 0 }
        let seconds = (clock.now - began).inSeconds
        try emit(.encoded(seconds: seconds))
        return seconds
    }

    /// The tokens of a conversation. Where it goes on from the last answer, that answer's own tokens stand for it: written
    /// out and read again it might have others, and the cache would be of no use.
    private func tokens(_ text: ChatText, _ shown: ChatPictures.Shown?) throws -> [Int] {
        if let last, !last.answer.isEmpty, let rest = text.dropping(prefix: last.text + last.answer) {
            let ids = session.tokenizer.encode(rest.segments.map { ($0.text, $0.isMarkup) }, addSpecialTokens: false)
            // Only a special token parts what comes before from what comes after for every tokenizer.
            if let first = ids.first, session.tokenizer.isSpecial(first) {
                guard let pictures, let shown, let before = last.shown else { return last.ids + last.answerIDs + ids }
                if shown.begins(with: before),
                    let new = try pictures.tokens(continuing: ids, shown, after: before.pictures.count)
                {
                    return last.ids + last.answerIDs + new
                }
            }
        }
        guard let pictures, let shown else { return text.tokens(session.tokenizer) }
        return try pictures.tokens(text, shown)
    }
}

extension ChatText {
    /// The rest after a prefix, byte for byte; nil for a text with another beginning.
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
