import Foundation

/// Runs helper programs.
enum ChildProcess {
    /// The path of a program in `PATH`; `nil` when there is none.
    static func find(_ program: String, environment: [String: String]) -> String? {
        (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
            .map { $0 + "/" + program }
            .first { access($0, X_OK) == 0 }
    }

    /// Runs a program to its end with its words going to a file. `poll` is called a few times a second.
    ///
    /// - Returns: The exit status.
    /// - Throws: `CancellationError`; the program is ended first.
    static func run(
        _ program: String, _ arguments: [String], environment: [String: String], log: String,
        poll: @Sendable () -> Void = {}
    ) async throws -> Int32 {
        guard FileManager.default.createFile(atPath: log, contents: nil), let output = FileHandle(forWritingAtPath: log)
        else {
            throw ModelStoreError.writing(log, errno: errno, reason: lastSystemError())
        }
        defer { try? output.close() }
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        var pause = 10
        do {
            while process.isRunning {
                try await Task.sleep(for: .milliseconds(pause))
                pause = min(200, pause * 2)
                poll()
            }
        } catch {
            process.terminate()
            for _ in 0..<100 where process.isRunning { usleep(20_000) }
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            throw error
        }
        return process.terminationStatus
    }

    /// The last lines of a log that matter: those that begin with ERROR, or else the last three.
    static func complaint(in log: String) -> String {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter {
            !$0.isEmpty
        }
        let errors = lines.filter { $0.hasPrefix("ERROR") }
        return (errors.isEmpty ? Array(lines.suffix(3)) : errors).joined(separator: " ")
    }
}
