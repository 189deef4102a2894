import Planning

extension State {
    /// Requests a plan and opens its view.
    mutating func plan(_ request: PlanRequest) -> [Effect] {
        memory.planRequest = request
        memory.plan = nil
        memory.planProblem = nil
        overlay = .plan
        return [.plan(request)]
    }
}
