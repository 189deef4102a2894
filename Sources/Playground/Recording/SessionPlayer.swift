import PlaygroundCore

/// Plays a recorded session: puts its events into the queue at their times.
final class SessionPlayer: Sendable {
    private let task: Task<Void, Never>

    /// - Parameter speed: 2 is twice as fast.
    init(_ session: RecordedSession, speed: Double, _ queue: EventQueue) {
        task = Task.detached {
            let clock = ContinuousClock()
            let began = clock.now
            for step in session.steps {
                let due = began + .seconds(step.at / max(0.01, speed))
                if due > clock.now {
                    do { try await clock.sleep(until: due) } catch { return }
                }
                if Task.isCancelled { return }
                queue.put(.played(step.event))
            }
        }
    }

    func stop() { task.cancel() }
}
