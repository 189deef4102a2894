import Terminal

/// The table of keys. Dispatch, help and the hints at the bottom read it.
enum KeyMap {
    /// For the help, with their titles.
    static var groups: [(title: String, bindings: [KeyBinding])] {
        let panels = Panels.all.reversed().filter { $0.focus != .input && !$0.keys.isEmpty }
        let typing = Panels.panel(.input)
        return [("Everywhere", everywhere), (typing.keysTitle, typing.keys), ("Panels", outsideInput)]
            + panels.map { ($0.keysTitle, $0.keys) }
    }

    /// The groups that hold now: those of panels, the focused one first, and those of the whole screen.
    private static func groups(for state: State) -> (own: [[KeyBinding]], common: [[KeyBinding]]) {
        let panels = Panels.all.filter { $0.takesKeys(state) }
        let focused = panels.filter { $0.focus == state.focus }, sharing = panels.filter { $0.focus != state.focus }
        return ((focused + sharing).map(\.keys), state.focus == .input ? [everywhere] : [everywhere, outsideInput])
    }

    /// The first binding of a key, those of panels before those of the whole screen.
    static func binding(for key: Key, _ state: State) -> KeyBinding? {
        let groups = groups(for: state)
        return (groups.own + groups.common.reversed()).lazy.joined().first { $0.keys.contains(key) && $0.when(state) }
    }

    /// The hints at the bottom of the screen: keys of the focused panel, and keys of the whole screen.
    static func hints(for state: State) -> (own: [KeyHint], common: [KeyHint]) {
        // In the order of the dispatch: a key that a panel takes is not shown again.
        var taken: Set<Key> = []
        func hints(_ groups: [[KeyBinding]]) -> [KeyHint] {
            groups.joined()
                .filter { binding in
                    guard !binding.hint.isEmpty, binding.when(state), taken.isDisjoint(with: binding.hintKeys) else {
                        return false
                    }
                    taken.formUnion(binding.hintKeys)
                    return true
                }
                .map { KeyHint(key: $0.hintKeys.map(\.description).joined(), label: $0.hint) }
        }
        let groups = groups(for: state)
        return (hints(groups.own), hints(groups.common))
    }

    private static let isWorking: @Sendable (State) -> Bool = { $0.engine.isBusy }

    private static let everywhere: [KeyBinding] = [
        KeyBinding([Key(.escape)], "", hint: "stop", when: isWorking) { state, _ in state.stopWork() ?? [] },
        KeyBinding([.control("c")], "stop the answer; otherwise ask to quit") { state, _ in
            if let effects = state.stopWork() { return effects }
            state.overlay = .quitQuestion
            return []
        },
        KeyBinding(
            [Key(.function(1))], "this help",
            run: { state, _ in
                state.overlay = .help(scroll: 0)
                return []
            }),
        KeyBinding([Key(.tab)], "next panel", hint: "panel", change: { $0.focus = $0.focus.next }),
        KeyBinding([Key(.tab, .shift)], "previous panel", change: { $0.focus = $0.focus.previous }),
        KeyBinding(
            back: [Key(.left, .alt), Key(.left, .control)], forward: [Key(.right, .alt), Key(.right, .control)],
            "previous and next token", step: { $0.scrub($1) }),
        KeyBinding(
            [Key(.pageUp)], "scroll the chat up", change: { $0.scrollChat(max(1, $0.size.height / 2)) }),
        KeyBinding(
            [Key(.pageDown)], "scroll the chat down", change: { $0.scrollChat(-max(1, $0.size.height / 2)) }),
        KeyBinding(
            [.control("p")], "color tokens by probability", change: { $0.chat.showsProbabilities.toggle() }),
        KeyBinding(
            [.control("o")], "models that read photographs", hint: "models for photos",
            when: { $0.hasUnfamiliarPicture }, run: { state, _ in state.offerPhotographModels() }),
        KeyBinding(
            [.control("t")], "show the thoughts before answers, or hide them",
            change: { $0.chat.showsThoughts.toggle() }),
        KeyBinding([.control("l")], "draw the screen again") { _, _ in [.redraw] },
        KeyBinding([.control("z")], "suspend") { _, _ in [.suspend] },
    ]

    private static let outsideInput: [KeyBinding] = [
        KeyBinding([.character("q")], "quit", hint: "quit") { state, _ in
            // One key must not discard typed text.
            if !state.input.isEmpty { state.overlay = .quitQuestion; return [] }
            return state.askToQuit()
        },
        KeyBinding([.character("?")], "this help", hint: "help", change: { $0.overlay = .help(scroll: 0) }),
        KeyBinding(
            [.character("/")], "type a command",
            change: { state in
                state.focus = .input
                if state.input.isEmpty { state.input.insert("/") }
            }),
        KeyBinding([.character("i"), Key(.enter)], "back to typing", change: { $0.focus = .input }),
        KeyBinding(
            [Key(.escape)], "follow the answer; back to typing", when: { !$0.engine.isBusy },
            change: { state in
                if state.attention.selected != nil { state.attention.selected = nil } else { state.focus = .input }
            }),
    ]
}

extension State {
    /// Quits, or asks first if the engine is busy.
    mutating func askToQuit() -> [Effect] {
        if !engine.isBusy { return [.quit(.done)] }
        overlay = .quitQuestion
        return []
    }
}
