import Foundation
import Generation
import Media

// Recording through the microphone.
extension State {
    static let usualListening = 10.0
    static let longestListening = 600.0
    /// Shorter sounds are ignored.
    static let shortestSound = 0.1

    /// Starts a recording; the request is sent when it ends.
    mutating func listen(_ seconds: Double, _ now: Date) -> [Effect] {
        guard isFreeToSend() else { return [] }
        if engine.isBusy {
            say(.warning, "the model is not ready yet; speak when it is")
            return []
        }
        if engine.model == nil {
            overlay = .models(selected: 0)
            return []
        }
        var message = Message(.person, "", date: now, progress: .streaming)
        message.spoken = SpokenMeter()
        chat.messages.append(message)
        chat.scroll = 0
        attention.selected = nil
        notice = nil
        engine.phase = .listening(0, of: seconds)
        return [.listen(seconds: seconds)]
    }

    private var openMeter: Int? { chat.messages.lastIndex { $0.spoken?.isOpen == true } }

    mutating func didMeasureMicrophone(_ level: Float, _ seconds: Double) -> [Effect] {
        guard case .listening(_, let most) = engine.phase, let index = openMeter else { return [] }
        engine.phase = .listening(seconds, of: most)
        chat.messages[index].spoken?.seconds = seconds
        chat.messages[index].spoken?.levels.append(level)
        return []
    }

    /// Ends the recording; a second call before the sound arrives discards it.
    mutating func stopListening() -> [Effect] {
        guard let index = openMeter else { return [] }
        if chat.messages[index].progress == .stopped {
            chat.messages[index].spoken?.isOpen = false
            engine.phase = .idle
            say(.information, "the recording is dropped")
            return []
        }
        chat.messages[index].progress = .stopped
        return [.stopListening]
    }

    mutating func didListen(_ sound: Recording, _ end: TaskEnd, _ now: Date) -> [Effect] {
        guard case .listening = engine.phase, let index = openMeter else { return [] }
        engine.phase = .idle
        chat.messages[index].spoken?.isOpen = false
        chat.messages[index].spoken?.seconds = sound.duration
        chat.messages[index].progress = .finished
        if case .failed(let reason) = end { report(reason, now) }
        guard sound.duration >= Self.shortestSound else {
            chat.messages[index].progress = .failed
            if case .failed = end { return [] }
            say(.information, "nothing was recorded")
            return []
        }
        return [.keep(stored(index))]
            + ask(GenerationRequest(sound: .recording(sound), speech: speech), now)
    }
}
