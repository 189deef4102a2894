import Planning

/// Device memory now and over the last samples.
package struct MemoryState: Sendable {
    package var report: MemoryReport?
    package var peak = 0
    /// Accounted bytes, oldest first.
    package var history: [Int] = []
    static let historyLength = 240
    /// The plan shown by `/plan`.
    var plan: MemoryPlan?
    /// The question it answers.
    var planRequest: PlanRequest?
    var planProblem: String?
}
