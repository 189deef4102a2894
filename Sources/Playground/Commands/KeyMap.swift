import Foundation
import Terminal

/// What a key does, where, and what the help says about it.
struct KeyBinding: Sendable {
    enum Place: Sendable, Hashable {
        /// Wherever the focus is.
        case anywhere
        case input
        /// In any panel, but not while typing.
        case panels
        case chat, attention

        func holds(_ state: State) -> Bool {
            switch self {
            case .anywhere: true
            case .input: state.focus == .input
            case .panels: state.focus != .input
            case .chat: state.focus == .chat
            case .attention: state.focus == .attention || state.focus == .chat
            }
        }
    }

    let keys: [Key]
    let place: Place
    /// For the help screen; empty keeps it out.
    let help: String
    /// For the bottom line; empty keeps it out.
    let hint: String
    /// Only while this holds.
    let when: @Sendable (State) -> Bool
    let run: @Sendable (inout State, Key, Date) -> [Effect]
    /// The keys as the bottom line names them.
    var hintKeys: [Key]

    init(
        _ keys: [Key], _ place: Place, _ help: String, hint: String = "",
        when: @escaping @Sendable (State) -> Bool = { _ in true },
        run: @escaping @Sendable (inout State, Date) -> [Effect]
    ) {
        hintKeys = Array(keys.prefix(1))
        self.keys = keys
        self.place = place
        self.help = help
        self.hint = hint
        self.when = when
        self.run = { state, _, now in run(&state, now) }
    }

    /// For what changes the state and nothing else.
    init(
        _ keys: [Key], _ place: Place, _ help: String, hint: String = "",
        when: @escaping @Sendable (State) -> Bool = { _ in true },
        change: @escaping @Sendable (inout State) -> Void
    ) {
        self.init(
            keys, place, help, hint: hint, when: when,
            run: { state, _ in
                change(&state)
                return []
            })
    }

    /// For keys that step one back or one forward.
    init(
        back: [Key], forward: [Key], _ place: Place, _ help: String, hint: String = "",
        when: @escaping @Sendable (State) -> Bool = { _ in true },
        step: @escaping @Sendable (inout State, Int) -> Void
    ) {
        keys = zip(back, forward).flatMap { [$0, $1] }
        self.place = place
        self.help = help
        self.hint = hint
        self.when = when
        hintKeys = Array(keys.prefix(2))
        run = { state, key, _ in
            step(&state, back.contains(key) ? -1 : 1)
            return []
        }
    }
}

/// A key and what it does, in a word or two.
struct KeyHint: Hashable {
    var key: String
    var label: String
    var width: Int { TextWidth.width(of: key) + 1 + TextWidth.width(of: label) }
}

/// All keys, as data: the dispatch, the help screen and the hints at the bottom come from here.
enum KeyMap {
    static let groups: [(title: String, bindings: [KeyBinding])] = [
        ("Everywhere", everywhere), ("Typing", typing), ("Panels", panels),
        ("Attention (also from the chat)", attention), ("Chat", chat),
    ]

    /// The first that fits; narrower places come before wider ones.
    static func binding(for key: Key, _ state: State) -> KeyBinding? {
        for bindings in [chat, attention, typing, panels, everywhere] {
            if let found = bindings.first(where: { $0.keys.contains(key) && $0.place.holds(state) && $0.when(state) }) {
                return found
            }
        }
        return nil
    }

    /// What the bottom of the screen says about keys: those of the focused part, and those of the whole.
    static func hints(for state: State) -> (own: [KeyHint], common: [KeyHint]) {
        // Narrower places first, as in the dispatch; a key that is taken there is not shown again.
        var taken: Set<Key> = []
        func hints(_ groups: [[KeyBinding]]) -> [KeyHint] {
            groups.flatMap { $0 }
                .filter { binding in
                    guard !binding.hint.isEmpty, binding.place.holds(state), binding.when(state),
                        taken.isDisjoint(with: binding.hintKeys)
                    else { return false }
                    taken.formUnion(binding.hintKeys)
                    return true
                }
                .map { KeyHint(key: $0.hintKeys.map(\.description).joined(), label: $0.hint) }
        }
        let own = hints([chat, attention, typing])
        // Stopping comes first while there is something to stop.
        return (own, hints([everywhere, panels]))
    }

    private static let isWorking: @Sendable (State) -> Bool = { $0.engine.isBusy }

