import Synchronization

/// A queue for something that one request uses at a time. Clients take turns, however many requests each of them has.
package final class FairQueue: Sendable {
    private struct Waiter {
        let number: Int
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var isBusy = false
        var isClosed = false
        var next = 0
        /// Requests by client, first come first.
        var waiting: [String: [Waiter]] = [:]
        /// Clients that wait, in the order of their turns.
        var turns: [String] = []
        var cancelled: Set<Int> = []
        var count = 0
        /// Tasks that wait for the end of the request in work.
        var ending: [CheckedContinuation<Void, Never>] = []
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: requests that may wait.
    package init(limit: Int) { self.limit = limit }

    /// Requests that wait now.
    package var waiting: Int { state.withLock { $0.count } }
    package var isBusy: Bool { state.withLock { $0.isBusy } }

    /// Runs `body` when it is this client's turn.
    /// - Throws: `ServerError` 429 where too many wait, 503 after ``close()``; `CancellationError`.
    package func run<T: Sendable>(for client: String, _ body: () async throws -> T) async throws -> T {
        try await enter(client)
        defer { leave() }
        try Task.checkCancellation()
        return try await body()
    }

    private static let closed = ServerError(503, "the server is stopping", code: "stopping")

    private func enter(_ client: String) async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        defer { state.withLock { _ = $0.cancelled.remove(number) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Void, any Error>? = state.withLock { state in
                    if state.isClosed { return .failure(Self.closed) }
                    if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
                    if !state.isBusy {
                        state.isBusy = true
                        return .success(())
                    }
                    guard state.count < limit else {
                        return .failure(
                            ServerError(429, "\(limit) requests are waiting; try again", code: "queue_full"))
                    }
                    if state.waiting[client] == nil { state.turns.append(client) }
                    state.waiting[client, default: []].append(Waiter(number: number, continuation: continuation))
                    state.count += 1
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
            // Entered, or refused: a cancellation that comes now finds nothing to take away.
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                for (client, waiters) in state.waiting {
                    guard let index = waiters.firstIndex(where: { $0.number == number }) else { continue }
                    state.count -= 1
                    state.waiting[client]?.remove(at: index)
                    if waiters.count == 1 {
                        state.waiting[client] = nil
                        state.turns.removeAll { $0 == client }
                    }
                    return waiters[index]
                }
                state.cancelled.insert(number)
                return nil
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    private func leave() {
        let (next, ending) = state.withLock { state -> (Waiter?, [CheckedContinuation<Void, Never>]) in
            guard !state.turns.isEmpty else {
                state.isBusy = false
                defer { state.ending = [] }
                return (nil, state.ending)
            }
            let client = state.turns.removeFirst()
            var waiters = state.waiting[client] ?? []
            let waiter = waiters.removeFirst()
            state.waiting[client] = waiters.isEmpty ? nil : waiters
            if !waiters.isEmpty { state.turns.append(client) }
            state.count -= 1
            return (waiter, [])
        }
        next?.continuation.resume()
        for task in ending { task.resume() }
    }

    /// Waits for the request in work, after ``close()``.
    package func idle() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.isBusy { state.ending.append(continuation) }
                return !state.isBusy
            }
            if isIdle { continuation.resume() }
        }
    }

    /// Refuses requests that wait, and those to come.
    package func close() {
        let waiters = state.withLock { state in
            defer {
                state.isClosed = true
                state.waiting = [:]
                state.turns = []
                state.count = 0
            }
            return state.waiting.values.flatMap { $0 }
        }
        for waiter in waiters { waiter.continuation.resume(throwing: Self.closed) }
    }
}
