import Generation

// Commands of the chat.
extension SlashCommand {
    static let chat: [SlashCommand] = [
        SlashCommand(
            name: "image", argument: "PATH", help: "attach a picture (JPEG, PNG, WebP, GIF) to the next message",
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
        SlashCommand(name: "detach", argument: "", help: "remove the attached pictures") { state, _, _ in
            state.attachments = []
            return []
        },
        SlashCommand(
            name: "system", argument: "[TEXT]",
            help: "set the system prompt; empty removes it"
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
        language("source", "language of the text to translate", \.sourceLanguage),
        language("target", "language to translate into", \.targetLanguage),
        SlashCommand(name: "retry", argument: "", help: "answer the last question again") { state, _, now in
            state.retry(now)
        },
        SlashCommand(name: "edit", argument: "", help: "edit the last question") {
            state, _, now in state.editLast(now)
        },
    ]

    /// `/source-language` or `/target-language`.
    private static func language(
        _ side: String, _ help: String, _ option: WritableKeyPath<TextOptions, String?> & Sendable
    ) -> SlashCommand {
        SlashCommand(
            name: "\(side)-language", argument: "LANGUAGE", help: help,
            choices: { $0.engine.abilities?.languages?.all ?? [] }
        ) { state, argument, _ in
            guard let languages = state.engine.abilities?.languages else {
                state.say(.warning, "\(state.engine.abilities?.family ?? "the model") has no tokens for languages")
                return []
            }
            do {
                let code = try languages.code(of: argument)
                state.text[keyPath: option] = code
                state.say(.information, "\(side) language: \(LanguageCodes.name(of: code))")
            } catch {
                state.say(.warning, "\(error)")
            }
            return []
        }
    }
}
