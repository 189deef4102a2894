import Foundation
import Generation

// Sending questions and receiving answers.
extension State {
    /// Sends a recording, or queues it until a model is loaded.
    mutating func send(audio: String, _ now: Date) -> [Effect] {
        guard isFreeToSend() else { return [] }
        chat.messages.append(Message(.person, "", audioPath: audio, date: now))
        return [.keep(stored(chat.messages.count - 1)), .loadWaveform(audio)] + ask(request(for: audio), now)
    }

    /// Sends a message with its attached pictures.
    mutating func send(text: String, _ now: Date) -> [Effect] {
        guard isFreeToSend() else { return [] }
        if self.text.targetLanguage == nil, engine.abilities?.needsTargetLanguage == true {
            say(.information, "choose the language to translate into; then ↑ brings the text back")
            input.insert("/target-language ")
            return []
        }
        var message = Message(.person, text, date: now)
        message.attachments = attachments
        attachments = []
        chat.messages.append(message)
        return [.keep(stored(chat.messages.count - 1))] + ask(request(), now)
    }

    func request(for audio: String) -> GenerationRequest {
        GenerationRequest(sound: .file(path: audio), speech: speech, text: text)
    }

    /// The request for the conversation.
    /// - Parameter last: index of the last message to include; nil is the newest.
    func request(upTo last: Int? = nil) -> GenerationRequest {
        var messages: [ChatMessage] = systemPrompt.isEmpty ? [] : [ChatMessage(.system, systemPrompt)]
        for message in chat.messages[...(last ?? chat.messages.count - 1)] where message.variantOf == nil {
            switch message.author {
            case .person:
                // A recording is no turn of a text conversation.
                if message.audioPath != nil || message.spoken != nil { continue }
                messages.append(ChatMessage(.user, message.text, pictures: message.attachments.map(\.path)))
            case .model:
                if message.progress != .failed && messages.last?.role == .user {
                    messages.append(ChatMessage(.assistant, message.plainText))
                }
            case .program: break
            }
        }
        return GenerationRequest(messages: messages, speech: speech, text: text)
    }

    mutating func isFreeToSend() -> Bool {
        if case .listening = engine.phase {
            say(.warning, "still recording; Esc ends it")
            return false
        }
        if engine.isAnswering {
            say(.warning, "the model is still answering; Esc stops it")
            return false
        }
        return true
    }

    /// Sends a request to the model, or queues it until one is loaded.
    mutating func ask(_ request: GenerationRequest, _ now: Date) -> [Effect] {
        chat.scroll = 0
        attention.selected = nil
        if engine.model != nil && !engine.isBusy { return start(request, now) }
        engine.waiting = request
        if !engine.isBusy && engine.modelsKnown && engine.model == nil {
            overlay = .models(selected: 0)
        } else {
            say(.information, "sent as soon as the model is loaded")
        }
        return []
    }

    mutating func start(_ request: GenerationRequest, _ now: Date) -> [Effect] {
        chat.answer += 1
        chat.messages.append(Message(.model(engine.modelName ?? "model"), "", date: now, progress: .streaming))
        engine.phase = .encoding
        engine.rate.restart()
        notice = nil
        return [.keep(stored(chat.messages.count - 1)), .answer(chat.answer, request)]
    }

