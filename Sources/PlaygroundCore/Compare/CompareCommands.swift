import AttentionTypes

// Commands that ablate heads and input positions.
extension SlashCommand {
    static let compare: [SlashCommand] = [
        SlashCommand(
            name: "silence", argument: "LAYER[.HEAD]",
            help: "silence a layer's or head's attention; again restores it",
            choices: { $0.capturedShape?.layers.map(String.init) ?? [] }
        ) { state, argument, _ in
            guard let shape = state.capturedShape else {
                state.say(.warning, "select a token with attention first"); return []
            }
            let parts = argument.split(separator: ".").compactMap { Int($0) }
            guard let layer = parts.first, shape.layers.contains(layer),
                parts.count == 1 || (parts.count == 2 && (0..<shape.heads).contains(parts[1]))
            else {
                state.say(
                    .warning,
                    "/silence takes a layer (\(shape.layers.first ?? 0)–\(shape.layers.last ?? 0)), or a layer and a head such as \(shape.layers.first ?? 0).\(shape.heads - 1)"
                )
                return []
            }
            let heads = (parts.count == 2 ? [parts[1]] : Array(0..<shape.heads)).map {
                AttentionHead(kind: state.shownKind, layer: layer, head: $0)
            }
            if heads.allSatisfy(state.interventions.silencedHeads.contains) {
                state.interventions.silencedHeads.subtract(heads)
            } else {
                state.interventions.silencedHeads.formUnion(heads)
            }
            state.say(.information, state.ablationWords + "; /rerun answers again")
            return []
        },
        SlashCommand(
            name: "hide", argument: "",
            help: "hide the probed place (c, or a click) from the model; again shows it"
        ) { state, _, _ in
            let keys = state.probedKeys
            guard !keys.isEmpty else {
                state.say(.warning, "probe a place first: c in the attention panel, or a click"); return []
            }
            var hidden = state.interventions.hiddenKeys[state.shownKind] ?? []
            if keys.isSubset(of: hidden) { hidden.subtract(keys) } else { hidden.formUnion(keys) }
            state.interventions.hiddenKeys[state.shownKind] = hidden.isEmpty ? nil : hidden
            state.say(.information, state.ablationWords + "; /rerun answers again")
            return []
        },
        SlashCommand(name: "restore", argument: "", help: "restore what is silenced and hidden") { state, _, _ in
            state.interventions = .none
            state.say(.information, "nothing is silenced or hidden")
            return []
        },
        SlashCommand(
            name: "rerun", argument: "",
            help: "answer again with heads silenced and places hidden, to compare"
        ) { state, _, now in
            guard state.isFreeToSend() else { return [] }
            guard let answer = state.shownMessage else { state.say(.warning, "nothing was answered yet"); return [] }
            if state.question(of: answer)?.spoken != nil {
                state.say(.warning, "microphone recordings are not saved; use a file"); return []
            }
            if state.interventions.isEmpty {
                state.say(.warning, "nothing is silenced or hidden: /silence, /hide"); return []
            }
            return state.variant(of: answer, now)
        },
        SlashCommand(name: "compare", argument: "", help: "show the two answers side by side, with probabilities") {
            state, _, _ in
            state.overlay = .comparison(scroll: 0)
            return []
        },
    ]
}

extension State {
    /// The ablations in words.
    var ablationWords: String {
        var words: [String] = []
        if !interventions.silencedHeads.isEmpty { words.append("\(interventions.silencedHeads.count) heads silenced") }
        let hidden = interventions.hiddenKeys.values.reduce(0) { $0 + $1.count }
        if hidden > 0 { words.append("\(hidden) \(hidden == 1 ? "place" : "places") hidden") }
        return words.isEmpty ? "nothing is silenced or hidden" : words.joined(separator: ", ")
    }
}
