import Foundation
import Generation

// How the model is asked to write.
extension SlashCommand {
    static let writing: [SlashCommand] = [
        SlashCommand(
            name: "image", argument: "PATH", help: "attach a picture (JPEG, PNG, WebP) to the next message",
            path: .picture
        ) { state, argument, _ in
            let path = Completion.unquoted(argument)
            if path.isEmpty { state.say(.warning, "/image needs the path of a picture"); return [] }
            return state.attach(path)
        },
        SlashCommand(name: "sample", argument: "", help: "attach the picture that came with the model") { state, _, _ in
            if state.isSampleAttached { return [] }
            if state.engine.sample?.picture == nil {
                state.say(.warning, "no picture came with this model; /image PATH attaches one")
            }
            return state.attachSample()
        },
        SlashCommand(name: "detach", argument: "", help: "take the attached pictures away again") { state, _, _ in
            state.attachments = []
            return []
        },
        SlashCommand(
            name: "system", argument: "[TEXT]",
            help: "what the model is told before everything else; empty takes it away"
        ) { state, argument, _ in
            state.systemPrompt = argument
            state.say(.information, argument.isEmpty ? "no system prompt" : "system: \(argument)")
            return []
        },
        SlashCommand(
            name: "set", argument: "NAME VALUE",
            help: "temperature, top-k, top-p, min-p, repetition-penalty, max-tokens, seed",
            choices: { state in Setting.all.map { "\($0.name) \($0.value(state.text))" } }
        ) { state, argument, _ in
            let parts = argument.split(separator: " ", maxSplits: 1).map(String.init)
            guard let first = parts.first else {
                state.say(
                    .information, Setting.all.map { "\($0.name) \($0.value(state.text))" }.joined(separator: " · "))
                return []
            }
            guard let setting = Setting.all.first(where: { $0.name == first }) else {
                state.say(
                    .warning, "no setting “\(first)”; there are \(Setting.all.map(\.name).joined(separator: ", "))")
                return []
            }
            var changed = state.text
            guard parts.count == 2, setting.change(&changed, parts[1]), (try? changed.sampling.validate()) != nil else {
                state.say(.warning, "\(setting.name) takes \(setting.allowed)")
                return []
            }
            state.text = changed
            state.say(.information, "\(setting.name): \(setting.value(changed))")
            return []
        },
        SlashCommand(name: "retry", argument: "", help: "answer the last question again") { state, _, now in
            state.retry(now)
        },
        SlashCommand(name: "edit", argument: "", help: "take the last question back into the line, to change it") {
            state, _, now in state.editLast(now)
        },
    ]
}

/// A setting of sampling by name.
struct Setting: Sendable {
    let name: String
    let allowed: String
    let value: @Sendable (TextSettings) -> String
    /// False when the value cannot be read.
    let change: @Sendable (inout TextSettings, String) -> Bool

    private static func number(
        _ name: String, _ allowed: String, _ path: WritableKeyPath<SamplingOptions, Float> & Sendable
    ) -> Setting {
        Setting(name: name, allowed: allowed, value: { "\($0.sampling[keyPath: path])" }) { settings, text in
            guard let value = Float(text), value.isFinite else { return false }
            settings.sampling[keyPath: path] = value
            return true
        }
    }

    private static func optional(
        _ name: String, _ allowed: String, _ path: WritableKeyPath<SamplingOptions, Float?> & Sendable
    ) -> Setting {
        Setting(
            name: name, allowed: allowed + ", or off", value: { $0.sampling[keyPath: path].map { "\($0)" } ?? "off" }
        ) { settings, text in
            if text == "off" { settings.sampling[keyPath: path] = nil; return true }
            guard let value = Float(text), value.isFinite else { return false }
            settings.sampling[keyPath: path] = value
            return true
        }
    }

    static let all: [Setting] = [
        number("temperature", "0 (always the likeliest) or more", \.temperature),
        Setting(name: "top-k", allowed: "1 or more, or off", value: { $0.sampling.topK.map(String.init) ?? "off" }) {
            settings, text in
            if text == "off" { settings.sampling.topK = nil; return true }
            guard let value = Int(text) else { return false }
            settings.sampling.topK = value
            return true
        },
        optional("top-p", "above 0, at most 1", \.topP), optional("min-p", "0 to 1", \.minP),
        number("repetition-penalty", "above 0; 1 is none", \.repetitionPenalty),
        Setting(name: "max-tokens", allowed: "1 to 100000", value: { "\($0.maximumTokens)" }) { settings, text in
            guard let value = Int(text), (1...100_000).contains(value) else { return false }
            settings.maximumTokens = value
            return true
        },
        Setting(name: "seed", allowed: "a whole number, or off", value: { $0.sampling.seed.map { "\($0)" } ?? "off" }) {
            settings, text in
            if text == "off" { settings.sampling.seed = nil; return true }
            guard let value = UInt64(text) else { return false }
            settings.sampling.seed = value
            return true
        },
    ]
}
