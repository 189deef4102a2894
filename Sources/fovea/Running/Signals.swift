import Foundation
import Synchronization

/// File descriptor that the signal handler writes to; set once before the handlers are installed.
private nonisolated(unsafe) var signalPipe: Int32 = -1

/// Ctrl-C and SIGTERM as cancellation: the first asks the command to stop, the second ends the program at once.
///
/// Handlers rather than ignored signals, because ignoring is inherited by the programs we start and handlers are not.
final class Signals: Sendable {
    private let first = Mutex<Int32?>(nil)

    /// The signal that asked to stop; `nil` when none did.
    var received: Int32? { first.withLock { $0 } }

    /// - Parameter cancel: called once, on a thread of its own.
    func start(cancel: @escaping @Sendable () -> Void) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }  // Signals then act as usual.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let reading = ends[0]
        signalPipe = ends[1]

        let watcher = Thread { [self] in
            var byte: UInt8 = 0
            while true {
                let count = read(reading, &byte, 1)
                if count < 0 && errno == EINTR { continue }
                guard count == 1 else { return }
                let signal = Int32(byte)
                let isFirst = first.withLock { first in
                    defer { if first == nil { first = signal } }
                    return first == nil
                }
                if !isFirst { _exit(128 + signal) }
                cancel()
            }
        }
        watcher.start()

        for signal in [SIGINT, SIGTERM, SIGHUP] { Self.handle(signal, forward) }
        // Writing to a closed pipe then fails with EPIPE, which `Console` turns into a quiet end.
        Self.handle(SIGPIPE) { _ in }
    }

    private static func handle(_ signal: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = handler
        action.sa_flags = SA_RESTART
        sigaction(signal, &action, nil)
    }
}

/// Runs as a signal handler: nothing but `write`, and `errno` as it was.
private func forward(_ signal: Int32) {
    let saved = errno
    var byte = UInt8(truncatingIfNeeded: signal)
    _ = write(signalPipe, &byte, 1)
    errno = saved
}