    mutating func didReceive(_ event: GenerationEvent, _ time: Double, _ now: Date) -> [Effect] {
        guard let index = chat.lastAnswer else { return [] }
        switch event {
        case .inputPrepared(.audio(let window)):
            chat.messages[index].windows.append(SoundView(window))
            if engine.phase != .stopping { engine.phase = .encoding }
            return [.readMemory]
        case .inputPrepared(.picture(let picture)):
            let view = PictureView(picture)
            if let known = chat.messages[index].pictures.firstIndex(where: { $0.index == view.index }) {
                chat.messages[index].pictures[known] = view
            } else {
                chat.messages[index].pictures.append(view)
                // The answer is most likely about the newest picture.
                attention.picture = chat.messages[index].pictures.count - 1
            }
            warnIfUnfamiliar(view, of: index, now)
            if engine.phase != .stopping { engine.phase = .encoding }
            return [.readMemory]
        case .inputPrepared(.source(let source)):
            chat.messages[index].source = SourceView(source)
            if engine.phase != .stopping { engine.phase = .encoding }
            return [.readMemory]
        case .encoded:
            engine.rate.restart()
            if engine.phase != .stopping { engine.phase = .decoding }
            return [.readMemory]
        case .token(let token):
            if engine.phase == .encoding { engine.phase = .decoding }
            let place = token.attention.isEmpty ? nil : chat.record.append(token.attention)
            chat.messages[index].capturedKinds.formUnion(token.attention.map(\.kind))
            chat.messages[index].tokens.append(TokenRecord(token, record: place))
            engine.rate.count(at: time)
            return chat.messages[index].tokens.count % 16 == 0 ? [.keep(stored(index))] : []
        case .discarded(let keeping, let reason):
            discard(keeping, in: index)
            say(.information, "decoding again: \(reason)")
            return []
        case .contextShortened(let count):
            say(.information, "the context is full: the model does not see the oldest \(count) messages any more")
            return []
        case .deviceReopened(let name):
            say(.information, "the device was opened again and the model loaded again: \(name)")
            return [.readMemory]
        case .segment(let segment):
            chat.messages[index].segments.append(segment)
            chat.messages[index].addWords(of: segment)
            return [.keep(stored(index))]
        case .finished(let summary):
            chat.messages[index].summary = summary
            chat.messages[index].progress = summary.reason == .cancelled ? .stopped : .finished
            engine.rate.settle(summary)
            return [.keep(stored(index)), .readMemory]
        }
    }

    mutating func didAnswer(_ end: TaskEnd, _ now: Date) -> [Effect] {
        engine.phase = .idle
        guard
            let index = chat.messages.lastIndex(where: {
                $0.isAnswer && ($0.progress == .streaming || $0.progress == .finished || $0.progress == .stopped)
            })
        else { return [.readMemory] }
        switch end {
        case .done: if chat.messages[index].progress == .streaming { chat.messages[index].progress = .finished }
        case .cancelled: chat.messages[index].progress = .stopped
        case .failed(let reason):
            chat.messages[index].progress = .failed
            engine.phase = .failed(reason)
            report(reason, now)
        }
        let kept: [Effect] = [.keep(stored(index)), .readMemory]
        // The model chosen while this one answered.
        guard let wanted = engine.wanted else { return kept }
        engine.wanted = nil
        return kept + choose(wanted, now)
    }

    /// Removes the tokens of the current window after the first `keeping`.
    private mutating func discard(_ keeping: Int, in index: Int) {
        guard let window = chat.messages[index].tokens.last?.window ?? chat.messages[index].windows.last?.index else {
            return
        }
        let first = chat.messages[index].tokens.firstIndex { $0.window == window } ?? chat.messages[index].tokens.count
        let count = min(chat.messages[index].tokens.count, first + max(0, keeping))
        // The newest tokens are last in the record as well.
        if let kept = chat.messages[index].tokens[count...].compactMap(\.record).first {
            chat.record.truncate(to: kept)
        }
        chat.messages[index].tokens.removeSubrange(count...)
        chat.messages[index].words.removeAll { $0.tokens.upperBound > count }
        if attention.rows.subject?.message == index { attention.rows.forget(after: count) }
        attention.shown = nil
        if let selected = attention.selected, selected.message == index, selected.token >= count {
            attention.selected = nil
        }
    }

    func stored(_ index: Int) -> StoredMessage {
        let message = chat.messages[index]
        let author: String =
            switch message.author {
            case .person: "person"
            case .model(let name): name
            case .program: "fovea"
            }
        return StoredMessage(
            position: index, author: author,
            text: message.spoken.map { "(microphone, \(Figures.fixed($0.seconds, 1)) s)" } ?? message.plainText,
            audioPath: message.audioPath, pictures: message.attachments.map(\.path), date: message.date,
            progress: "\(message.progress)")
    }
}
