extension SlashCommand {
    static let models: [SlashCommand] = [
        SlashCommand(
            name: "model", argument: "[NAME]", help: "choose a model, or load the one named",
            choices: { $0.engine.models.map(\.name) }
        ) { state, argument, now in
            if !argument.isEmpty { return state.choose(argument, now) }
            let current = state.engine.models.firstIndex { $0.name == state.engine.model } ?? 0
            state.overlay = .models(selected: current)
            return [.listModels]
        }
    ]
}
