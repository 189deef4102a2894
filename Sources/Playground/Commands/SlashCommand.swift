import Foundation
import Generation
import Models
import Terminal

/// A command that is typed, `/name argument`.
struct SlashCommand: Sendable {
    let name: String
    /// What the argument is called in the help; empty when there is none.
    let argument: String
    let help: String
    /// Words the argument may be, for completion.
    var choices: @Sendable (State) -> [String] = { _ in [] }
    /// Set when the argument is a path.
    var path: PathPurpose?
    let run: @Sendable (inout State, String, Date) -> [Effect]

    static func named(_ name: String) -> SlashCommand? { all.first { $0.name == name } }

    /// Runs a line that begins with `/`.
    static func run(_ line: String, _ state: inout State, _ now: Date) -> [Effect] {
        let parts = line.dropFirst().split(separator: " ", maxSplits: 1)
        let name = parts.first.map(String.init) ?? ""
        let argument = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
        guard let command = named(name) else {
            state.report("There is no command /\(name); /help lists them.", now, kind: .warning)
            return []
        }
        return command.run(&state, argument, now)
    }

    static let all: [SlashCommand] = speaking + writing + keeping + looking + intervening

    private static let speaking: [SlashCommand] = [
        SlashCommand(
            name: "audio", argument: "PATH", help: "transcribe a recording (WAV, FLAC, OGG, MP3)", path: .sound
        ) { state, argument, now in
            let path = Completion.unquoted(argument)
            if path.isEmpty { state.say(.warning, "/audio needs the path of a recording"); return [] }
            return state.send(audio: path, now)
        },
        SlashCommand(
            name: "mic", argument: "[SECONDS]", help: "speak: record (10 s), then transcribe; Esc ends it earlier"
        ) { state, argument, now in
            guard let seconds = argument.isEmpty ? State.usualListening : Double(argument), seconds >= 0.5,
                seconds <= State.longestListening
            else {
                state.say(.warning, "/mic takes seconds, 1 to \(Int(State.longestListening))")
                return []
            }
            return state.listen(seconds, now)
        },
        SlashCommand(
            name: "model", argument: "[NAME]", help: "choose a model, or load the one named",
            choices: { $0.engine.models.map(\.name) }
        ) { state, argument, now in
            if !argument.isEmpty { return state.choose(argument, now) }
            let current = state.engine.models.firstIndex { $0.name == state.engine.model } ?? 0
            state.overlay = .models(selected: current)
            return [.listModels]
        },
        SlashCommand(
            name: "language", argument: "CODE|auto", help: "language spoken, e.g. en",
            choices: { _ in ["auto", "en", "de", "fr", "es", "ja", "zh"] }
        ) {
            state, argument, _ in
            state.speech.language = argument.isEmpty || argument == "auto" ? nil : argument.lowercased()
            state.say(.information, "language: \(state.speech.language ?? "auto")")
            return []
        },
        SlashCommand(
            name: "task", argument: SpeechTask.allCases.map(\.rawValue).joined(separator: "|"),
            help: "write what is said, or its English translation",
            choices: { _ in SpeechTask.allCases.map(\.rawValue) }
        ) { state, argument, _ in
            guard let task = SpeechTask(rawValue: argument) else {
                state.say(.warning, "/task transcribe or /task translate"); return []
            }
            state.speech.task = task
            state.say(.information, "task: \(task.rawValue)")
            return []
        },
    ]

    private static let looking: [SlashCommand] = [
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
        SlashCommand(
            name: "plan", argument: "[…]", help: "what if: MODEL, CONTEXT, WEIGHTS, WxH picture",
            choices: { $0.engine.models.map(\.name) + LoadOptions.weightFormats.map(\.rawValue) }
        ) { state, argument, _ in
            guard let question = PlanQuestion(argument, model: state.engine.model) else {
                state.say(.warning, "no model is loaded; /plan MODEL plans another"); return []
            }
            return state.plan(question)
        },
        SlashCommand(name: "help", argument: "", help: "keys and commands") { state, _, _ in
            state.overlay = .help(scroll: 0)
            return []
        },
        SlashCommand(name: "tour", argument: "", help: "what the screen is, in four steps") { state, _, _ in
            state.overlay = .tour(step: 0)
            return []
        },
        SlashCommand(name: "quit", argument: "", help: "leave") { state, _, _ in state.askToQuit() },
    ]
}