    private static let everywhere: [KeyBinding] = [
        KeyBinding([Key(.escape)], .anywhere, "", hint: "stop", when: isWorking) { state, _ in state.stopWork() ?? [] },
        KeyBinding([.control("c")], .anywhere, "stop the answer; otherwise ask to quit") { state, _ in
            if let effects = state.stopWork() { return effects }
            state.overlay = .quitQuestion
            return []
        },
        KeyBinding(
            [Key(.function(1))], .anywhere, "this help",
            run: { state, _ in
                state.overlay = .help(scroll: 0)
                return []
            }),
        KeyBinding([Key(.tab)], .anywhere, "next panel", hint: "panel", change: { $0.focus = $0.focus.next }),
        KeyBinding([Key(.tab, .shift)], .anywhere, "previous panel", change: { $0.focus = $0.focus.previous }),
        KeyBinding(
            back: [Key(.left, .alt), Key(.left, .control)], forward: [Key(.right, .alt), Key(.right, .control)],
            .anywhere,
            "look back and forward over the tokens", step: { $0.scrub($1) }),
        KeyBinding(
            [Key(.pageUp)], .anywhere, "scroll the chat up", change: { $0.scrollChat(max(1, $0.size.height / 2)) }),
        KeyBinding(
            [Key(.pageDown)], .anywhere, "scroll the chat down", change: { $0.scrollChat(-max(1, $0.size.height / 2)) }),
        KeyBinding(
            [.control("p")], .anywhere, "color tokens by probability", change: { $0.chat.showsProbabilities.toggle() }),
        KeyBinding([.control("l")], .anywhere, "draw the screen again") { _, _ in [.redraw] },
        KeyBinding([.control("z")], .anywhere, "suspend") { _, _ in [.suspend] },
    ]

    private static let typing: [KeyBinding] = [
        KeyBinding(
            [.character("?")], .input, "this help", hint: "help", when: { $0.input.isEmpty },
            change: { $0.overlay = .help(scroll: 0) }),
        KeyBinding([Key(.enter)], .input, "send, or run a command") { state, now in state.submit(now) },
        KeyBinding([.control("j"), Key(.enter, .alt)], .input, "new line", change: { $0.input.insert("\n") }),
        KeyBinding([Key(.tab)], .input, "complete a path or a command", when: { !$0.input.isEmpty }) { state, _ in
            Completion.request(&state)
        },
        KeyBinding([Key(.up)], .input, "earlier line", change: { $0.input.recall(-1) }),
        KeyBinding([Key(.down)], .input, "later line", change: { $0.input.recall(1) }),
        KeyBinding(
            back: [Key(.left)], forward: [Key(.right)], .input, "over the tokens, when nothing is typed", hint: "token",
            when: { $0.input.isEmpty && $0.shownToken != nil }, step: { $0.scrub($1) }),
        KeyBinding(back: [Key(.left)], forward: [Key(.right)], .input, "", step: { $0.input.move($1) }),
        KeyBinding([Key(.home), .control("a")], .input, "start of the line", change: { $0.input.moveToStart() }),
        KeyBinding([Key(.end), .control("e")], .input, "end of the line", change: { $0.input.moveToEnd() }),
        KeyBinding([.alt("b")], .input, "back one word", change: { $0.input.moveWord(-1) }),
        KeyBinding([.alt("f")], .input, "forward one word", change: { $0.input.moveWord(1) }),
        KeyBinding([Key(.backspace)], .input, "", change: { $0.input.deleteBackward() }),
        KeyBinding([Key(.delete)], .input, "", change: { $0.input.deleteForward() }),
        KeyBinding(
            [.control("w"), Key(.backspace, .alt)], .input, "delete the word before", change: { $0.input.deleteWord() }),
        KeyBinding([.control("u")], .input, "delete to the start", change: { $0.input.deleteToStart() }),
        KeyBinding([.control("k")], .input, "delete to the end", change: { $0.input.deleteToEnd() }),
        KeyBinding([.control("d")], .input, "quit, when nothing is typed", when: { $0.input.isEmpty }) { state, _ in
            state.askToQuit()
        },
        KeyBinding([.control("d")], .input, "", change: { $0.input.deleteForward() }),
        KeyBinding(
            [Key(.escape)], .input, "", hint: "layers, heads",
            when: { !$0.engine.isBusy && $0.input.isEmpty && $0.shownToken != nil },
            change: { $0.focus = .attention }),
        KeyBinding(
            [Key(.escape)], .input, "stop; clear the line; to the attention panel", when: { !$0.engine.isBusy },
            change: { state in
                if state.input.isEmpty { state.focus = .attention } else { state.input.clear() }
            }),
    ]

    private static let panels: [KeyBinding] = [
        KeyBinding([.character("q")], .panels, "quit", hint: "quit") { state, _ in
            // What was typed is not thrown away by one key.
            if !state.input.isEmpty { state.overlay = .quitQuestion; return [] }
            return state.askToQuit()
        },
        KeyBinding([.character("?")], .panels, "this help", hint: "help", change: { $0.overlay = .help(scroll: 0) }),
        KeyBinding(
            [.character("/")], .panels, "type a command",
            change: { state in
                state.focus = .input
                if state.input.isEmpty { state.input.insert("/") }
            }),
        KeyBinding([.character("i"), Key(.enter)], .panels, "back to typing", change: { $0.focus = .input }),
        KeyBinding(
            [Key(.escape)], .panels, "follow the answer; back to typing", when: { !$0.engine.isBusy },
            change: { state in
                if state.attention.selected != nil { state.attention.selected = nil } else { state.focus = .input }
            }),
    ]

    private static let isProbing: @Sendable (State) -> Bool = { $0.attention.movesProbe && $0.focus == .attention }
    private static let showsSound: @Sendable (State) -> Bool = { $0.shownView == .sound }
    private static let showsPicture: @Sendable (State) -> Bool = { $0.shownView == .picture }

