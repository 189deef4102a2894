import Foundation
import Terminal

extension SlashCommand {
    static let attention: [SlashCommand] = [
        SlashCommand(
            name: "theme", argument: ThemeName.allCases.map(\.rawValue).joined(separator: "|"),
            help: "colors of the screen", choices: { _ in ThemeName.allCases.map(\.rawValue) }
        ) { state, argument, _ in
            guard let name = ThemeName(rawValue: argument) else {
                let names = ThemeName.allCases.map(\.rawValue).joined(separator: ", ")
                state.say(.warning, "themes are \(names); this is \(state.theme.name.rawValue)")
                return []
            }
            state.theme.name = name
            return []
        },
        SlashCommand(
            name: "layer", argument: "N|all|aligned", help: "layer of the attention panel",
            choices: {
                ["all"] + ($0.engine.abilities?.alignmentHeads.isEmpty == false ? ["aligned"] : [])
                    + ($0.capturedShape?.layers.map(String.init) ?? [])
            }
        ) {
            state, argument, _ in
            if argument == "all" { state.attention.layer = .all; return [] }
            if argument == "aligned" {
                let heads = state.engine.abilities?.alignmentHeads ?? []
                if heads.isEmpty {
                    state.say(.warning, "this model's files name no aligned heads")
                } else {
                    state.attention.layer = .aligned(heads)
                }
                return []
            }
            guard let number = Int(argument), state.capturedShape.map({ $0.layers.contains(number) }) ?? (number >= 0)
            else {
                state.say(
                    .warning,
                    "no layer \(argument)"
                        + (state.capturedShape.map {
                            "; there are \($0.layers.first ?? 0) to \($0.layers.last ?? 0), and all"
                        } ?? ""))
                return []
            }
            state.attention.layer = .layer(number)
            return []
        },
        SlashCommand(
            name: "head", argument: "N|mean|max|rollout", help: "head of the attention panel",
            choices: { $0.aggregations.map(\.name) + (0..<($0.capturedShape?.heads ?? 0)).map(String.init) }
        ) { state, argument, _ in
            switch argument {
            case "mean": state.attention.head = .mean
            case "max": state.attention.head = .max
            case "rollout":
                if state.canRollOut {
                    state.attention.head = .rollout
                } else {
                    state.say(.warning, "rollout needs a text that an encoder has read, of 160 tokens at most")
                }
            default:
                guard let number = Int(argument), number >= 0, number < state.capturedShape?.heads ?? .max else {
                    state.say(
                        .warning,
                        "no head \(argument)"
                            + (state.capturedShape.map { "; there are 0 to \($0.heads - 1), mean and max" } ?? ""))
                    return []
                }
                state.attention.head = .head(number)
            }
            return []
        },
        SlashCommand(
            name: "colormap", argument: "NAME", help: ColorMap.all.map(\.name).joined(separator: ", "),
            choices: { _ in ColorMap.all.map(\.name) }
        ) {
            state, argument, _ in
            guard let map = ColorMap.named(argument) else {
                state.say(.warning, "color maps: \(ColorMap.all.map(\.name).joined(separator: ", "))"); return []
            }
            state.attention.colorMap = map
            return []
        },
        SlashCommand(
            name: "opacity", argument: "PERCENT", help: "how much the heat covers the spectrogram, 0 to 100",
            choices: { _ in ["25", "50", "75", "100"] }
        ) {
            state, argument, _ in
            let digits = argument.hasSuffix("%") ? String(argument.dropLast()) : argument
            guard let percent = Int(digits.trimmingCharacters(in: .whitespaces)), (0...100).contains(percent) else {
                state.say(.warning, "/opacity takes 0 to 100"); return []
            }
            state.attention.opacity = percent
            return []
        },
    ]
}
