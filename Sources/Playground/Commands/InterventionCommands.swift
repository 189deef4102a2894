import AttentionTypes
import Foundation
import Generation

// What is taken out of the model to see what becomes of the answer.
extension SlashCommand {
    static let intervening: [SlashCommand] = [
        SlashCommand(
            name: "silence", argument: "LAYER[.HEAD]",
            help: "a layer's or a head's attention says nothing from now on; again undoes it",
            choices: { $0.capturedShape?.layers.map(String.init) ?? [] }
        ) { state, argument, _ in
            guard let shape = state.capturedShape else {
                state.say(.warning, "look at a token's attention first"); return []
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
            state.say(.information, state.interventionWords + "; /rerun shows what becomes of the answer")
            return []
        },
        SlashCommand(
            name: "hide", argument: "",
            help: "the place asked about (c, or a click) is hidden from the model; again undoes it"
        ) { state, _, _ in
            let keys = state.probedKeys
            guard !keys.isEmpty else {
                state.say(.warning, "ask about a place first: c in the attention panel, or a click"); return []
            }
            var hidden = state.interventions.hiddenKeys[state.shownKind] ?? []
            if keys.isSubset(of: hidden) { hidden.subtract(keys) } else { hidden.formUnion(keys) }
            state.interventions.hiddenKeys[state.shownKind] = hidden.isEmpty ? nil : hidden
            state.say(.information, state.interventionWords + "; /rerun shows what becomes of the answer")
            return []
        },
        SlashCommand(name: "restore", argument: "", help: "nothing is silenced or hidden any more") { state, _, _ in
            state.interventions = .none
            state.say(.information, "the model is whole")
            return []
        },
        SlashCommand(
            name: "rerun", argument: "",
            help: "answer the last question again with what is silenced and hidden, beside the first answer"
        ) { state, _, now in
            guard state.isFreeToSend() else { return [] }
            guard let answer = state.shownMessage else { state.say(.warning, "nothing was answered yet"); return [] }
            if state.question(of: answer)?.spoken != nil {
                state.say(.warning, "what the microphone heard is not kept; use a file"); return []
            }
            if state.interventions.isEmpty {
                state.say(.warning, "nothing is silenced or hidden: /silence, /hide"); return []
            }
            return state.variant(of: answer, now)
        },
        SlashCommand(name: "compare", argument: "", help: "the two answers side by side, with their probabilities") {
            state, _, _ in
            state.overlay = .comparison(scroll: 0)
            return []
        },
    ]
}

extension State {
    /// What is taken out of the model, in words; empty when it is whole.
    var interventionWords: String {
        var words: [String] = []
        if !interventions.silencedHeads.isEmpty { words.append("\(interventions.silencedHeads.count) heads silenced") }
        let hidden = interventions.hiddenKeys.values.reduce(0) { $0 + $1.count }
        if hidden > 0 { words.append("\(hidden) \(hidden == 1 ? "place" : "places") hidden") }
        return words.isEmpty ? "the model is whole" : words.joined(separator: ", ")
    }
}
