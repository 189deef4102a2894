import PlaygroundCore
import Synchronization

/// The queue of events: input and tasks put events in, the loop takes all of them.
final class EventQueue: Sendable {
    private struct Contents {
        var events: [Event] = []
        var isFrameDue = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let contents = Mutex(Contents())

    func put(_ event: Event) {
        contents.withLock { contents in
            contents.events.append(event)
            defer { contents.waiter = nil }
            return contents.waiter
        }?.resume()
    }

    /// Wakes the loop without an event, to draw.
    func wakeForFrame() {
        contents.withLock { contents in
            contents.isFrameDue = true
            defer { contents.waiter = nil }
            return contents.waiter
        }?.resume()
    }

    /// Waits for events and takes all of them. Only one caller may wait.
    func take() async -> [Event] {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let ready = contents.withLock { contents in
                if !contents.events.isEmpty || contents.isFrameDue { return true }
                contents.waiter = continuation
                return false
            }
            if ready { continuation.resume() }
        }
        return contents.withLock { contents in
            contents.isFrameDue = false
            defer { contents.events.removeAll(keepingCapacity: true) }
            return contents.events
        }
    }
}
