import Synchronization

/// Bounds of what clients may use.
package struct ServerLimits: Sendable, Hashable {
    /// Bytes of one request's body.
    package var bodyBytes = 64 << 20
    /// Bytes of all bodies that are held at once.
    package var allBodyBytes = 512 << 20
    package var connections = 256
    /// Bytes of an answer that wait for a slow reader.
    package var unsentBytes = 64 << 20
    /// Seconds in which a request has to arrive.
    package var requestSeconds = 120
    /// Seconds without a byte in either direction, while no answer is computed.
    package var idleSeconds = 60
    /// Requests that wait for the model.
    package var waiting = 64

    package init() {}
}

/// A count that may not exceed a limit.
final class Budget: Sendable {
    private let limit: Int
    private let used = Mutex(0)

    init(_ limit: Int) { self.limit = limit }

    func take(_ amount: Int) -> Bool {
        used.withLock { used in
            guard amount <= limit - used else { return false }
            used += amount
            return true
        }
    }

    var isUsed: Bool { used.withLock { $0 > 0 } }

    func give(_ amount: Int) { used.withLock { $0 -= amount } }
}
