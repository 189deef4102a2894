import Foundation
import Terminal

// Keys, paste, mouse.
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
                text.filter { $0 == "\n" || !$0.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F } })
            return []
        case .mouse(let action, let x, let y): return mouse(action, x, y)
        case .key(let key):
            notice = nil
            if let effects = handleInOverlay(key, now) { return effects }
            if let binding = KeyMap.binding(for: key, self) { return binding.run(&self, key, now) }
            if focus == .input, case .character(let character) = key.code, key.modifiers.isEmpty {
                let wasEmpty = input.isEmpty
                input.insert(String(character))
                if wasEmpty && character == "q" { say(.information, Self.howToLeave) }
            }
            return []
        }
    }

    /// nil when nothing lies over the screen.
    private mutating func handleInOverlay(_ key: Key, _ now: Date) -> [Effect]? {
        let isClosing = key.code == .escape || key == .character("q") || key == .control("c")
        switch overlay {
        case nil: return nil
        case .help(let scroll):
            let last = max(0, HelpScreen.lineCount() - size.height + 2)
            switch key.code {
            case _ where isClosing, .enter, .character("?"), .function(1): overlay = nil
            case .down, .character("j"): overlay = .help(scroll: min(last, scroll + 1))
            case .up, .character("k"): overlay = .help(scroll: max(0, scroll - 1))
            case .pageDown, .character(" "): overlay = .help(scroll: min(last, scroll + size.height - 4))
            case .pageUp: overlay = .help(scroll: max(0, scroll - size.height + 4))
            default: break
            }
            return []
        case .models(let selected):
            switch key.code {
            case .down, .character("j"): overlay = .models(selected: min(max(0, engine.models.count - 1), selected + 1))
            case .up, .character("k"): overlay = .models(selected: max(0, selected - 1))
            case .enter where engine.models.indices.contains(selected):
                overlay = nil
                return choose(engine.models[selected].name, now)
            case _ where isClosing, .enter: overlay = nil
            default: break
            }
            return []
        case .conversations(let selected):
            let last = max(0, conversations.count - 1)
            switch key.code {
            case .down, .character("j"): overlay = .conversations(selected: min(last, selected + 1))
            case .up, .character("k"): overlay = .conversations(selected: max(0, selected - 1))
            case .pageDown: overlay = .conversations(selected: min(last, selected + 10))
            case .pageUp: overlay = .conversations(selected: max(0, selected - 10))
            case .enter where conversations.indices.contains(selected):
                overlay = nil
                return isFreeToSend() ? [.store(.open(conversations[selected].id))] : []
            case .character("d"), .delete:
                guard conversations.indices.contains(selected) else { return [] }
                overlay = .deleteQuestion(conversations[selected])
            case _ where isClosing, .enter: overlay = nil
            default: break
            }
            return []
        case .plan: return handleInPlan(key)
        case .alternatives(let selected): return handleAlternatives(key, selected, now)
        case .comparison(let scroll):
            switch key.code {
            case .down, .character("j"): overlay = .comparison(scroll: scroll + 1)
            case .up, .character("k"): overlay = .comparison(scroll: max(0, scroll - 1))
            default: overlay = nil
            }
            return []
        case .deleteQuestion(let conversation):
            overlay = .conversations(selected: conversations.firstIndex(of: conversation) ?? 0)
            return key == .character("y") ? [.store(.delete(conversation.id))] : []
        case .tour(let step):
            handleInTour(key, step: step)
            return []
        case .quitQuestion:
            switch key {
            case .character("y"), .character("q"), .control("c"), Key(.enter): return [.quit(.done)]
            default: overlay = nil
            }
            return []
        }
    }

    private mutating func mouse(_ action: InputEvent.MouseAction, _ x: Int, _ y: Int) -> [Effect] {
        guard overlay == nil else { return [] }
        let layout = layout
        guard let part = layout.parts.first(where: { $0.rect.contains(x: x, y: y) }), let target = part.focus else {
            return []
        }
        switch action {
        case .press:
            focus = target
            if target == .chat, let place = ChatPanel.token(at: x, y, self, in: part.rect) { select(place) }
            if target == .attention { point(at: x, y, in: part.rect) }
        case .scrollUp: if target == .chat { scrollChat(3) } else if target == .attention { scrub(-1) }
        case .scrollDown: if target == .chat { scrollChat(-3) } else if target == .attention { scrub(1) }
        case .release: break
        }
        return []
    }

    /// A click on a patch, a moment or a word asks who looked there.
    private mutating func point(at x: Int, _ y: Int, in rect: Rect) {
        let hit = AttentionPanel.hit(x: x, y: y, self, in: rect)
        if let token = hit.token { select(token) }
        if let probe = hit.probe { ask(about: probe) }
    }

    mutating func scrollChat(_ lines: Int) {
        guard let rect = layout.chat else { return }
        let most = ChatPanel.furthestScroll(self, in: rect)
        chat.scroll = max(0, min(most, chat.scroll + lines))
    }

    /// Esc and Ctrl-C while something runs.
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

    static let howToLeave = "to leave: Ctrl-D or /quit"

    /// Sends the line, or runs it when it is a command.
    mutating func submit(_ now: Date) -> [Effect] {
        let line = input.take().trimmingCharacters(in: .whitespacesAndNewlines)
        if line.isEmpty { return attachments.isEmpty ? [] : send(text: "", now) }
        if ["q", ":q", "quit", "exit"].contains(line) {
            say(.information, Self.howToLeave)
            return []
        }
        if let path = Completion.droppedSound(line) { return send(audio: path, now) }
        if let path = Completion.droppedPicture(line) { return attach(path) }
        if line.hasPrefix("/") { return SlashCommand.run(line, &self, now) }
        return send(text: line, now)
    }
}
