import Foundation
import Generation
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("Recorded sessions")
struct RecordingTests {
    private func path() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("fovea-\(UUID().uuidString).session").path
    }

    /// The events of a scene, as the app would record them.
    private func record(_ events: [Event], to path: String) throws {
        let recorder = try SessionRecorder(path: path)
        for event in events { recorder.add(event) }
    }

    private static let events: [Event] = {
        var events: [Event] = [
            .device("llvmpipe"),
            .models([ModelChoice(name: "blip-base", description: "captions", installed: true, bytes: 9)]),
            .loaded("blip-base", .done),
            .abilities(Scene.pictureModel), .input(.paste("What is there?")), .input(.key(Key(.enter))),
            .answer(1, .inputPrepared(.source(Translation.text)), time: 0),
            .answer(1, .inputPrepared(.picture(Scenery.tiled)), time: 0),
            .answer(1, .inputPrepared(.audio(RecordedSpeech.window(0, language: "en"))), time: 0),
            .answer(1, .encoded(seconds: 1), time: 1),
        ]
        events += Scenery.tokens(Scenery.tiled).map { .answer(1, .token($0), time: Double($0.index)) }
        events += RecordedSpeech.segments(window: 0, start: 0).map { .answer(1, .segment($0), time: 2) }
        events += [
            .answer(
                1,
                .finished(
                    GenerationSummary(
                        reason: .endOfText, tokens: 8, encodeSeconds: 1, prefillSeconds: 1, decodeSeconds: 1)), time: 9),
            .answered(1, .failed("why\u{1B}")),
            .input(.key(.control("p"))), .input(.key(Key(.escape))), .input(.key(.character("é"))),
            .input(.mouse(.press, x: 3, y: 4)),
            .memory(.init(byPurpose: [.selfKV: 5], accounted: 5, heapSize: 6, tokensLeft: 7)),
        ]
        return events
    }()

    @Test("what was recorded looks the same when it is played") func roundTrip() throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try record(Self.events, to: path)
        let session = try RecordedSession(path: path)
        #expect(session.steps.count == Self.events.count)
        var live = Scene(120, 40), played = Scene(120, 40)
        for event in Self.events { live.send(event) }
        for step in session.steps { played.send(.played(step.event)) }
        // Weights and pixels go through 16 bits; colors differ by a step at most, and a cell of one color needs no block.
        #expect(played.text.replacing("▀", with: " ") == live.text.replacing("▀", with: " "))
        let blocks = [Glyph("▀"), Glyph.space]
        for (a, b) in zip(live.canvas.cells, played.canvas.cells) {
            #expect(a.glyph == b.glyph || blocks.contains(a.glyph) && blocks.contains(b.glyph))
            #expect(abs(a.style.background.luma - b.style.background.luma) < 0.05)
        }
    }

    @Test("the app plays a session without a model; a key still leaves") func app() async throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try record(Self.events, to: path)
        let screen = MemoryScreen(Size(120, 40))
        var options = PlaygroundOptions(dataFolder: nil)
        options.replay = try RecordedSession(path: path)
        let chosen = options
        let task = Task { @MainActor in
            try await PlaygroundApp.run(backend: SilentBackend(), options: chosen, screen: screen)
        }
        for _ in 0..<3000 where !screen.canvas.text.contains("A red house under a yellow sun.") {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(screen.canvas.text.contains("A red house under a yellow sun."))
        screen.send(.terminate(signal: 15))
        #expect(try await task.value == .signal(15))
    }

    @Test("a session that began with a file on the command line plays it too") func commandLine() throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let events: [Event] = [
            .started(model: "whisper-base", audio: "/tmp/talk.wav"),
            .models([ModelChoice(name: "whisper-base", description: "", installed: true, bytes: 1)]),
            .loaded("whisper-base", .done),
            .answer(1, .inputPrepared(.audio(RecordedSpeech.window(0, language: "en"))), time: 0),
            .answer(1, .token(RecordedSpeech.tokens(window: 0, start: 0)[1]), time: 1), .answered(1, .done),
            .attach("/tmp/a.png"),
        ]
        try record(events, to: path)
        var scene = Scene(120, 40)
        for step in try RecordedSession(path: path).steps { scene.send(.played(step.event)) }
        #expect(scene.text.contains("♪ talk.wav") && scene.text.contains("And") && scene.text.contains("▣ a.png"))
    }

    @Test("sessions of version 1 still open", arguments: ["chat", "picture", "playground", "translation"])
    func version1(name: String) throws {
        let root = URL(fileURLWithPath: #filePath).appending(path: "../../../..").standardized
        let session = try RecordedSession(path: root.appending(path: "assets/screenshot/\(name).session").path)
        var scene = Scene(120, 40)
        for step in session.steps { scene.send(.played(step.event)) }
        let answer = try #require(scene.state.chat.messages.last { $0.isAnswer })
        #expect(answer.tokens.contains { $0.record != nil } && answer.progress == .finished)
        #expect(scene.state.attention.shown?.captured != nil && scene.state.memory.report != nil)
    }

    @Test("files that are none, or were tampered with, are errors that name the line") func hostile() throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let header = #"{"kind":"fovea-session","version":1}"# + "\n"
        func expectError(_ text: String, _ words: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            do {
                _ = try RecordedSession(path: path)
                Issue.record("was read", sourceLocation: sourceLocation)
            } catch { #expect("\(error)".contains(words), "\(error)", sourceLocation: sourceLocation) }
        }
        try expectError("", "not a recorded session")
        try expectError("hello\n", "not a recorded session")
        try expectError(#"{"kind":"other","version":1}"#, "not a recorded session")
        try expectError(#"{"kind":"fovea-session","version":99}"#, "format 99")
        try expectError(header + "{\n", "line 2")
        try expectError(
            header + #"{"at":0,"event":{"device":{"_0":"x"}}}"# + "\n" + #"{"at":-1,"event":{"device":{"_0":"x"}}}"#,
            "line 3: invalid: times must not decrease")
        func token(_ heads: Int, _ keys: Int, _ base64: String) -> String {
            header
                + #"{"at":0,"event":{"answer":{"number":1,"time":0,"_2":{"token":{"_0":{"index":0,"window":0,"id":1,"text":"","piece":"","special":false,"logProbability":0,"alternatives":[],"attention":[{"kind":"cross","layer":0,"heads":\#(heads),"queries":1,"keys":\#(keys),"values":"\#(base64)"}]}}}}}}"#
        }
        try expectError(token(1, 2, "AAA="), "1 weights for [1, 1, 2]")
        try expectError(token(4_000_000, 4_000_000, "AAA="), "weights for")
        try expectError(token(1, 1, "/38="), "a number that is not finite")
        try expectError(token(0, 0, ""), "weights for")
        try expectError(header + #"{"at":0,"event":{"key":{"_0":{"code":"F99","modifiers":0}}}}"#, "a key")
        try expectError(
            header
                + #"{"at":0,"event":{"memory":{"_0":{"byPurpose":{"kv.self":9223372036854775807},"accounted":1,"heap":1}}}}"#,
            "a size of memory")
        try expectError(
            header
                + #"{"at":0,"event":{"looked":{"path":"x","width":1,"height":1,"pixels":{"width":4000,"height":4000,"rgb":"AAAA"}}}}"#,
            "3 bytes for a picture")
        // A session cut short is damaged from its last line on, and no shorter one is an error.
        try record(Self.events, to: path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for share in [0.1, 0.5, 0.9, 0.99] {
            try whole.prefix(Int(Double(whole.count) * share)).write(to: URL(fileURLWithPath: path))
            #expect(throws: RecordingError.self) { try RecordedSession(path: path) }
        }
        try expectError(header + #"{"at":1e300,"event":{"device":{"_0":"x"}}}"#, "line 2: invalid")
        let current = #"{"kind":"fovea-session","version":2}"# + "\n"
        func event(_ json: String) -> String { current + #"{"at":0,"event":"# + json + "}" }
        try expectError(
            event(#"{"answer":{"_0":1,"time":0,"_1":{"discarded":{"keeping":9223372036854775807,"reason":""}}}}"#),
            "a number of tokens to keep")
        try expectError(event(#"{"waveformLoaded":{"_0":"x","_1":{"seconds":1,"levels":[7]}}}"#), "a waveform")
        try expectError(event(#"{"key":{"_0":{"code":"'e","modifiers":0}}}"#), "no event of a session")
        #expect(throws: RecordingError.self) { try RecordedSession(path: "/nonexistent/x") }
        #expect(throws: RecordingError.self) { try SessionRecorder(path: "/nonexistent/x") }
    }
}
