import AttentionAnalysis
import Foundation
import AttentionTypes
import Generation
import Synchronization
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

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
        let wrapped = InputPanel.wrapped(line, width: 11)
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
        for name in ["d.wav", "d.txt", "e.FLAC", ".hidden.wav"] {
            #expect(FileManager.default.createFile(atPath: folder + "/" + name, contents: nil))
        }
        #expect(
            PathCompletion.paths(folder + "/", .sound) == [folder + "/d.wav", folder + "/deep/", folder + "/e.FLAC"])
        #expect(PathCompletion.paths(folder + "/d", .any) == [folder + "/d.txt", folder + "/d.wav", folder + "/deep/"])
        #expect(PathCompletion.paths(folder + "/absent/", .sound) == [])
    }
}
