import Foundation
import Generation

// Questions and answers.
extension State {
    /// Sends what a person gave; waits for the model when none is loaded yet.
    mutating func send(audio: String?, text: String, _ now: Date) -> [Effect] {
        if engine.isAnswering {
            say(.warning, "the model is still answering; Esc stops it")
            return []
        }
        chat.messages.append(Message(.person, text, audioPath: audio, date: now))
        chat.scroll = 0
        attention.selected = nil
        let request = AnswerRequest(text: text, audioPath: audio, language: speech.language, task: speech.task)
        let kept: [Effect] = [.keep(stored(chat.messages.count - 1))]
        if engine.model != nil && !engine.isBusy { return kept + start(request, now) }
        engine.waiting = request
        if !engine.isBusy && engine.modelsKnown && engine.model == nil {
            overlay = .models(selected: 0)
        } else {
            say(.information, "sent as soon as the model is loaded")
        }
        return kept
    }

    mutating func start(_ request: AnswerRequest, _ now: Date) -> [Effect] {
        chat.answer += 1
        chat.messages.append(Message(.model(engine.model ?? "model"), "", date: now, progress: .streaming))
        engine.phase = .encoding
        engine.rate.restart()
        notice = nil
        return [.keep(stored(chat.messages.count - 1)), .answer(chat.answer, request)]
    }

    mutating func receive(_ event: GenerationEvent, _ time: Double, _ now: Date) -> [Effect] {
        guard let index = chat.lastAnswer else { return [] }
        switch event {
        case .inputPrepared(.audio(let window)):
            chat.messages[index].windows.append(SoundView(window))
            if engine.phase != .stopping { engine.phase = .encoding }
            return [.readMemory]
        case .encoded:
            engine.rate.restart()
            if engine.phase != .stopping { engine.phase = .decoding }
            return [.readMemory]
        case .token(let token):
            if engine.phase == .encoding { engine.phase = .decoding }
            let record = TokenRecord(token)
            chat.attentionBytes += record.attention?.bytes ?? 0
            chat.messages[index].tokens.append(record)
            engine.rate.count(at: time)
            boundAttention()
            return chat.messages[index].tokens.count % 16 == 0 ? [.keep(stored(index))] : []
        case .discarded(let keeping, let reason):
            discard(keeping, in: index)
            say(.information, "decoding again: \(reason)")
            return []
        case .segment(let segment):
            chat.messages[index].segments.append(segment)
            return [.keep(stored(index))]
        case .finished(let summary):
            chat.messages[index].summary = summary
            chat.messages[index].progress = summary.reason == .cancelled ? .stopped : .finished
            engine.rate.settle(summary.tokensPerSecond)
            return [.keep(stored(index)), .readMemory]
        }
    }

    mutating func finishAnswer(_ end: TaskEnd, _ now: Date) -> [Effect] {
        engine.phase = .idle
        guard let index = chat.messages.lastIndex(where: { $0.isAnswer && ($0.progress == .streaming || $0.progress == .finished || $0.progress == .stopped) })
        else { return [.readMemory] }
        switch end {
        case .done: if chat.messages[index].progress == .streaming { chat.messages[index].progress = .finished }
        case .cancelled: chat.messages[index].progress = .stopped
        case .failed(let reason):
            chat.messages[index].progress = .failed
            engine.phase = .failed(reason)
            report(reason, now)
        }
        return [.keep(stored(index)), .readMemory]
    }

    /// Drops the tokens of the current window after the first `keeping`.
    private mutating func discard(_ keeping: Int, in index: Int) {
        guard let window = chat.messages[index].tokens.last?.window ?? chat.messages[index].windows.last?.index else { return }
        let first = chat.messages[index].tokens.firstIndex { $0.window == window } ?? chat.messages[index].tokens.count
        let count = min(chat.messages[index].tokens.count, first + max(0, keeping))
        for token in chat.messages[index].tokens[count...] { chat.attentionBytes -= token.attention?.bytes ?? 0 }
        chat.messages[index].tokens.removeSubrange(count...)
        if attention.peaks.subject?.message == index { attention.peaks.forget(after: count) }
        if let selected = attention.selected, selected.message == index, selected.token >= count { attention.selected = nil }
    }

    /// Lets go of the oldest attention once more is kept than fits the budget.
    private mutating func boundAttention() {
        guard chat.attentionBytes > chat.attentionBudget else { return }
        for message in chat.messages.indices {
            for token in chat.messages[message].tokens.indices {
                guard let attention = chat.messages[message].tokens[token].attention else { continue }
                chat.attentionBytes -= attention.bytes
                chat.messages[message].tokens[token].attention = nil
                if chat.attentionBytes <= chat.attentionBudget * 9 / 10 { return }
            }
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
            position: index, author: author, text: message.plainText, audioPath: message.audioPath, date: message.date, progress: "\(message.progress)")
    }
}