    /// While the arrows move over the input.
    private static let probing: [KeyBinding] = [
        KeyBinding(
            back: [Key(.left), .character("h")], forward: [Key(.right), .character("l")], .attention,
            "move over the input", hint: "move",
            when: isProbing, step: { $0.moveProbe($1, 0) }),
        KeyBinding(
            back: [Key(.up), .character("k")], forward: [Key(.down), .character("j")], .attention, "", hint: "",
            when: isProbing,
            step: { $0.moveProbe(0, $1) }),
        KeyBinding(
            [Key(.escape), .character("c")], .attention, "ask no more", hint: "done", when: isProbing,
            change: { state in
                state.attention.movesProbe = false
                state.attention.probe = nil
            }),
    ]

    private static let attention: [KeyBinding] =
        probing + [
            KeyBinding(
                back: [Key(.left), .character("h")], forward: [Key(.right), .character("l")], .attention,
                "look back and forward over the tokens",
                hint: "token", step: { $0.scrub($1) }),
            KeyBinding(
                back: [Key(.up), .character("k")], forward: [Key(.down), .character("j")], .attention,
                "layer: all, 0, 1, …", hint: "layer",
                step: { $0.stepLayer($1) }),
            KeyBinding(
                back: [.character("[")], forward: [.character("]")], .attention, "head: mean, max, rollout, 0, 1, …",
                hint: "head", step: { $0.stepHead($1) }),
            KeyBinding(
                [.character("a")], .attention, "mean or maximum of the heads, or rollout through a text's encoder",
                change: { $0.stepAggregation() }),
            KeyBinding(
                [.character("g")], .attention, "every head of the layer", hint: "heads",
                change: { $0.attention.showsHeads.toggle() }),
            KeyBinding(
                back: [.character("-"), .character("_")], forward: [.character("+"), .character("=")], .attention,
                "heat fainter, stronger over the input", hint: "heat",
                step: { $0.attention.opacity = max(0, min(100, $0.attention.opacity + 10 * $1)) }),
            KeyBinding(
                [.character("c")], .attention, "ask who looked at a place: arrows move over the input",
                hint: "who looked",
                change: { state in
                    state.focus = .attention
                    state.beginProbe()
                }),
            KeyBinding(
                [.character("v")], .attention, "view: picture or sound, words, matrix of words", hint: "view",
                when: { $0.offeredViews.count > 1 }, change: { $0.stepView() }),
            KeyBinding(
                [.character("n")], .attention, "next picture", hint: "picture",
                when: { $0.shownView == .picture && $0.shownPictureCount > 1 }, change: { $0.stepPicture() }),
            KeyBinding(
                [.character("t")], .attention, "what else might have stood at this token's place", hint: "else",
                when: { $0.shownToken != nil },
                change: { state in
                    if state.attention.selected == nil { state.attention.selected = state.shownToken }
                    state.overlay = .alternatives(selected: 0)
                }),
            KeyBinding(
                [.character("z")], .attention, "zoom into the picture", hint: "zoom", when: showsPicture,
                change: { $0.stepZoom() }),
            KeyBinding(
                [.character("o")], .attention, "the picture seen whole: apart, or blended over the tiles",
                when: showsPicture, change: { $0.attention.blendsOverview.toggle() }),
            KeyBinding(
                [.character("r")], .attention, "relative: what is beyond the mean of the answer's tokens",
                hint: "relative", change: { $0.attention.isRelative.toggle() }),
            KeyBinding(
                [.character("x")], .attention, "leave out attention sinks: what every token looks at", hint: "sinks",
                change: { $0.attention.hidesSinks.toggle() }),
            KeyBinding(
                [.character("s")], .attention, "scale: linear, logarithm, percentile", hint: "scale",
                change: { $0.attention.scale = $0.attention.scale.next }),
            KeyBinding(
                [.character("m")], .attention, "color map: viridis, inferno, cividis", hint: "map",
                change: { $0.attention.colorMap = $0.attention.colorMap.next }),
            KeyBinding(
                [.character("p")], .attention, "columns by maximum or mean", when: showsSound,
                change: { $0.attention.pooling = $0.attention.pooling.next }),
            KeyBinding(
                [.character("z")], .attention, "the sound, or the whole window with its padding", when: showsSound,
                change: { $0.attention.showsPadding.toggle() }),
            KeyBinding([Key(.home)], .attention, "first token", change: { $0.scrubToEnd(false) }),
            KeyBinding([Key(.end)], .attention, "follow the newest token", change: { $0.scrubToEnd(true) }),
        ]

    private static let chat: [KeyBinding] = [
        KeyBinding(
            back: [Key(.up), .character("k")], forward: [Key(.down), .character("j")], .chat, "scroll", hint: "scroll",
            step: { $0.scrollChat(-$1) })
    ]
}

extension State {
    /// Quits at once when nothing would be lost.
    mutating func askToQuit() -> [Effect] {
        if !engine.isBusy { return [.quit(.done)] }
        overlay = .quitQuestion
        return []
    }
}
