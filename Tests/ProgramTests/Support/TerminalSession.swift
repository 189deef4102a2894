import Foundation
import TestSupport
import Testing

/// The program in a real terminal: a tmux server of its own, keys typed, the screen read back.
///
/// The pane's shell writes down the terminal's settings before the program starts and after it has ended, and how it
/// ended.
final class TerminalSession: Sendable {
    /// The lines of the screen, trailing spaces cut.
    struct Screen: Sendable, Hashable, CustomStringConvertible {
        let lines: [String]
        var description: String { lines.joined(separator: "\n") }
        func contains(_ text: String) -> Bool { lines.contains { $0.contains(text) } }

        /// The part of each line in these columns.
        func columns(_ range: Range<Int>) -> [String] {
            lines.map { line in
                let characters = Array(
                    line.padding(toLength: max(line.count, range.upperBound), withPad: " ", startingAt: 0))
                return String(characters[range])
            }
        }
    }

    enum Failure: Error, CustomStringConvertible {
        case tmux(String)
        case neverShown(String, seconds: Double, screen: String)

        var description: String {
            switch self {
            case .tmux(let text): "tmux: \(text)"
            case .neverShown(let what, let seconds, let screen):
                "not within \(seconds) s: \(what); the screen is\n\(screen)"
            }
        }
    }

    private let folder: TemporaryFolder

    /// Starts the program.
    /// - Parameters:
    ///   - home: where it finds models; a fresh empty folder by default.
    ///   - environment: as for `Program.run`. TERM is what tmux makes it unless it is given.
    init(
        _ arguments: [String] = [], width: Int = 100, height: Int = 30, home: TemporaryFolder? = nil,
        environment: [String: String] = [:]
    ) throws {
        folder = try TemporaryFolder()
        let home = home ?? folder
        func quoted(_ text: String) -> String { "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'" }
        var variables = Program.clean(home: home.url.path, environment)
        if environment["TERM"] == nil { variables["TERM"] = nil }
        let exports = variables.map { "export \($0.key)=\(quoted($0.value))" }.sorted().joined(separator: "\n")
        let command = ([Program.path] + arguments).map(quoted).joined(separator: " ")
        let script = """
            \(exports)
            unset COLORTERM
            cd \(quoted(folder.url.path))
            stty -a > before
            sh -c 'echo $$ > pid; exec "$@"' sh \(command)
            status=$?
            stty -a > after
            echo "the program ended with $status"
            echo $status > status
            exec sleep 1000
            """
        let path = try folder.write(script, to: "session.sh")
        try tmux("new-session", "-d", "-x", "\(width)", "-y", "\(height)", "sh \(quoted(path))")
        // Else tmux follows the size of clients, of which there are none.
        try tmux("set-option", "-g", "window-size", "manual")
    }

    deinit { _ = try? tmux("kill-server") }

    // MARK: Keys

    /// Presses keys by tmux's names: `Enter`, `Tab`, `C-c`, `Left`, `q`.
    func press(_ keys: String...) throws { try tmux(["send-keys"] + keys) }

    /// Types text as it stands.
    func type(_ text: String) throws { try tmux("send-keys", "-l", text) }

    func resize(width: Int, height: Int) throws { try tmux("resize-window", "-x", "\(width)", "-y", "\(height)") }

    // MARK: The screen

    func screen() throws -> Screen {
        let text = try tmux("capture-pane", "-p")
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return Screen(lines: lines)
    }

    /// Waits until the screen shows a text, and returns it.
    @discardableResult
    func wait(for text: String, seconds: Double = 30) async throws -> Screen {
        try await wait("“\(text)” on the screen", seconds: seconds) { $0.contains(text) }
    }

    /// Looks at the screen again and again, from a thread of its own: tests that compute side by side with this one may
    /// hold all threads that tasks run on, and what is shown for a moment would be missed.
    @discardableResult
    func wait(_ what: String, seconds: Double = 30, until holds: @escaping (Screen) throws -> Bool) async throws
        -> Screen
    {
        // The caller waits for the thread, which alone calls `holds`; the thread may let go of it a moment after the caller went on.
        nonisolated(unsafe) let holds = holds
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try self.poll(what, seconds: seconds, until: holds) })
            }
        }
    }

    private func poll(_ what: String, seconds: Double, until holds: (Screen) throws -> Bool) throws -> Screen {
        let began = ContinuousClock.now
        while true {
            let screen = try screen()
            if try holds(screen) { return screen }
            if began.duration(to: .now) > .seconds(seconds) {
                throw Failure.neverShown(what, seconds: seconds, screen: screen.description)
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    /// Waits until the screen has not changed for a while.
    @discardableResult
    func settle(seconds: Double = 30) async throws -> Screen {
        var last = try screen(), since = ContinuousClock.now
        let began = since
        while since.duration(to: .now) < .milliseconds(700) {
            try await Task.sleep(for: .milliseconds(70))
            let now = try screen()
            if now != last { (last, since) = (now, .now) }
            if began.duration(to: .now) > .seconds(seconds) {
                throw Failure.neverShown("a screen that stands still", seconds: seconds, screen: now.description)
            }
        }
        return last
    }

    // MARK: The terminal

    var process: pid_t? { text(of: "pid").flatMap { pid_t($0) } }

    func signal(_ signal: Int32) throws {
        guard let process else { throw Failure.tmux("the program has not started") }
        kill(process, signal)
    }

    /// Waits for the program's end and returns its exit code as the shell saw it.
    func end(seconds: Double = 30) async throws -> Int32 {
        try await wait("the program's end", seconds: seconds) { _ in self.text(of: "status") != nil }
        return text(of: "status").flatMap { Int32($0) } ?? -1
    }

    /// True where the terminal is as it was before the program: settings, cursor, screen.
    func expectSane(sourceLocation: SourceLocation = #_sourceLocation) throws {
        // The size may have been changed by the test itself.
        func settings(_ name: String) -> String? { text(of: name)?.replacing(/rows \d+; columns \d+;/, with: "") }
        #expect(settings("before") != nil, sourceLocation: sourceLocation)
        #expect(
            settings("before") == settings("after"), "the terminal's settings changed", sourceLocation: sourceLocation)
        let flags = try tmux("display-message", "-p", "#{cursor_flag} #{alternate_on} #{mouse_any_flag}")
        #expect(flags == "1 0 0\n", "cursor shown, main screen, mouse off", sourceLocation: sourceLocation)
        let screen = try screen()
        #expect(screen.contains("the program ended with"), sourceLocation: sourceLocation)
        #expect(!screen.contains("Attention ─"), "the program's screen was left behind", sourceLocation: sourceLocation)
    }

    private func text(of name: String) -> String? {
        guard let text = try? String(contentsOfFile: folder.path(name), encoding: .utf8), text.hasSuffix("\n") else {
            return nil
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @discardableResult
    private func tmux(_ arguments: String...) throws -> String { try tmux(arguments) }

    @discardableResult
    private func tmux(_ arguments: [String]) throws -> String {
        let name = UUID().uuidString
        let output = folder.path(name), words = folder.path(name + ".words")
        defer { for path in [output, words] { try? FileManager.default.removeItem(atPath: path) } }
        let environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
        ]
        let child = try ChildProcess(
            ["tmux", "-S", folder.path("tmux"), "-f", "/dev/null"] + arguments, environment: environment,
            output: output, words: words)
        guard child.wait().code == 0 else { throw Failure.tmux(try String(contentsOfFile: words, encoding: .utf8)) }
        return try String(contentsOfFile: output, encoding: .utf8)
    }
}
