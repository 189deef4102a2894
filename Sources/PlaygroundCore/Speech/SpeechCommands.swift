import Generation

extension SlashCommand {
    static let speech: [SlashCommand] = [
        SlashCommand(
            name: "audio", argument: "PATH", help: "transcribe a recording (WAV, FLAC, OGG, MP3)", path: .sound
        ) { state, argument, now in
            let path = Completion.unquoted(argument)
            if path.isEmpty { state.say(.warning, "/audio needs the path of a recording"); return [] }
            return state.send(audio: path, now)
        },
        SlashCommand(
            name: "mic", argument: "[SECONDS]", help: "record (10 s) and transcribe; Esc ends the recording"
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
            help: "transcribe, or translate to English",
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
}
