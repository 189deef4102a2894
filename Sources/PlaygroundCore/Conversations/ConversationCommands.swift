extension SlashCommand {
    static let conversation: [SlashCommand] = [
        SlashCommand(
            name: "conversations", argument: "[WORDS]",
            help: "saved conversations, or those with these words; Enter resumes, d deletes"
        ) { _, argument, _ in
            [.store(.list(containing: argument))]
        },
        SlashCommand(name: "new", argument: "", help: "start a new conversation; this one is saved") { state, _, _ in
            state.beginConversation()
        },
        SlashCommand(name: "rename", argument: "TITLE", help: "rename this conversation") {
            state, argument, _ in
            guard !argument.isEmpty else { state.say(.warning, "/rename needs a title"); return [] }
            state.say(.information, "this conversation: \(argument)")
            return [.store(.rename(nil, argument))]
        },
        SlashCommand(
            name: "export", argument: "md|json|html [PATH]",
            help: "write the conversation to a file; html holds the heat maps",
            choices: { _ in ExportFormat.allCases.map(\.rawValue) }
        ) { state, argument, _ in
            let parts = argument.split(separator: " ", maxSplits: 1).map(String.init)
            guard let format = ExportFormat(rawValue: parts.first ?? "") else {
                state.say(.warning, "/export takes \(ExportFormat.allCases.map(\.rawValue).joined(separator: ", "))")
                return []
            }
            guard !state.chat.messages.isEmpty else { state.say(.warning, "nothing was said yet"); return [] }
            let path = parts.count > 1 ? Completion.unquoted(parts[1]) : "fovea-conversation.\(format.rawValue)"
            return [.export(format, path: path)]
        },
        SlashCommand(name: "save", argument: "[PATH]", help: "write the conversation as Markdown", path: .any) {
            state, argument, now in
            let path = argument.isEmpty ? "fovea-conversation.md" : Completion.unquoted(argument)
            return [.export(.md, path: path)]
        },
    ]
}
