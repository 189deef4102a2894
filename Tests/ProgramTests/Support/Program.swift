import Foundation
import TestSupport
import Testing

/// The built program, run as a person's shell would run it.
enum Program {
    /// `FOVEA_EXECUTABLE`, else the one that was built with these tests: it lies beside the test bundle.
    static let path: String = {
        if let path = ProcessInfo.processInfo.environment["FOVEA_EXECUTABLE"] { return path }
        let tests =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(filePath: tests).deletingLastPathComponent().appending(path: "fovea").path
    }()

    static var isBuilt: Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// The end and the output of a run.
    struct Outcome: Sendable {
        let code: Int32
        /// The signal that ended it, if one did.
        let signal: Int32?
        let output: String
        let words: String

        var json: Any? { try? JSONSerialization.jsonObject(with: Data(output.utf8)) }
        /// True where standard error is one line that begins `fovea: `, as every failure's is.
        var isOneClearLine: Bool {
            words.hasPrefix("fovea: ") && words.hasSuffix("\n")
                && words.dropLast().allSatisfy { !$0.isNewline && $0 != "\u{1b}" }
        }
    }

    /// Runs the program to its end.
    /// - Parameters:
    ///   - home: where it keeps models and caches; a fresh empty folder by default.
    ///   - environment: added to a small clean environment; an empty value takes the variable away.
    ///   - seconds: after which it is killed and the test fails.
    ///   - input: the path of standard input.
    ///   - interruptAfter: seconds after which it gets `interruptSignal`.
    static func run(
        _ arguments: [String], home: TemporaryFolder? = nil, environment: [String: String] = [:],
        input: String = "/dev/null", output: FileHandle? = nil, seconds: Double = 240, interruptAfter: Double? = nil,
        interruptSignal: Int32 = SIGINT, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Outcome {
        let folder = try TemporaryFolder()
        let home = try home ?? TemporaryFolder()
        let outputPath = try folder.write("", to: "stdout"), wordsPath = try folder.write("", to: "stderr")
        let child = try ChildProcess(
            [path] + arguments, environment: clean(home: home.url.path, environment), input: input, output: outputPath,
            outputDescriptor: output?.fileDescriptor,
            words: wordsPath)
        let identifier = child.identifier
        let watchdog = Task {
            try await Task.sleep(for: .seconds(seconds))
            Issue.record(
                "`fovea \(arguments.joined(separator: " "))` did not end within \(seconds) s",
                sourceLocation: sourceLocation)
            kill(identifier, SIGKILL)
        }
        let interrupter = interruptAfter.map { delay in
            Task {
                try await Task.sleep(for: .seconds(delay))
                kill(identifier, interruptSignal)
            }
        }
        let end = await child.ended()
        watchdog.cancel()
        interrupter?.cancel()
        return Outcome(
            code: end.code, signal: end.signal,
            output: String(decoding: try Data(contentsOf: URL(filePath: outputPath)), as: UTF8.self),
            words: String(decoding: try Data(contentsOf: URL(filePath: wordsPath)), as: UTF8.self))
    }

    static func run(
        _ arguments: String..., home: TemporaryFolder? = nil, environment: [String: String] = [:],
        output: FileHandle? = nil,
        seconds: Double = 240, interruptAfter: Double? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Outcome {
        try await run(
            arguments, home: home, environment: environment, output: output, seconds: seconds,
            interruptAfter: interruptAfter,
            sourceLocation: sourceLocation)
    }

    /// The environment of a fresh login, with what Vulkan drivers and package tools need of ours.
    static func clean(home: String, _ more: [String: String]) -> [String: String] {
        let ours = ProcessInfo.processInfo.environment
        var result = [
            "HOME": home, "PATH": ours["PATH"] ?? "/usr/bin:/bin", "TERM": "xterm-256color", "LANG": "C.UTF-8",
        ]
        // Mesa's compiled shaders are kept between runs: compiling them takes most of a short run's time.
        result["MESA_SHADER_CACHE_DIR"] =
            ours["MESA_SHADER_CACHE_DIR"]
            ?? FileManager.default.temporaryDirectory.appending(path: "fovea-test-shaders").path
        // The Swift runtime's own crash report would wait for a key.
        result["SWIFT_BACKTRACE"] = "enable=no"
        for key in ["LD_LIBRARY_PATH", "VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_LAYER_PATH"] {
            result[key] = ours[key]
        }
        result.merge(more) { $1 }
        return result.filter { !$0.value.isEmpty }
    }
}

/// Things that tests need on the machine; where they are absent, tests are skipped.
enum Machine {
    static func has(_ program: String) -> Bool {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
        }
    }

    /// Permissions do not hold root back.
    static var isRoot: Bool { geteuid() == 0 }

    /// The speech model for whole sessions, where `fovea pull` put it.
    static var speechModel: String? { Fixtures.realModel("whisper-tiny.en")?.path }
    static var recording: String? {
        guard Fixtures.available else { return nil }
        let path = Fixtures.data.appending(path: "jfk.wav").path
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }
}
