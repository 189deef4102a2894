extension AsyncThrowingStream where Element: Sendable, Failure == any Error {
    /// A stream of the elements that `work` yields, in a task of its own. Ending the stream cancels the task.
    package static func running(
        _ work: @escaping @Sendable (_ yield: @escaping @Sendable (Element) -> Void) async throws -> Void
    ) -> Self {
        Self { continuation in
            let task = Task {
                do {
                    try await work { continuation.yield($0) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}
