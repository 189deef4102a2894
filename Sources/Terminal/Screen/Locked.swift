import Synchronization

/// A value behind a mutex, in a class so that it can be shared.
final class Locked<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        mutex.withLock { value in
            // The copy out and back satisfies the region checker; the buffers inside move with it.
            var copy = value
            let result = body(&copy)
            value = copy
            return result
        }
    }
}
