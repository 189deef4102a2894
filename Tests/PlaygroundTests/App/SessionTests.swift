import Foundation
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

/// The whole app on a screen in memory, used as a person would use it.
final class Sitting: Sendable {
    let screen: MemoryScreen
    let backend: ScriptedBackend
    private let task: Task<PlaygroundCore.ExitStatus, any Error>

    init(
        _ script: ScriptedBackend.Script = .init(), size: Size = Size(120, 40),
        options: PlaygroundOptions = PlaygroundOptions(dataFolder: nil)
    ) {
        let screen = MemoryScreen(size)
        self.screen = screen
        let backend = ScriptedBackend(script)
        self.backend = backend
        task = Task { try await PlaygroundApp.run(backend: backend, options: options, screen: screen) }
    }

    func press(_ keys: Key...) { for key in keys { screen.send(.key(key)) } }
    func type(_ text: String) { for character in text { screen.send(.key(.character(character))) } }

    /// Waits until the screen shows `text`: minutes at most, since other tests may have the cores.
    func see(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await see("“\(text)”", sourceLocation: sourceLocation) { $0.text.contains(text) }
    }

    func see(_ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ holds: (Canvas) -> Bool) async throws
    {
        let began = ContinuousClock.now
        while ContinuousClock.now - began < .seconds(240) {
            if holds(screen.canvas) { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("never saw \(what); the screen:\n\(screen.canvas.text)", sourceLocation: sourceLocation)
        throw CancellationError()
    }

    func end() async throws -> PlaygroundCore.ExitStatus { try await task.value }
}

/// One after another: an app's loop lives on the main actor, and a process has one of those. Side by side they would
/// measure each other.
@Suite("Sessions", .serialized, .timeLimit(.minutes(10)))
struct SessionTests {
    @Test("start, load, listen, change layer and head, look back, resize, quit") func wholeSession() async throws {
        let sitting = Sitting()
        try await sitting.see("● whisper-base")
        sitting.type("/audio talk.wav")
        sitting.press(Key(.enter))
        try await sitting.see("♪ talk.wav")
        try await sitting.see("31 tokens · 31.4 tok/s")
        try await sitting.see("all layers · mean of heads")
        sitting.press(Key(.escape), Key(.down), Key(.down), .character("]"), .character("]"), .character("]"))
        try await sitting.see("layer 1 · head 1")
        sitting.press(Key(.left))
        try await sitting.see("country  token 29 of 31")
        sitting.press(.character("m"), .character("s"))
        try await sitting.see("cividis · log")
        for (width, height) in [(80, 24), (200, 60), (30, 8), (120, 40)] {
            sitting.screen.send(.resized(Size(width, height)))
            try await sitting.see("\(width)×\(height)") { $0.size == Size(width, height) }
        }
        try await sitting.see("layer 1 · head 1")
        sitting.press(.character("q"))
        #expect(try await sitting.end() == .done)
        #expect(!sitting.screen.isRunning)
        #expect(!sitting.backend.isLoaded, "leaving takes the model off the device")
    }

    @Test("speaking: the meter runs, Esc ends it early, what was heard is transcribed") func speaking() async throws {
        let sitting = Sitting(.init(pace: .milliseconds(20)))
        try await sitting.see("● whisper-base")
        sitting.type("/mic 600")
        sitting.press(Key(.enter))
        try await sitting.see("listening")
        try await sitting.see("♪ microphone 1.")
        sitting.press(Key(.escape))
        try await sitting.see("31 tokens")
        let spoken = try #require(try sitting.backend.lastRequest?.sound?.recording())
        #expect(spoken.duration >= 1 && spoken.duration < 60 && spoken.sampleRate == 16_000)
        sitting.press(.control("d"))
        #expect(try await sitting.end() == .done)
    }

    @Test("speaking ends by itself after the time asked for") func speakingInFull() async throws {
        let sitting = Sitting()
        try await sitting.see("● whisper-base")
        sitting.type("/mic 2")
        sitting.press(Key(.enter))
        try await sitting.see("31 tokens")
        #expect(try sitting.backend.lastRequest?.sound?.recording().samples.count == 32_000)
        sitting.press(.control("d"))
        #expect(try await sitting.end() == .done)
    }

    @Test("no microphone: it is said, and nothing else changes") func noMicrophone() async throws {
        let sitting = Sitting(.init(microphoneFailure: "There is no microphone: “default” cannot be opened"))
        try await sitting.see("● whisper-base")
        sitting.type("/mic")
        sitting.press(Key(.enter))
        try await sitting.see("✗ There is no microphone")
        try await sitting.see("· idle")
        sitting.type("/audio a.wav")
        sitting.press(Key(.enter))
        try await sitting.see("31 tokens")
        sitting.press(.control("d"))
        #expect(try await sitting.end() == .done)
    }

    @Test("a microphone that goes away: what it heard is transcribed") func microphoneLost() async throws {
        let sitting = Sitting(.init(microphoneSeconds: 1.5, microphoneFailure: "Microphone “default”: reading failed"))
        try await sitting.see("● whisper-base")
        sitting.type("/mic")
        sitting.press(Key(.enter))
        try await sitting.see("✗ Microphone “default”: reading failed")
        try await sitting.see("31 tokens")
        #expect(try sitting.backend.lastRequest?.sound?.recording().duration == 1.5)
        sitting.press(.control("d"))
        #expect(try await sitting.end() == .done)
    }

    @Test("choosing another model while one answers stops it, then loads the other") func switching() async throws {
        let sitting = Sitting(
            .init(pace: .milliseconds(20), windows: 50), options: PlaygroundOptions(audio: "long.wav", dataFolder: nil))
        try await sitting.see("0:30.0")
        sitting.type("/model whisper-tiny.en")
        sitting.press(Key(.enter))
        try await sitting.see("stopped")
        try await sitting.see("● whisper-tiny.en")
        sitting.press(.control("d"))
        #expect(try await sitting.end() == .done)
    }

    @Test("leaving does not wait for a device that hangs, whatever goes on") func leavingInTime() async throws {
        let sitting = Sitting(
            .init(pace: .milliseconds(20), windows: 50, hangs: true),
            options: PlaygroundOptions(audio: "long.wav", dataFolder: nil))
        try await sitting.see("decoding")
        let start = ContinuousClock.now
        sitting.press(Key(.tab), .character("q"), .character("y"))
        #expect(try await sitting.end() == .done)
        #expect(ContinuousClock.now - start < .seconds(3))
    }

    @Test("attention that cannot be kept is a warning") func noSpill() async throws {
        var options = PlaygroundOptions(audio: "a.wav", dataFolder: nil)
        options.attentionMemory = 1 << 20
        options.spillFolder = "/nonexistent"
        let sitting = Sitting(options: options)
        try await sitting.see("⚠ no temporary file for captured attention")
        try await sitting.see("31 tokens")
        sitting.press(.control("d"))
        #expect(try await sitting.end() == .done)
    }

    @Test("first start: choose a model, download, load, listen") func firstStart() async throws {
        let sitting = Sitting(.init(installed: false))
        try await sitting.see("No model is installed yet")
        sitting.press(Key(.enter))
        try await sitting.see("● whisper-base")
        sitting.type("/audio a.wav")
        sitting.press(Key(.enter))
        try await sitting.see("country.")
        sitting.press(.control("c"))
        try await sitting.see("Quit fovea?")
        sitting.press(.control("c"))
        #expect(try await sitting.end() == .done)
    }

    @Test("a file on the command line is heard as soon as the model is loaded; Esc stops") func stopping() async throws
    {
        let sitting = Sitting(
            .init(pace: .milliseconds(20), windows: 50), options: PlaygroundOptions(audio: "long.wav", dataFolder: nil))
        try await sitting.see("0:30.0")
        sitting.press(Key(.escape))
        try await sitting.see("stopped")
        try await sitting.see("· idle")
        sitting.press(Key(.escape), .character("q"))
        #expect(try await sitting.end() == .done)
    }

    @Test("an error is shown and the app goes on") func failing() async throws {
        let sitting = Sitting(.init(failure: "cannot read x.wav: it is empty"))
        try await sitting.see("● whisper-base")
        sitting.type("/audio x.wav")
        sitting.press(Key(.enter))
        try await sitting.see("✗ cannot read x.wav: it is empty")
        sitting.type("/quit")
        sitting.press(Key(.enter))
        #expect(try await sitting.end() == .done)
    }

    @Test("SIGTERM ends it with 143, even over a question") func terminated() async throws {
        let sitting = Sitting()
        try await sitting.see("● whisper-base")
        sitting.press(.control("c"))
        sitting.screen.send(.terminate(signal: 15))
        #expect(try await sitting.end() == PlaygroundCore.ExitStatus(143))
    }

    @Test("tokens decoded again do not stay") func fallBack() async throws {
        let sitting = Sitting(.init(discards: true), options: PlaygroundOptions(audio: "a.wav", dataFolder: nil))
        try await sitting.see("31 tokens")
        let text = sitting.screen.canvas.text
        #expect(text.components(separatedBy: "fellow Americans").count == 2)
        sitting.press(.control("d"))
        #expect(try await sitting.end() == .done)
    }

    @Test("conversations that cannot be kept are a warning, no more") func unwritable() async throws {
        let sitting = Sitting(options: PlaygroundOptions(audio: "a.wav", dataFolder: "/dev/null/fovea"))
        try await sitting.see("⚠ This conversation is not saved")
        try await sitting.see("31 tokens")
        sitting.press(.control("d"))
        #expect(try await sitting.end() == .done)
    }

    @Test("what was said is on disk when the app is left") func kept() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fovea-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let sitting = Sitting(options: PlaygroundOptions(audio: "a.wav", dataFolder: folder))
        try await sitting.see("31 tokens")
        sitting.press(.control("d"))
        _ = try await sitting.end()
        let store = try ConversationStore(folder: folder)
        let conversation = try #require(try await store.conversations().first)
        let messages = try await store.messages(of: conversation.id)
        #expect(messages.map(\.author) == ["person", "whisper-base"])
        #expect(messages.last?.text.hasSuffix("do for your country.") == true)
    }

    @Test("a conversation is found by its words, renamed, gone on with, exported and deleted") func resuming()
        async throws
    {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fovea-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = Sitting(options: PlaygroundOptions(audio: "speech.wav", dataFolder: folder))
        try await first.see("31 tokens")
        first.type("/rename the inauguration")
        first.press(Key(.enter))
        try await first.see("this conversation: the inauguration")
        first.press(.control("d"))
        _ = try await first.end()

        let second = Sitting(options: PlaygroundOptions(dataFolder: folder))
        try await second.see("● whisper-base")
        // The first time without a task of its own the screen explains itself.
        try await second.see("1 of 4")
        second.press(Key(.escape))
        second.type("/conversations fellow Americans")
        second.press(Key(.enter))
        try await second.see("the inauguration")
        second.press(Key(.enter))
        try await second.see("♪ speech.wav")
        second.type("/export json \(folder)/talk.json")
        second.press(Key(.enter))
        try await second.see("saved to")
        #expect(try String(contentsOfFile: folder + "/talk.json", encoding: .utf8).contains("fellow Americans"))
        second.type("/retry")
        second.press(Key(.enter))
        try await second.see("31 tokens")
        second.type("/conversations")
        second.press(Key(.enter))
        try await second.see("▸")
        second.press(.character("d"))
        try await second.see("for good?")
        second.press(.character("y"))
        try await second.see("No saved conversation")
        second.press(Key(.escape))
        second.press(.control("d"))
        #expect(try await second.end() == .done)

        let third = Sitting(options: PlaygroundOptions(dataFolder: folder))
        try await third.see("● whisper-base")
        try await third.see("· idle")
        #expect(!third.screen.canvas.text.contains("1 of 4"), "it is shown once")
        third.press(.control("d"))
        #expect(try await third.end() == .done)
    }

    @Test("nothing is drawn while nothing happens, and no more than thirty frames a second while much does")
    func frames() async throws {
        let sitting = Sitting(
            .init(pace: .milliseconds(1), windows: 4), options: PlaygroundOptions(audio: "a.wav", dataFolder: nil))
        let clock = ContinuousClock()
        let start = clock.now
        try await sitting.see("124 tokens")
        let seconds = (clock.now - start) / .seconds(1)
        #expect(Double(sitting.screen.presented) <= seconds * 31 + 3)
        try await Task.sleep(for: .milliseconds(500))
        let before = sitting.screen.presented
        try await Task.sleep(for: .milliseconds(1500))
        // The history of memory may move by one sample in this time.
        #expect(sitting.screen.presented - before <= 1)
        sitting.press(.control("d"))
        _ = try await sitting.end()
    }
}
