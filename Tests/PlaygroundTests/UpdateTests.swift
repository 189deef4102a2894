import Foundation
import Formats
import Generation
import Terminal
import Testing

@testable import Playground

@Suite("Events and effects")
struct UpdateTests {
    @Test("the first installed model is loaded, a wanted one before it") func choosesModel() {
        let models = [
            ModelChoice(name: "a", description: "", installed: false, bytes: 1), ModelChoice(name: "b", description: "", installed: true, bytes: 1),
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
        scene.send(.started(model: nil, audio: "a.wav"), .models([ModelChoice(name: "m", description: "", installed: true, bytes: 1)]))
        let effects = scene.send(.loaded("m", .done))
        #expect(effects.contains(.answer(1, AnswerRequest(audioPath: "a.wav"))))
        #expect(scene.state.engine.phase == .encoding)
    }

    @Test("language and task go with the request") func speechSettings() {
        var scene = Scene(80, 24)
        scene.loadModel()
        for line in ["/language de", "/task translate", "/audio 'my file.wav'"] {
            scene.send(.input(.paste(line)))
            scene.press(Key(.enter))
        }
        #expect(scene.effects.contains(.answer(1, AnswerRequest(audioPath: "my file.wav", language: "de", task: .translate))))
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
        let bytesOfOne = scene.state.chat.messages[message].tokens[1].attention?.bytes ?? 0
        #expect(bytesOfOne == 6 * 8 * 1500 * 2)
        scene.press(Key(.left))
        scene.send(.answer(1, .discarded(keeping: 2, reason: "temperature 0.2"), time: 2))
        #expect(scene.state.chat.messages[message].tokens.count == 2)
        #expect(scene.state.chat.attentionBytes == 2 * bytesOfOne)
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

    @Test("kept attention is bounded; the oldest goes first, the words stay") func bounded() {
        var scene = Scene(80, 24)
        scene.loadModel()
        scene.answer(tokens: 1, finished: false)
        scene.state.chat.attentionBudget = 400_000
        let weights = [AttentionWeights(kind: .cross, layer: 0, heads: 2, queries: 1, keys: 5000, values: Array(repeating: 2e-4, count: 10_000))]
        for index in 1...40 {
            scene.send(.answer(1, .token(.init(index: index, id: 5, text: " w", piece: "w", logProbability: 0, attention: weights)), time: Double(index)))
        }
        let tokens = scene.state.chat.messages.last?.tokens ?? []
        #expect(tokens.count == 41)
        #expect(scene.state.chat.attentionBytes <= scene.state.chat.attentionBudget)
        #expect(scene.state.chat.attentionBytes == tokens.reduce(0) { $0 + ($1.attention?.bytes ?? 0) })
        #expect(tokens[1].attention == nil && tokens[40].attention != nil)
    }

    @Test("answers of an earlier request are dropped") func stale() {
        var scene = Scene(80, 24)
        scene.loadModel()
        scene.answer(tokens: 3)
        scene.send(.answer(0, .token(Recording.tokens(window: 0, start: 0)[5]), time: 9))
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
        #expect(scene.send(.input(.terminate(signal: 15))) == [.quit(Playground.ExitStatus(143))])
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
        #expect(scene.state.attention.selected.map { scene.state.chat.messages[$0.message].tokens[$0.token].text } == " Americ")
    }

    @Test("commands answer to what they cannot do") func badCommands() {
        var scene = Scene(120, 40)
        scene.loadModel()
        scene.answer()
        for (line, words) in [("/layer 9", "no layer 9"), ("/head x", "no head x"), ("/colormap jet", "viridis"), ("/task sing", "/task transcribe"), ("/audio", "needs the path")] {
            scene.send(.input(.paste(line)))
            scene.press(Key(.enter))
            #expect(scene.state.notice?.text.contains(words) == true, "\(line): \(scene.state.notice?.text ?? "nothing")")
        }
        scene.type("/nonsense")
        scene.press(Key(.enter))
        #expect(scene.text.contains("no command /nonsense"))
    }
}

@Suite("Attention in numbers")
struct AttentionNumberTests {
    private func captured() throws -> CapturedAttention {
        // Two layers, two heads, four keys.
        let first = AttentionWeights(kind: .cross, layer: 2, heads: 2, queries: 1, keys: 4, values: [0.5, 0.25, 0.25, 0, 0, 0, 0.5, 0.5])
        let second = AttentionWeights(kind: .cross, layer: 5, heads: 2, queries: 1, keys: 4, values: [1, 0, 0, 0, 0, 1, 0, 0])
        let own = AttentionWeights(kind: .selfAttention, layer: 0, heads: 2, queries: 1, keys: 1, values: [1, 1])
        return try #require(CapturedAttention([second, own, first]))
    }

    @Test("mean, maximum and single heads") func aggregates() throws {
        let captured = try captured()
        #expect(captured.layers == [2, 5])
        let cases: [(LayerChoice, HeadChoice, [Float])] = [
            (.layer(2), .head(1), [0, 0, 0.5, 0.5]), (.layer(2), .mean, [0.25, 0.125, 0.375, 0.25]), (.layer(5), .max, [1, 1, 0, 0]),
            (.all, .mean, [0.375, 0.3125, 0.1875, 0.125]), (.all, .max, [1, 1, 0.5, 0.5]), (.all, .head(0), [0.75, 0.125, 0.125, 0]),
            (.layer(3), .mean, [0, 0, 0, 0]), (.layer(2), .head(9), [0, 0, 0, 0]),
        ]
        for (layer, head, expected) in cases {
            let profile = captured.profile(layer: layer, head: head)
            // A step is 1/65535 of the row's largest weight.
            #expect(profile.count == 4 && zip(profile, expected).allSatisfy { abs($0 - $1) < 1.6e-5 }, "\(layer) \(head): \(profile)")
        }
    }

    @Test("shapes that do not agree are refused") func refused() {
        let a = AttentionWeights(kind: .cross, layer: 0, heads: 1, queries: 1, keys: 2, values: [0.5, 0.5])
        let b = AttentionWeights(kind: .cross, layer: 1, heads: 1, queries: 1, keys: 3, values: [0.5, 0.25, 0.25])
        #expect(CapturedAttention([a, b]) == nil)
        #expect(CapturedAttention([]) == nil)
    }

    @Test("columns by maximum and mean; few keys repeat") func pooling() {
        #expect(Pooling.max.pool([1, 5, 2, 0], 0..<4, columns: 2) == [5, 2])
        #expect(Pooling.mean.pool([1, 5, 2, 0], 0..<4, columns: 2) == [3, 1])
        #expect(Pooling.max.pool([1, 2], 0..<2, columns: 4) == [1, 1, 2, 2])
        #expect(Pooling.max.pool([1, 2], 0..<0, columns: 4) == [])
    }

    @Test("scales") func scales() {
        #expect(HeatScale.linear.strengths([0, 0.1, 0.2]) == [0, 0.5, 1])
        let log = HeatScale.log.strengths([0, 0.001, 0.1, 1])
        #expect(log[0] == 0 && abs(log[1]) < 1e-5 && abs(log[2] - 2 / 3) < 1e-5 && log[3] == 1)
        #expect(HeatScale.linear.strengths([0, 0]) == [0, 0])
    }

    @Test("a window whose numbers do not fit its shape is drawn empty") func badWindow() {
        let view = SoundView(AudioWindow(index: 0, start: 0, duration: 5, mels: 80, frames: 3000, logMel: [1, 2, 3]))
        #expect(view.mels == 0 && view.energy(time: (0, 1), pitch: (0, 1)) == 0)
    }

    @Test("figures") func figures() {
        #expect(Figures.bytes(512) == "512 B")
        #expect(Figures.bytes(148 << 20) == "148.0 MiB")
        #expect(Figures.bytes((1 << 30) - 1) == "1.0 GiB")
        #expect(Figures.time(3.24) == "0:03.2" && Figures.time(59.96) == "1:00.0" && Figures.time(.nan) == "–")
        #expect(Figures.percent(0.004) == "<1 %" && Figures.percent(0) == "0 %")
    }
}

@Suite("The line being typed")
struct InputLineTests {
    @Test("editing") func editing() {
        var line = InputLine()
        line.insert("one two three")
        line.moveWord(-1)
        line.insert("and ")
        #expect(line.text == "one two and three")
        line.deleteWord()
        #expect(line.text == "one two three")
        line.deleteToEnd()
        #expect(line.text == "one two ")
        line.moveToStart()
        line.deleteForward()
        line.moveToEnd()
        line.deleteBackward()
        #expect(line.text == "ne two")
        line.move(-100)
        line.deleteBackward()
        #expect(line.cursor == 0)
        line.deleteToEnd()
        #expect(line.isEmpty)
    }

    @Test("history comes back, and the draft after it") func history() {
        var line = InputLine()
        for text in ["first", "second"] {
            line.insert(text)
            #expect(line.take() == text)
        }
        line.insert("draft")
        line.recall(-1)
        #expect(line.text == "second")
        line.recall(-1)
        line.recall(-1)
        #expect(line.text == "first")
        line.recall(1)
        line.recall(1)
        #expect(line.text == "draft")
    }

    @Test("graphemes are edited whole") func graphemes() {
        var line = InputLine()
        line.insert("a👩‍👩‍👧é")
        line.deleteBackward()
        line.deleteBackward()
        #expect(line.text == "a")
    }

    @Test("long and broken lines wrap; the cursor follows") func wraps() {
        var line = InputLine()
        line.insert("abcdefghij\nk")
        let wrapped = InputView.wrapped(line, width: 11)
        #expect(wrapped.lines == ["abcdefgh", "ij", "k"])
        #expect(wrapped.cursor.line == 2 && wrapped.cursor.column == 1)
    }

    @Test("Tab completes commands, arguments and paths") func completion() throws {
        var scene = Scene(100, 30)
        scene.loadModel()
        scene.type("/col")
        scene.press(Key(.tab))
        #expect(scene.state.input.text == "/colormap ")
        scene.type("v")
        scene.press(Key(.tab))
        #expect(scene.state.input.text == "/colormap viridis")
        scene.press(.control("u"))
        scene.type("/audio Rec")
        #expect(scene.press(Key(.tab)) == [.complete(prefix: "Rec", .sound)])
        scene.send(.completions(prefix: "Rec", ["Recordings/a.wav", "Recordings/abc.wav"]))
        #expect(scene.state.input.text == "/audio Recordings/a")
        #expect(scene.text.contains("a.wav   abc.wav"))
        // What was typed meanwhile is not spoiled.
        scene.type("x")
        scene.send(.completions(prefix: "Rec", ["Recordings/a.wav"]))
        #expect(scene.state.input.text == "/audio Recordings/ax")
    }

    @Test("paths: folders end in a slash, only sounds are offered") func paths() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fovea-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/deep", withIntermediateDirectories: true)
        for name in ["d.wav", "d.txt", "e.FLAC", ".hidden.wav"] { #expect(FileManager.default.createFile(atPath: folder + "/" + name, contents: nil)) }
        #expect(Completion.paths(folder + "/", .sound) == [folder + "/d.wav", folder + "/deep/", folder + "/e.FLAC"])
        #expect(Completion.paths(folder + "/d", .any) == [folder + "/d.txt", folder + "/d.wav", folder + "/deep/"])
        #expect(Completion.paths(folder + "/absent/", .sound) == [])
    }
}

@Suite("Chat in lines")
struct TextFlowTests {
    @Test("words break at blanks, long ones anywhere, wide glyphs between any two") func wraps() {
        func flow(_ text: String, _ width: Int) -> [String] {
            var flow = TextFlow(width: width)
            flow.append(Span(text: text, style: .plain))
            return flow.finish().map { $0.spans.map(\.text).joined() }
        }
        #expect(flow("one two three", 8).map { $0.trimmingCharacters(in: .whitespaces) } == ["one two", "three"])
        #expect(flow("abcdefghij", 4) == ["abcd", "efgh", "ij"])
        #expect(flow("日本語です", 4) == ["日本", "語で", "す"])
        #expect(flow("a\n\nb", 4) == ["a", "", "b"])
        for width in 4..<40 { for line in flow("some words, 日本語 and a verylongwordindeed", width) { #expect(TextWidth.width(of: line) <= width) } }
    }
}
