import Foundation

/// A program started with its streams in files.
///
/// Not Foundation's `Process`: on Linux that takes a child for alive as long as anyone holds a pipe which children
/// inherit, and the servers that tests leave running hold it for ever.
struct ChildProcess: Sendable {
    let identifier: pid_t

    enum Failure: Error { case spawn(program: String, reason: String) }

    /// - Parameters:
    ///   - input: the path of standard input.
    ///   - output: a path, made if it is not there; or a descriptor to use.
    ///   - words: a path for standard error.
    init(
        _ arguments: [String], environment: [String: String], input: String = "/dev/null", output: String,
        outputDescriptor: Int32? = nil, words: String
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        if let outputDescriptor {
            posix_spawn_file_actions_adddup2(&actions, outputDescriptor, 1)
        } else {
            posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
        }
        posix_spawn_file_actions_addopen(&actions, 2, words, O_WRONLY | O_CREAT, 0o600)
        // Signals as a login shell hands them down, whatever the test runner ignores.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var usual = sigset_t(), none = sigset_t()
        sigemptyset(&none)
        sigemptyset(&usual)
        for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { sigaddset(&usual, signal) }
        posix_spawnattr_setsigdefault(&attributes, &usual)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        var argumentPointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var environmentPointers: [UnsafeMutablePointer<CChar>?] =
            environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        var child = pid_t()
        let code = posix_spawnp(&child, arguments[0], &actions, &attributes, &argumentPointers, &environmentPointers)
        guard code == 0 else { throw Failure.spawn(program: arguments[0], reason: String(cString: strerror(code))) }
        identifier = child
    }

    /// The end of the process: the exit code, or the signal.
    func wait() -> (code: Int32, signal: Int32?) {
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) < 0 && errno == EINTR {}
        let signal = status & 0x7f
        return signal == 0 ? ((status >> 8) & 0xff, nil) : (signal, signal)
    }

    /// The same on a thread of its own, so that none of the tests' threads stands still.
    func ended() async -> (code: Int32, signal: Int32?) {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: wait()) }
        }
    }
}
