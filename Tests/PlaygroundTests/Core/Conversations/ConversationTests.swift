import Foundation
import Generation
import Media
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("Conversations")
struct ConversationTests {
    private func chatting() -> Scene {
        var scene = Scene(120, 40)
        scene.loadModel(Scene.pictureModel, name: "llama-vision")
        return scene
    }

    @Test("a message goes with the conversation before it, the system prompt first") func request() {
        var scene = chatting()
        scene.send(.input(.paste("/system Be brief.")))
        scene.press(Key(.enter))
        scene.look(at: Scenery.whole())
        scene.send(.input(.paste("/set temperature 0.7")))
        scene.press(Key(.enter))
        scene.type("And the roof?")
        let effects = scene.press(Key(.enter))
        guard case .answer(_, let request)? = effects.last(where: { if case .answer = $0 { true } else { false } })
        else { Issue.record("not sent"); return }
        #expect(
            request.messages == [
                ChatMessage(.system, "Be brief."), ChatMessage(.user, "What is there?", pictures: ["/tmp/scenery.png"]),
                ChatMessage(.assistant, "A red house under a yellow sun."), ChatMessage(.user, "And the roof?"),
            ])
        #expect(request.text.sampling.temperature == 0.7)
    }

    @Test("settings that make no sense are refused and change nothing") func settings() {
        var scene = chatting()
        for line in [
            "/set temperature -1", "/set temperature nan", "/set top-p 2", "/set max-tokens 0", "/set nonsense 3",
            "/set seed x", "/set top-k 0",
        ] {
            scene.send(.input(.paste(line)))
            scene.press(Key(.enter))
            #expect(scene.state.text == TextOptions(), "\(line)")
            #expect(scene.state.notice?.kind == .warning, "\(line)")
        }
        scene.type("/set top-")
        scene.press(Key(.tab))
        #expect(scene.state.input.candidates.count == 2)
    }

    @Test("attached pictures wait for the message; one that cannot be read is told and taken away") func attachments() {
        var scene = chatting()
        scene.send(.input(.paste("'/tmp/my picture.JPG'")))
        #expect(scene.press(Key(.enter)) == [.loadThumbnail("/tmp/my picture.JPG")])
        #expect(scene.state.attachments.count == 1 && scene.text.contains("with ▣ my picture.JPG"))
        scene.send(.thumbnailLoaded("/tmp/my picture.JPG", nil, problem: "no such file"))
        #expect(scene.state.attachments.isEmpty && scene.text.contains("no such file"))
        scene.send(.input(.paste("/image a.png")))
        scene.press(Key(.enter))
        // A picture alone is a message too.
        let effects = scene.press(Key(.enter))
        #expect(
            effects.contains {
                if case .answer(_, let request) = $0 {
                    request.messages == [ChatMessage(.user, "", pictures: ["a.png"])]
                } else {
                    false
                }
            })
    }

    @Test("retry takes the answer back, edit the question too") func retry() {
        var scene = chatting()
        scene.look(at: Scenery.whole())
        scene.press(Key(.left))
        scene.send(.input(.paste("/retry")))
        let again = scene.press(Key(.enter))
        #expect(again.contains(.store(.truncate(to: 1))))
        #expect(again.contains { if case .answer(2, let request) = $0 { request.messages.count == 1 } else { false } })
        #expect(
            scene.state.chat.messages.count == 2 && scene.state.chat.messages[1].tokens.isEmpty
                && scene.state.chat.record.count == 0)
        scene.receive(Scenery.tokens(Scenery.whole()), finished: true)
        scene.send(.input(.paste("/edit")))
        #expect(scene.press(Key(.enter)) == [.store(.truncate(to: 0))])
        #expect(
            scene.state.input.text == "What is there?" && scene.state.attachments.map(\.path) == ["/tmp/scenery.png"]
                && scene.state.chat.messages.isEmpty)
    }

    @Test("earlier conversations are listed, resumed and deleted, after a question") func list() {
        var scene = chatting()
        scene.send(.input(.paste("/conversations house")))
        #expect(scene.press(Key(.enter)) == [.store(.list(containing: "house"))])
        let found = (1...3).map {
            ConversationSummary(id: Int64($0), started: Scene.date, title: "talk \($0)\u{1B}[2J", messages: $0)
        }
        scene.send(.conversations(found))
        #expect(scene.text.contains("talk 2") && scene.canvas.cells.allSatisfy { $0.glyph.base >= 0x20 })
        scene.press(Key(.down), .character("d"))
        #expect(scene.text.contains("Delete “talk 2"))
        #expect(scene.press(.character("n")) == [])
        scene.press(.character("d"))
        #expect(scene.press(.character("y")) == [.store(.delete(2))])
        scene.press(Key(.down))
        #expect(scene.press(Key(.enter)) == [.store(.open(3))])
        let looks = scene.send(
            .conversationOpened([
                StoredMessage(
                    position: 0, author: "person", text: "hello", pictures: ["/p.png"], date: Scene.date,
                    progress: "finished"),
                StoredMessage(position: 1, author: "llava", text: "half a", date: Scene.date, progress: "streaming"),
            ]))
        #expect(looks == [.loadThumbnail("/p.png")])
        #expect(scene.text.contains("half a") && scene.text.contains("stopped") && scene.text.contains("▣ p.png"))
        // It goes on where it stopped.
        scene.type("and?")
        #expect(
            scene.press(Key(.enter)).contains {
                if case .answer(_, let request) = $0 { request.messages.count == 3 } else { false }
            })
    }

    @Test("alternatives of a token; Enter goes on from one of them, beside the first answer") func alternatives() throws
    {
        var scene = chatting()
        scene.look(at: Scenery.whole())
        scene.press(Key(.escape), Key(.left), Key(.left), .character("t"))
        #expect(scene.text.contains("blue") && scene.text.contains("Instead of"))
        #expect(scene.canvas.cells.allSatisfy { $0.glyph.base >= 0x20 })
        let place = try #require(scene.state.shownToken)
        scene.press(Key(.down))
        let effects = scene.press(Key(.enter))
        guard case .answer(_, let request)? = effects.first(where: { if case .answer = $0 { true } else { false } })
        else { Issue.record("not sent"); return }
        #expect(request.text.answerPrefix == scene.state.chat.messages[1].tokens.prefix(place.token).map(\.id) + [900])
        #expect(request.messages.count == 1)
        scene.send(.answered(scene.state.chat.answer, .done))
        // The second answer is no part of the conversation that follows.
        scene.state.focus = .input
        scene.type("next")
        #expect(
            scene.press(Key(.enter)).contains {
                if case .answer(_, let request) = $0 { request.messages.count == 3 } else { false }
            })
    }

    @Test("exports: Markdown, JSON that can be read, a page without scripts of others") func exports() throws {
        var scene = chatting()
        scene.look(at: Scenery.tiled)
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(ExportFormat.json.text(of: scene.state).utf8)) as? [String: Any]
        )
        let messages = try #require(json["messages"] as? [[String: Any]])
        #expect(messages.count == 2 && (messages[1]["tokens"] as? [Any])?.count == 8)
        scene.state.chat.messages[0].text = "<script>alert(1)</script> & \"more\""
        let html = ExportFormat.html.text(of: scene.state)
        #expect(!html.contains("<script>alert") && html.contains("&lt;script&gt;alert(1)"))
        #expect(html.contains("data:image/png;base64,") && !html.contains("http://") && !html.contains("https://"))
        #expect(html.components(separatedBy: "<i data-k=").count == 193)
        #expect(html.contains("&quot;0&quot;:[") && html.contains("attention, not explanation"))
    }

    @Test("markup is escaped by scalars: a combining mark does not hide a quote") func escaping() {
        #expect(HTMLTranscript.escaped("\"\u{301} <\u{338}b>&") == "&quot;\u{301} &lt;\u{338}b&gt;&amp;")
    }

    @Test("the picture in the page is a picture") func png() throws {
        let data = PNGData.data(Scenery.picture)
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("fovea-\(UUID().uuidString).png").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try data.write(to: URL(fileURLWithPath: path))
        #expect(try ImageFile.load(path: path) == Scenery.picture)
        let thumbnail = try MediaFiles.thumbnail(path: path)
        #expect(
            thumbnail.width == 320 && thumbnail.height == 240 && thumbnail.raster.width == 21
                && thumbnail.raster.height == 16)
        #expect(throws: MediaError.self) { try MediaFiles.thumbnail(path: path + ".absent") }
    }

    @Test("the forecast of what is typed") func forecast() throws {
        var scene = chatting()
        #expect(ContextForecast(scene.state) == nil)
        scene.type("Is there a roof?")
        let forecast = try #require(ContextForecast(scene.state))
        #expect(forecast.tokens == 4 && forecast.bytes == 4 * 12_288 && forecast.fits)
        #expect(scene.text.contains("next: ≈ 4 tokens typed"))
        scene.press(.control("u"))
        scene.type("/retry")
        #expect(ContextForecast(scene.state) == nil)
    }
}
