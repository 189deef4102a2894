import AttentionAnalysis
import Foundation
import AttentionTypes
import Generation
import Synchronization
import Media
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("Events and effects")
struct UpdateTests {
    @Test("the first installed model is loaded, a wanted one before it") func choosesModel() {
        let models = [
            ModelChoice(name: "a", description: "", installed: false, bytes: 1),
            ModelChoice(name: "b", description: "", installed: true, bytes: 1),
            ModelChoice(name: "c", description: "", installed: true, bytes: 1),
        ]
        var scene = Scene(80, 24)
        #expect(scene.send(.started(model: nil, audio: nil)) == [.listModels, .readMemory])
        #expect(scene.send(.models(models)) == [.load("b")])
        var wanting = Scene(80, 24)
        wanting.send(.started(model: "c", audio: nil))
        #expect(wanting.send(.models(models)) == [.load("c")])
        var absent = Scene(80, 24)
        absent.send(.started(model: "a", audio: nil))
        #expect(absent.send(.models(models)) == [.download("a")])
        #expect(absent.send(.downloaded("a", .done)) == [.listModels, .load("a")])
        // A path is not in the list; the backend knows what to do with it.
        var path = Scene(80, 24)
        path.send(.started(model: "/models/x", audio: nil))
        #expect(path.send(.models(models)) == [.load("/models/x")])
    }

    @Test("a recording given at the start waits for the model") func waits() {
        var scene = Scene(80, 24)
        scene.send(
            .started(model: nil, audio: "a.wav"),
            .models([ModelChoice(name: "m", description: "", installed: true, bytes: 1)]))
        let effects = scene.send(.loaded("m", .done))
        #expect(effects.contains(.answer(1, GenerationRequest(sound: .file(path: "a.wav")))))
        #expect(scene.state.engine.phase == .encoding)
    }

    @Test("language and task go with the request") func speechSettings() {
        var scene = Scene(80, 24)
        scene.loadModel()
        for line in ["/language de", "/task translate", "/audio 'my file.wav'"] {
            scene.send(.input(.paste(line)))
            scene.press(Key(.enter))
        }
        var request = GenerationRequest(sound: .file(path: "my file.wav"))
        request.speech.language = "de"
        request.speech.task = .translate
        #expect(scene.effects.contains(.answer(1, request)))
    }

    @Test("a dropped sound file is sent, a question is not taken for one") func dropped() {
        #expect(Completion.droppedSound("/home/me/a b.wav") == "/home/me/a b.wav")
        #expect(Completion.droppedSound("'/home/me/it.MP3'") == "/home/me/it.MP3")
        #expect(Completion.droppedSound("/home/me/a\\ b.flac") == "/home/me/a b.flac")
        #expect(Completion.droppedSound("file:///tmp/x%20y.ogg") == "/tmp/x y.ogg")
        #expect(Completion.droppedSound("what is in a.wav") == nil)
        #expect(Completion.droppedSound("/audio a.wav") == nil)
        #expect(Completion.droppedSound("hello") == nil)
    }

    @Test("tokens thrown away leave the chat and the count of kept bytes") func discards() {
        var scene = Scene(80, 24)
        scene.loadModel()
        scene.answer(tokens: 9, finished: false)
        let message = scene.state.chat.messages.count - 1
        let bytesOfOne = 6 * 8 * 1500 * 2
        #expect(scene.state.chat.record.statistics.memoryBytes == 9 * bytesOfOne)
        scene.press(Key(.left))
        scene.send(.answer(1, .discarded(keeping: 2, reason: "temperature 0.2"), time: 2))
        #expect(scene.state.chat.messages[message].tokens.count == 2)
        #expect(scene.state.chat.record.statistics.memoryBytes == 2 * bytesOfOne)
        #expect(scene.state.attention.selected == nil)
        #expect(scene.state.notice?.text.contains("temperature 0.2") == true)
    }

    @Test("only the window being decoded loses tokens") func discardsLastWindow() {
        var scene = Scene(80, 24)
        scene.loadModel()
        scene.answer(tokens: 6, windows: 2, finished: false)
        scene.send(.answer(1, .discarded(keeping: 0, reason: "x"), time: 2))
        #expect(scene.state.chat.messages.last?.tokens.map(\.window) == Array(repeating: 0, count: 6))
    }

