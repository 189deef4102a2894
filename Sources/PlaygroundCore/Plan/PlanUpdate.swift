import NumberFormats
import Planning
import Terminal

extension State {
    /// Requests a plan and opens its view.
    mutating func plan(_ request: PlanRequest) -> [Effect] {
        memory.planRequest = request
        memory.plan = nil
        memory.planProblem = nil
        overlay = .plan
        return [.plan(request)]
    }

    /// Changes the question: `w` the weights, `+` and `-` the context, `p` a picture. Other keys close the view.
    mutating func handleInPlan(_ key: Key) -> [Effect] {
        guard var request = memory.planRequest, key.modifiers.isEmpty, case .character(let character) = key.code
        else {
            overlay = nil
            return []
        }
        switch character {
        case "w":
            let formats: [ElementFormat?] = [nil] + Planner.formats
            request.weights = formats[((formats.firstIndex(of: request.weights) ?? 0) + 1) % formats.count]
        case "+", "=", "-":
            // The first answer gives the context to start from.
            guard let now = memory.plan?.context ?? request.context, now > 0 else { return [] }
            let next = character == "-" ? now / 2 : now * 2
            guard (64...1 << 24).contains(next) else { return [] }
            request.context = next
        case "p":
            let sides: [Int?] = [nil, 336, 672, 1344]
            let side = sides[((sides.firstIndex(of: request.pictures.first?.width) ?? 0) + 1) % sides.count]
            request.pictures = side.map { [PictureSize(width: $0, height: $0)] } ?? []
        default:
            overlay = nil
            return []
        }
        return plan(request)
    }
}
