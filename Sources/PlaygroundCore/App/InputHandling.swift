import Foundation
import Terminal

// Handling keys, pasted text and the mouse.
extension State {
    mutating func handle(_ event: InputEvent, _ now: Date) -> [Effect] {
        switch event {
        case .resized(let size):
            self.size = size
            return []
        case .terminate(let signal): return [.quit(.signal(signal))]
        case .paste(let text):
            guard overlay == nil else { return [] }
            focus = .input
            input.insert(
                text.filter {
                    $0 == "\n" || $0 == "\t" || !$0.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
                })
            return []
        case .mouse(let action, let x, let y): return mouse(action, x, y)
        case .key(let key):
            notice = nil
            if let overlay { return overlay.view.handle(key, &self, now) }
            if let binding = KeyMap.binding(for: key, self) { return binding.run(&self, key, now) }
            if focus == .input, case .character(let character) = key.code, key.modifiers.isEmpty {
                let wasEmpty = input.isEmpty
                input.insert(String(character))
                if wasEmpty && character == "q" { say(.information, Self.howToLeave) }
            }
            return []
        }
    }

    private mutating func mouse(_ action: InputEvent.MouseAction, _ x: Int, _ y: Int) -> [Effect] {
        guard overlay == nil, let hit = layout.panels.first(where: { $0.rect.contains(x: x, y: y) }) else { return [] }
        if action == .press { focus = hit.focus }
        Panels.panel(hit.focus).mouse(action, x: x, y: y, in: hit.rect, &self)
        return []
    }

    /// Stops the running work, for Esc and Ctrl-C; nil if nothing runs.
    mutating func stopWork() -> [Effect]? {
        switch engine.phase {
        case .encoding, .decoding:
            engine.phase = .stopping
            return [.cancelAnswer]
        case .stopping: return []
        case .listening: return stopListening()
        case .loading, .downloading: return [.cancelTransfer]
        case .idle, .failed: return nil
        }
    }

    private static let wordsToQuit = ["q", ":q", "quit", "exit"]
    static let howToLeave = "to leave: Ctrl-D or /quit"

    /// Sends the line, or runs it as a command.
    mutating func submit(_ now: Date) -> [Effect] {
        let text = input.text.trimmingCharacters(in: .whitespacesAndNewlines)
        // A message that cannot be sent now stays in the input line.
        let isMessage =
            Completion.droppedSound(text) != nil
            || !text.isEmpty && !text.hasPrefix("/") && !Self.wordsToQuit.contains(text)
        if isMessage, Completion.droppedPicture(text) == nil, !isFreeToSend() { return [] }
        let line = input.take().trimmingCharacters(in: .whitespacesAndNewlines)
        if line.isEmpty { return attachments.isEmpty ? [] : send(text: "", now) }
        if Self.wordsToQuit.contains(line) {
            say(.information, Self.howToLeave)
            return []
        }
        if let path = Completion.droppedSound(line) { return send(audio: path, now) }
        if let path = Completion.droppedPicture(line) { return attach(path) }
        if line.hasPrefix("/") { return SlashCommand.run(line, &self, now) }
        return send(text: line, now)
    }
}

extension Key {
    /// True for the keys that close an overlay.
    var closes: Bool { code == .escape || self == .character("q") || self == .control("c") }

    /// The row that the key moves to in a list of `count` rows, or `nil` for a key that does not move.
    func moved(_ selected: Int, count: Int, page: Int = 10) -> Int? {
        let step: Int
        switch code {
        case .down, .character("j"): step = 1
        case .up, .character("k"): step = -1
        case .pageDown: step = page
        case .pageUp: step = -page
        default: return nil
        }
        return max(0, min(count - 1, selected + step))
    }
}
