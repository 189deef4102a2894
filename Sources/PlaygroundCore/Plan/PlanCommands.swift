import NumberFormats
import Planning

extension SlashCommand {
    static let plan: [SlashCommand] = [
        SlashCommand(
            name: "plan", argument: "[…]", help: "plan memory for MODEL, CONTEXT, WEIGHTS, WxH picture",
            choices: { $0.engine.models.map(\.name) + ElementFormat.encodable.map(\.rawValue) }
        ) { state, argument, _ in
            guard let request = PlanRequest(argument, model: state.engine.model) else {
                state.say(.warning, "no model is loaded; /plan MODEL plans another"); return []
            }
            return state.plan(request)
        }
    ]
}
