import Foundation
import TestSupport
import Testing

/// Help, version, and answers to wrong command lines.
@Suite(.serialized) struct UsageTests {
    @Test func helpIsDataAndNamesEveryCommand() async throws {
        let run = try await Program.run("--help")
        #expect(run.code == 0)
        #expect(run.words.isEmpty)
        for command in [
            "chat", "run", "transcribe", "trace", "devices", "models", "pull", "inspect", "plan", "bench", "tokenize",
        ] { #expect(run.output.contains(command)) }
    }

    @Test func theVersionIsANumber() async throws {
        let run = try await Program.run("--version")
        #expect(run.code == 0)
        #expect(run.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }

    @Test(arguments: [
        ["devices", "--frobnicate"], ["inspect"], ["pull"], ["inspect", "a", "b"], ["devices", "--device"],
    ])
    func wrongUsageExitsWithTwo(_ arguments: [String]) async throws {
        let run = try await Program.run(arguments)
        #expect(run.code == 2)
        #expect(run.output.isEmpty)
        #expect(run.words.hasPrefix("fovea: "))
        #expect(run.words.contains("Usage: fovea"))
    }

    @Test func argumentsCannotReachTheTerminal() async throws {
        let run = try await Program.run("devices", "--\u{1b}[31mred")
        #expect(run.code == 2)
        #expect(!run.words.contains("\u{1b}"))
    }

    @Test func aFullDiskBehindStandardOutputIsAFailure() async throws {
        let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
        let run = try await Program.run("models", output: full)
        #expect(run.code == 1)
        #expect(run.isOneClearLine)
        #expect(run.words.contains("standard output: No space left on device"))
    }

    @Test func aReaderThatHasHadEnoughEndsItQuietly() async throws {
        // The reader is gone before the first byte: what `fovea … | head` comes to.
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        let run = try await Program.run("models", output: pipe.fileHandleForWriting)
        #expect(run.signal == SIGPIPE)
        #expect(run.words.isEmpty)
    }

    @Test(
        "a variable with an unknown word is a usage error",
        arguments: ["FOVEA_KERNELS", "FOVEA_VALIDATION", "FOVEA_LOG"])
    func unknownWordsInVariables(name: String) async throws {
        let run = try await Program.run("models", environment: [name: "nonsense"])
        #expect(run.code == 2 && run.isOneClearLine && run.words.contains(name) && run.words.contains("nonsense"))
    }
}
