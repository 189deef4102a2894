import Foundation
import TestSupport
import Testing

/// The playground where there is no terminal for it.
@Suite(.serialized) struct NoTerminalTests {
    @Test(arguments: [[], ["chat"], ["--device", "0"]])
    func outputThatIsNoTerminalIsSaidSo(_ arguments: [String]) async throws {
        let run = try await Program.run(arguments)
        #expect(run.code == 1)
        #expect(run.output.isEmpty)
        #expect(run.isOneClearLine)
        #expect(run.words.contains("needs a terminal") && run.words.contains("fovea transcribe"))
    }

    @Test func argumentsThatCannotGoTogetherAreRefused() async throws {
        let folder = try TemporaryFolder()
        let sounds = try ["a.wav", "b.wav"].map { try folder.write("sound", to: $0) }
        for (arguments, words) in [
            (["chat", "one-model", "another"], "models: one-model and another; give one"),
            (["chat"] + sounds, "recordings: \(sounds[0]) and \(sounds[1])"),
            (["chat", "--audio", sounds[0], sounds[1]], "recordings: "),
            (["chat", "--max-tokens", "0"], "--max-tokens"),
            (["chat", "--top-k", "0"], "--top-k"), (["chat", "--chat-format", "none-such"], "chatml"),
        ] {
            let run = try await Program.run(arguments)
            #expect(run.code == 2 && run.words.contains(words), "\(run.words)")
        }
    }

    @Test(.enabled(if: Machine.has("tmux"), "tmux is not installed"), arguments: ["dumb", "no-such-terminal"])
    func aTerminalThatCannotPlaceACursorIsSaidSo(_ term: String) async throws {
        let session = try TerminalSession(environment: ["TERM": term])
        #expect(try await session.end() == 1)
        let screen = try await session.wait(for: "the program ended with 1")
        #expect(screen.contains("TERM=\(term)"))
        try session.expectSane()
    }

    @Test(.enabled(if: Machine.has("tmux"), "tmux is not installed"))
    func whatIsWrongWithTheArgumentsIsSaidBeforeTheScreenIsTaken() async throws {
        let folder = try TemporaryFolder()
        let letter = try folder.write("a letter, not a recording", to: "letter.wav")
        for (arguments, words) in [
            ([letter], "is not a recording"), (["whisper-enormous"], "no model is called"),
            (["--device", "none such"], "no device matches"),
        ] {
            let session = try TerminalSession(arguments, width: 200)
            #expect(try await session.end() == 1)
            try await session.wait(for: words)
            try session.expectSane()
        }
    }
}

/// Every way out of the playground leaves the terminal as it was.
@Suite(.serialized, .enabled(if: Machine.has("tmux"), "tmux is not installed")) struct WayOutTests {
    /// The playground without any model, with its panels drawn.
    private func start() async throws -> TerminalSession {
        let session = try TerminalSession(environment: ["FOVEA_ASSETS": "/none"])
        // With nothing installed it offers the catalogue.
        try await session.wait(for: "whisper-tiny.en", seconds: 60)
        return session
    }

    @Test func theKeyThatQuits() async throws {
        let session = try await start()
        try session.press("Escape")
        try await session.wait("the list to close") { !$0.contains("Enter") || !$0.contains("whisper-base") }
        try session.press("Escape")
        try await session.wait(for: "i to type")
        try session.press("q")
        #expect(try await session.end() == 0)
        try session.expectSane()
    }

    @Test func ctrlCAsksAndASecondOneAnswers() async throws {
        let session = try await start()
        try session.press("Escape")
        try await session.settle()
        try session.press("C-c")
        try await session.wait(for: "Quit fovea?")
        try session.press("C-c")
        #expect(try await session.end() == 0)
        try session.expectSane()
    }

    @Test(arguments: [SIGTERM, SIGHUP, SIGINT])
    func aSignalThatAsksForTheEnd(_ number: Int32) async throws {
        let session = try await start()
        try session.signal(number)
        #expect(try await session.end() == 128 + number)
        try session.expectSane()
    }

    @Test(arguments: [SIGSEGV, SIGABRT])
    func aCrash(_ number: Int32) async throws {
        let session = try await start()
        try session.signal(number)
        #expect(try await session.end() == 128 + number)
        try session.expectSane()
    }
}