    /// Forty tokens of 20 kB each that look at one key, the number of the token. The answer is not at its end, so Esc would
    /// stop it; Tab goes to the panels.
    private func manyTokens(_ scene: inout Scene) {
        scene.loadModel()
        scene.send(.input(.paste("/audio a.wav")))
        scene.press(Key(.enter))
        scene.send(.answer(1, .inputPrepared(.audio(RecordedSpeech.window(0, language: "en"))), time: 0))
        for index in 0..<40 {
            var values = [Float](repeating: 0, count: 10_000)
            for head in 0..<2 { values[head * 5000 + index] = 1 }
            let weights = [AttentionWeights(kind: .cross, layer: 0, heads: 2, queries: 1, keys: 5000, values: values)]
            scene.send(
                .answer(
                    1,
                    .token(.init(index: index, id: 5, text: " w", piece: "w", logProbability: 0, attention: weights)),
                    time: Double(index)))
        }
    }

    @Test("attention beyond the bound moves to a file and can still be looked at") func spills() throws {
        var scene = Scene(80, 24)
        scene.state.chat.record = AttentionRecord(memoryLimit: 200_000)
        manyTokens(&scene)
        let statistics = scene.state.chat.record.statistics
        #expect(
            statistics.memoryBytes <= 200_000 && statistics.diskBytes == 800_000 - statistics.memoryBytes
                && statistics.dropped == 0)
        scene.press(Key(.tab), Key(.home))
        let shown = try #require(scene.state.attention.shown?.captured?.profile(layer: .all, head: .mean))
        #expect(scene.state.attention.selected?.token == 0 && shown[0] == 1 && shown[1] == 0)
    }

    @Test("without room on disk the oldest maps go, the words stay, and it is said once") func dropsAttention() throws {
        var scene = Scene(100, 30)
        let notices = Notices()
        scene.state.chat.record = AttentionRecord(memoryLimit: 200_000, directory: "/nonexistent") {
            notices.add("\($0)")
        }
        manyTokens(&scene)
        #expect(scene.state.chat.messages.last?.tokens.count == 40)
        #expect(scene.state.chat.record.statistics.dropped == 30)
        let told = notices.all
        #expect(told.count == 1)
        scene.send(.attentionNotice(try #require(told.first)))
        #expect(scene.text.contains("⚠ no temporary file for captured attention"))
        scene.press(Key(.tab), Key(.home))
        #expect(scene.text.contains("attention no longer kept"))
        scene.press(Key(.end))
        #expect(scene.state.attention.shown?.captured != nil)
    }

    @Test("word times come with the segment: the token shows when it was said") func wordTimes() throws {
        var scene = Scene(120, 40)
        scene.loadModel()
        scene.answer()
        let message = try #require(scene.state.chat.messages.last)
        let americans = try #require(message.words.first { $0.text.hasPrefix("Americans") })
        #expect(americans.start == 1.8 && americans.end == 2.7)
        #expect(message.tokens[americans.tokens].map(\.text) == [" Americ", "ans", ","])
        // Every word has tokens of its own, in order, and no timestamp among them.
        for (word, next) in zip(message.words, message.words.dropFirst()) {
            #expect(word.tokens.upperBound <= next.tokens.lowerBound)
        }
        #expect(message.words.allSatisfy { word in message.tokens[word.tokens].allSatisfy { !$0.isSpecial } })
        scene.press(Key(.left))
        #expect(scene.text.contains("said 10.00–10.50 s"))
        #expect(MarkdownTranscript.text(of: scene.state.chat.messages).contains("Americans, `1.80–2.70`"))
    }

    @Test("before the segment is finished words stand at their peaks") func peaksFirst() {
        var scene = Scene(120, 40)
        scene.loadModel()
        scene.answer(tokens: 9, finished: false)
        #expect(scene.state.chat.messages.last?.words.isEmpty == true)
        #expect(scene.text.contains("peak 0:02.") && !scene.text.contains("said "))
    }

    @Test("segments that were not kept do not shift the words of later ones") func skippedSegment() {
        func token(_ id: Int, _ text: String) -> TokenRecord {
            TokenRecord(.init(index: id, id: id, text: text, piece: text, logProbability: 0), record: nil)
        }
        var message = Message(.model("m"), "", date: Scene.date)
        message.tokens = [token(1, " lost"), token(2, " one"), token(3, " two"), token(4, "-fold")]
        message.addWords(
            of: TranscriptSegment(
                index: 0, start: 0, end: 1, text: " one two-fold", tokens: [2, 3, 4], temperature: 0,
                averageLogProbability: 0, compressionRatio: 1, noSpeechProbability: 0,
                words: [
                    .init(text: " one", start: 0, end: 0.4, probability: 1),
                    .init(text: " two-fold", start: 0.4, end: 1, probability: 1),
                ]))
        #expect(message.words.map(\.tokens) == [1..<2, 2..<4])
        // Tokens that are not there.
        message.addWords(
            of: TranscriptSegment(
                index: 1, start: 1, end: 2, text: " x", tokens: [9], temperature: 0, averageLogProbability: 0,
                compressionRatio: 1, noSpeechProbability: 0,
                words: [.init(text: " x", start: 1, end: 2, probability: 1)]))
        #expect(message.words.count == 2)
    }

    @Test("opacity by key and command") func opacity() {
        var scene = Scene(120, 40)
        scene.loadModel()
        scene.answer()
        scene.press(Key(.escape), .character("-"), .character("-"))
        #expect(scene.state.attention.opacity == 70 && scene.text.contains("heat 70 %"))
        for _ in 0..<9 { scene.press(.character("+")) }
        #expect(scene.state.attention.opacity == 100)
        scene.press(Key(.tab), Key(.tab))
        for (line, opacity) in [("/opacity 0", 0), ("/opacity 45 %", 45), ("/opacity 101", 45), ("/opacity", 45)] {
            scene.state.focus = .input
            scene.send(.input(.paste(line)))
            scene.press(Key(.enter))
            #expect(scene.state.attention.opacity == opacity)
        }
        #expect(scene.state.notice?.text.contains("0 to 100") == true)
    }

    @Test("q leaves from a panel, asks when something is typed, and explains itself in the line") func leaving() {
        var scene = Scene(100, 30)
        scene.loadModel()
        scene.press(.character("q"))
        #expect(scene.state.input.text == "q" && scene.text.contains("to leave: Ctrl-D or /quit"))
        scene.press(Key(.tab, .shift))
        #expect(scene.press(.character("q")) == [])
        #expect(scene.state.overlay == .quitQuestion)
        scene.press(Key(.escape), .character("i"), Key(.enter))
        #expect(scene.state.input.isEmpty && scene.text.contains("to leave: Ctrl-D or /quit"))
        #expect(scene.state.chat.messages.isEmpty)
        scene.press(Key(.tab))
        #expect(scene.press(.character("q")) == [.quit(.done)])
    }

    @Test("the focused panel's keys stand at the bottom", arguments: [(80, 24), (160, 45)]) func hints(
        width: Int, height: Int
    ) {
        var scene = Scene(width, height)
        scene.loadModel()
        scene.answer()
        #expect(scene.text.contains("Esc layers, heads"))
        scene.press(Key(.escape))
        for words in ["↑↓ layer", "[] head", "g heads", "-+ heat", "q quit"] {
            #expect(scene.text.contains(words), "\(words)")
        }
    }

    @Test("a recording is stopped by the first Esc and dropped by the second") func microphoneDropped() {
        var scene = Scene(100, 30)
        scene.loadModel()
        scene.type("/mic 5")
        #expect(scene.press(Key(.enter)) == [.listen(seconds: 5)])
        scene.send(.microphoneLevel(level: 0.5, seconds: 0.1), .microphoneLevel(level: 0.9, seconds: 0.2))
        #expect(scene.text.contains("♪ microphone 0.2 s · Esc when done") && scene.text.contains("listening"))
        #expect(scene.press(.control("c")) == [.stopListening])
        #expect(scene.press(.control("c")) == [])
        #expect(scene.state.engine.phase == .idle && scene.text.contains("dropped"))
        #expect(
            scene.send(
                .listened(Recording(samples: Array(repeating: 0.1, count: 3200), sampleRate: 16_000), .cancelled))
                == [])
        for line in ["/mic x", "/mic 0", "/mic 1e9", "/mic nan"] {
            scene.send(.input(.paste(line)))
            scene.press(Key(.enter))
            #expect(scene.state.notice?.text.contains("/mic takes seconds") == true)
        }
    }

    @Test("loudness of sound") func level() {
        #expect(Recording(samples: [1, -1], sampleRate: 16_000).level == 1)
        #expect(Recording(samples: [0, 0], sampleRate: 16_000).level == 0)
        #expect(abs(Recording(samples: [0.001, -0.001], sampleRate: 16_000).level) < 1e-3)
        #expect(
            Recording(samples: [], sampleRate: 0).level == 0 && Recording(samples: [1], sampleRate: 0).duration == 0)
    }

    @Test("loading that is stopped leaves no model on the device") func stoppedLoading() {
        var scene = Scene(80, 24)
        scene.send(.started(model: "whisper-base", audio: nil), .models([]))
        #expect(scene.press(Key(.escape)) == [.cancelTransfer])
        #expect(scene.send(.loaded("whisper-base", .cancelled)) == [.unload])
    }

    @Test("answers of an earlier request are dropped") func stale() {
        var scene = Scene(80, 24)
        scene.loadModel()
        scene.answer(tokens: 3)
        scene.send(.answer(0, .token(RecordedSpeech.tokens(window: 0, start: 0)[5]), time: 9))
        #expect(scene.state.chat.messages.last?.tokens.count == 3)
    }

    @Test("Ctrl-C stops the answer first, then asks, then quits") func controlC() {
        var scene = Scene(80, 24)
        scene.loadModel()
        scene.answer(tokens: 5, finished: false)
        #expect(scene.press(.control("c")) == [.cancelAnswer])
        #expect(scene.state.engine.phase == .stopping)
        scene.send(.answered(1, .cancelled))
        #expect(scene.state.chat.messages.last?.progress == .stopped)
        #expect(scene.press(.control("c")) == [])
        #expect(scene.state.overlay == .quitQuestion)
        scene.press(Key(.escape))
        #expect(scene.state.overlay == nil)
        #expect(scene.press(.control("c"), .character("y")) == [.quit(.done)])
    }

    @Test("an error stays in the conversation") func errors() {
        var scene = Scene(100, 30)
        scene.loadModel()
        scene.answer(tokens: 2, finished: false)
        scene.send(.answered(1, .failed("cannot open x.wav: not a sound file")))
        scene.press(Key(.escape))
        #expect(scene.state.notice == nil)
        #expect(scene.text.contains("✗ cannot open x.wav"))
        #expect(scene.state.engine.phase == .failed("cannot open x.wav: not a sound file"))
    }

    @Test("a signal ends the program with the code shells know") func signals() {
        var scene = Scene(80, 24)
        #expect(scene.send(.input(.terminate(signal: 15))) == [.quit(PlaygroundCore.ExitStatus(143))])
    }

    @Test("layers and heads go round and round") func rounds() {
        var scene = Scene(80, 24)
        scene.loadModel()
        scene.answer()
        scene.press(Key(.escape))
        var seen: [LayerChoice] = []
        for _ in 0..<7 {
            seen.append(scene.state.attention.layer)
            scene.press(Key(.down))
        }
        #expect(seen == [.all] + (0..<6).map { .layer($0) })
        #expect(scene.state.attention.layer == .all)
        scene.press(Key(.up))
        #expect(scene.state.attention.layer == .layer(5))
        for _ in 0..<10 { scene.press(.character("]")) }
        #expect(scene.state.attention.head == .mean)
        scene.press(.character("["))
        #expect(scene.state.attention.head == .head(7))
    }

    @Test("scrubbing stops at words, ends at the first, and past the last follows again") func scrubbing() {
        var scene = Scene(80, 24)
        scene.loadModel()
        scene.answer()
        scene.press(Key(.left))
        let tokens = scene.state.chat.messages[1].tokens
        #expect(scene.state.attention.selected.map { tokens[$0.token].text } == " country")
        for _ in 0..<100 { scene.press(Key(.left)) }
        #expect(scene.state.attention.selected.map { tokens[$0.token].text } == " And")
        for _ in 0..<100 { scene.press(Key(.right)) }
        #expect(scene.state.attention.selected == nil)
    }

    @Test("a click on a word selects its token") func click() throws {
        var scene = Scene(120, 40)
        scene.loadModel()
        scene.answer()
        let rows = scene.text.split(separator: "\n", omittingEmptySubsequences: false)
        let y = try #require(rows.firstIndex { $0.contains("Americans") })
        let x = try #require(rows[y].range(of: "Americans")).lowerBound.utf16Offset(in: rows[y])
        scene.send(.input(.mouse(.press, x: x + 1, y: y)))
        #expect(
            scene.state.attention.selected.map { scene.state.chat.messages[$0.message].tokens[$0.token].text }
                == " Americ")
    }

    @Test("commands answer to what they cannot do") func badCommands() {
        var scene = Scene(120, 40)
        scene.loadModel()
        scene.answer()
        for (line, words) in [
            ("/layer 9", "no layer 9"), ("/head x", "no head x"), ("/colormap jet", "viridis"),
            ("/task sing", "/task transcribe"), ("/audio", "needs the path"),
        ] {
            scene.send(.input(.paste(line)))
            scene.press(Key(.enter))
            #expect(
                scene.state.notice?.text.contains(words) == true, "\(line): \(scene.state.notice?.text ?? "nothing")")
        }
        scene.type("/nonsense")
        scene.press(Key(.enter))
        #expect(scene.text.contains("no command /nonsense"))
    }
}

/// Messages received, from any thread.
final class Notices: Sendable {
    private let texts = Mutex<[String]>([])
    func add(_ text: String) { texts.withLock { $0.append(text) } }
    var all: [String] { texts.withLock { $0 } }
}
