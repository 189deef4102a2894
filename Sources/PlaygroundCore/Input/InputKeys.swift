import Terminal

extension InputPanel {
    static let bindings: [KeyBinding] = [
        KeyBinding(
            [.character("?")], "this help", hint: "help", when: { $0.input.isEmpty },
            change: { $0.overlay = .help(scroll: 0) }),
        KeyBinding([Key(.enter)], "send, or run a command") { state, now in state.submit(now) },
        KeyBinding([.control("j"), Key(.enter, .alt)], "new line", change: { $0.input.insert("\n") }),
        KeyBinding([Key(.tab)], "complete a path or a command", when: { !$0.input.isEmpty }) { state, _ in
            Completion.request(&state)
        },
        KeyBinding([Key(.up)], "earlier line", change: { $0.input.recall(-1) }),
        KeyBinding([Key(.down)], "later line", change: { $0.input.recall(1) }),
        KeyBinding(
            back: [Key(.left)], forward: [Key(.right)], "over the tokens, when nothing is typed", hint: "token",
            when: { $0.input.isEmpty && $0.shownToken != nil }, step: { $0.scrub($1) }),
        KeyBinding(back: [Key(.left)], forward: [Key(.right)], "", step: { $0.input.move($1) }),
        KeyBinding([Key(.home), .control("a")], "start of the line", change: { $0.input.moveToStart() }),
        KeyBinding([Key(.end), .control("e")], "end of the line", change: { $0.input.moveToEnd() }),
        KeyBinding([.alt("b")], "back one word", change: { $0.input.moveWord(-1) }),
        KeyBinding([.alt("f")], "forward one word", change: { $0.input.moveWord(1) }),
        KeyBinding([Key(.backspace)], "", change: { $0.input.deleteBackward() }),
        KeyBinding([Key(.delete)], "", change: { $0.input.deleteForward() }),
        KeyBinding(
            [.control("w"), Key(.backspace, .alt)], "delete the word before", change: { $0.input.deleteWord() }),
        KeyBinding([.control("u")], "delete to the start", change: { $0.input.deleteToStart() }),
        KeyBinding([.control("k")], "delete to the end", change: { $0.input.deleteToEnd() }),
        KeyBinding([.control("d")], "quit, when nothing is typed", when: { $0.input.isEmpty }) { state, _ in
            state.askToQuit()
        },
        KeyBinding([.control("d")], "", change: { $0.input.deleteForward() }),
        KeyBinding(
            [Key(.escape)], "", hint: "layers, heads",
            when: { !$0.engine.isBusy && $0.input.isEmpty && $0.shownToken != nil },
            change: { $0.focus = .attention }),
        KeyBinding(
            [Key(.escape)], "stop; clear the line; to the attention panel", when: { !$0.engine.isBusy },
            change: { state in
                if state.input.isEmpty { state.focus = .attention } else { state.input.clear() }
            }),
    ]
}
