import Terminal
import Testing

@testable import PlaygroundCore

@Suite("Dropped files and pasted text")
struct DroppedFilesTests {
    @Test(
        "paths follow the rules of shell words, except that blanks stay",
        arguments: [
            ("'/path/it'\\''s a pic.jpg'", "/path/it's a pic.jpg"),
            ("/path/photo\\ \\(1\\).jpg", "/path/photo (1).jpg"),
            ("\"/a \\\"b\\\" c.png\"", "/a \"b\" c.png"), ("\"/a\\b.png\"", "/a\\b.png"), ("'/a\\b.png'", "/a\\b.png"),
            ("my file.wav", "my file.wav"), ("it's.wav", "it's.wav"), (" /a.wav\n", "/a.wav"),
            ("file:///tmp/x%20y.ogg", "/tmp/x y.ogg"), ("/a''b.wav", "/ab.wav"), ("", ""),
        ])
    func shellWords(text: String, path: String) { #expect(Completion.unquoted(text) == path) }

    @Test("a dropped file of another kind is no command; a mistyped command is one") func otherFiles() {
        var scene = Scene(120, 40)
        scene.loadModel()
        scene.send(.input(.paste("/home/me/a.heic")))
        #expect(scene.press(Key(.enter)) == [.findFile("/home/me/a.heic")])
        scene.send(
            .fileFound("/home/me/a.heic", FoundFile(path: "/home/me/a.heic", kind: "a HEIC picture; convert it")))
        #expect(scene.text.contains("/home/me/a.heic is a HEIC picture; convert it."))
        scene.send(.fileFound("/etc/passwd what?", FoundFile(path: "/etc/passwd")))
        #expect(scene.text.contains("/etc/passwd is not a recording"))
        scene.send(.fileFound("/a.png what?", FoundFile(path: "/a.png")))
        #expect(scene.text.contains("/a.png goes with a message by its path alone"))
        scene.send(.fileFound("/no/such x", nil))
        #expect(scene.text.contains("There is no command /no/such"))
    }

    @Test("pasted tabs stay") func tabs() {
        var scene = Scene(80, 24)
        scene.loadModel()
        scene.send(.input(.paste("a\tb\u{7}c")))
        #expect(scene.state.input.text == "a\tbc" && scene.text.contains("a    bc"))
    }

    @Test("a message entered during an answer stays in the input line") func enterWhileAnswering() {
        var scene = Scene(120, 40)
        scene.loadModel()
        scene.answer(tokens: 3, finished: false)
        scene.type("and then?")
        #expect(scene.press(Key(.enter)) == [])
        #expect(scene.state.input.text == "and then?" && scene.state.notice?.text.contains("still answering") == true)
        scene.send(.answered(scene.state.chat.answer, .done))
        #expect(
            scene.press(Key(.enter)).contains { if case .answer = $0 { true } else { false } }
                && scene.state.input.isEmpty)
    }
}
