import Terminal

extension AttentionPanel {
    private static let isProbing: @Sendable (State) -> Bool = { $0.attention.movesProbe && $0.focus == .attention }
    private static let showsSound: @Sendable (State) -> Bool = { $0.shownView == .sound }
    private static let showsPicture: @Sendable (State) -> Bool = { $0.shownView == .picture }

    /// The keys that move the probe.
    private static let probing: [KeyBinding] = [
        KeyBinding(
            back: [Key(.left), .character("h")], forward: [Key(.right), .character("l")],
            "move over the input", hint: "move",
            when: isProbing, step: { $0.moveProbe($1, 0) }),
        KeyBinding(
            back: [Key(.up), .character("k")], forward: [Key(.down), .character("j")], "", hint: "",
            when: isProbing,
            step: { $0.moveProbe(0, $1) }),
        KeyBinding(
            [Key(.escape), .character("c")], "end the probe", hint: "done", when: isProbing,
            change: { state in
                state.attention.movesProbe = false
                state.attention.probe = nil
            }),
    ]

    static let bindings: [KeyBinding] =
        probing + [
            KeyBinding(
                back: [Key(.left), .character("h")], forward: [Key(.right), .character("l")],
                "previous and next token",
                hint: "token", step: { $0.scrub($1) }),
            KeyBinding(
                back: [Key(.up), .character("k")], forward: [Key(.down), .character("j")],
                "layer: all, 0, 1, …", hint: "layer",
                step: { $0.stepLayer($1) }),
            KeyBinding(
                back: [.character("[")], forward: [.character("]")], "head: mean, max, rollout, 0, 1, …",
                hint: "head", step: { $0.stepHead($1) }),
            KeyBinding(
                [.character("a")], "mean or maximum of the heads, or rollout through a text's encoder",
                change: { $0.stepAggregation() }),
            KeyBinding(
                [.character("g")], "every head of the layer", hint: "heads",
                change: { $0.attention.showsHeads.toggle() }),
            KeyBinding(
                back: [.character("-"), .character("_")], forward: [.character("+"), .character("=")],
                "heat fainter, stronger over the input", hint: "heat",
                step: { $0.attention.opacity = max(0, min(100, $0.attention.opacity + 10 * $1)) }),
            KeyBinding(
                [.character("c")], "probe a place: which tokens looked at it; arrows move",
                hint: "probe",
                change: { state in
                    state.focus = .attention
                    state.beginProbe()
                }),
            KeyBinding(
                [.character("v")], "view: picture or sound, words, matrix of words", hint: "view",
                when: { $0.offeredViews.count > 1 }, change: { $0.stepView() }),
            KeyBinding(
                [.character("n")], "next picture", hint: "picture",
                when: { $0.shownView == .picture && $0.shownPictureCount > 1 }, change: { $0.stepPicture() }),
            KeyBinding(
                [.character("t")], "alternatives of this token", hint: "alternatives",
                when: { $0.shownToken != nil },
                change: { state in
                    if state.attention.selected == nil { state.attention.selected = state.shownToken }
                    state.overlay = .alternatives(selected: 0)
                }),
            KeyBinding(
                [.character("z")], "zoom into the picture", hint: "zoom", when: showsPicture,
                change: { $0.stepZoom() }),
            KeyBinding(
                [.character("o")], "overview of the picture: apart, or blended over the tiles",
                when: showsPicture, change: { $0.attention.blendsOverview.toggle() }),
            KeyBinding(
                [.character("r")], "relative to the mean over the answer's tokens",
                hint: "relative", change: { $0.attention.isRelative.toggle() }),
            KeyBinding(
                [.character("x")], "mask attention sinks, which every token looks at", hint: "sinks",
                change: { $0.attention.hidesSinks.toggle() }),
            KeyBinding(
                [.character("s")], "scale: linear, logarithm, percentile", hint: "scale",
                change: { $0.attention.scale = $0.attention.scale.next }),
            KeyBinding(
                [.character("m")], "color map: viridis, inferno, cividis", hint: "map",
                change: { $0.attention.colorMap = $0.attention.colorMap.next }),
            KeyBinding(
                [.character("p")], "columns by maximum or mean", when: showsSound,
                change: { $0.attention.pooling = $0.attention.pooling.next }),
            KeyBinding(
                [.character("z")], "the sound, or the whole window with its padding", when: showsSound,
                change: { $0.attention.showsPadding.toggle() }),
            KeyBinding([Key(.home)], "first token", change: { $0.scrubToEnd(false) }),
            KeyBinding([Key(.end)], "follow the newest token", change: { $0.scrubToEnd(true) }),
        ]
}
