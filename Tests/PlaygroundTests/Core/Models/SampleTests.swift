import AttentionTypes
import AttentionAnalysis
import Checkpoint
import Foundation
import Generation
import Terminal
import ModelStore
import Testing

@testable import Playground
@testable import PlaygroundCore

/// Sample questions of an included model, and the heads that it shows first.
@Suite("Samples and aligned heads") struct SampleTests {
    private static let picture = "/models/seer/sample.png"
    private static let seer = ModelChoice(
        name: "seer", description: "sees", installed: true, bytes: 1,
        sample: ModelSample(picture: picture, questions: ["What do you see?", "Where is the dog?"]))
    private static let reader = ModelChoice(
        name: "reader", description: "reads", installed: true, bytes: 1,
        sample: ModelSample(questions: ["Bonjour !"]))

    private static func scene() -> Scene {
        var scene = Scene(120, 40)
        scene.send(.device("llvmpipe"), .started(model: nil, audio: nil))
        return scene
    }

    @Test("the first model opens with its picture attached; up arrow asks its questions, the first one first")
    func offered() {
        var scene = Self.scene()
        #expect(scene.send(.models([Self.seer, Self.reader])) == [.load("seer")])
        let effects = scene.send(.loaded("seer", .done), .abilities(Scene.pictureModel))
        #expect(effects.contains(.loadThumbnail(Self.picture)))
        #expect(scene.state.attachments.map(\.path) == [Self.picture] && scene.state.focus == .input)
        #expect(
            scene.text.contains("↑            What do you see?")
                && scene.text.contains("↑↑           Where is the dog?"))
        scene.press(Key(.up))
        #expect(scene.state.input.text == "What do you see?")
        scene.press(Key(.up))
        #expect(scene.state.input.text == "Where is the dog?")
        let sent = scene.press(Key(.enter))
        guard case .answer(_, let request)? = sent.first(where: { if case .answer = $0 { true } else { false } }) else {
            Issue.record("nothing was asked")
            return
        }
        #expect(request.messages.last?.text == "Where is the dog?" && request.messages.last?.pictures == [Self.picture])
        #expect(scene.state.attachments.isEmpty)
    }

    @Test("another model takes the sample away, a person's own picture stays; /sample brings it back") func switching()
    {
        var scene = Self.scene()
        scene.send(.models([Self.seer, Self.reader]), .loaded("seer", .done))
        scene.send(.attach("/mine.png"))
        #expect(scene.state.attachments.map(\.path) == [Self.picture, "/mine.png"])
        scene.send(.loaded("reader", .done))
        #expect(scene.state.attachments.map(\.path) == ["/mine.png"])
        scene.type("/sample")
        scene.press(Key(.enter))
        #expect(scene.state.attachments.map(\.path) == ["/mine.png"])
        scene.send(.loaded("seer", .done))
        #expect(scene.state.attachments.map(\.path) == ["/mine.png"])
        scene.type("/sample")
        scene.press(Key(.enter))
        #expect(scene.state.attachments.map(\.path) == ["/mine.png", Self.picture])
    }

    @Test("what is offered comes before what was typed by then, and once") func history() {
        var line = InputLine()
        line.suggest(["first", "second"])
        line.insert("typed")
        #expect(line.take() == "typed")
        line.insert("draft")
        for expected in ["typed", "first", "second", "second"] {
            line.recall(-1)
            #expect(line.text == expected)
        }
        for expected in ["first", "typed", "draft", "draft"] {
            line.recall(1)
            #expect(line.text == expected)
        }
        line.clear()
        line.suggest(["other"])
        for expected in ["other", "typed", "typed"] {
            line.recall(-1)
            #expect(line.text == expected)
        }
    }

    @Test("a model's own heads are shown first, and left again by the keys; without a choice of its makers, all")
    func aligned() throws {
        var scene = Scene(120, 40)
        var abilities = Scene.pictureModel
        let heads = [
            AttentionHead(kind: .cross, layer: abilities.attentionLayers[1], head: 0),
            AttentionHead(kind: .cross, layer: abilities.attentionLayers[1], head: 2),
        ]
        abilities.alignmentHeads = heads
        scene.loadModel(abilities, name: "seer")
        scene.look(at: Scenery.whole())
        #expect(scene.state.attention.layer == .aligned(heads))
        #expect(scene.text.contains("2 aligned heads · mean of heads"))
        let shown = try #require(scene.state.attention.shown?.captured)
        let single = try heads.map { try #require(shown.profile(layer: .layer($0.layer), head: .head($0.head))) }
        let row = try #require(scene.state.shownRow)
        for key in row.indices { #expect(abs(row[key] - (single[0][key] + single[1][key]) / 2) < 1e-6) }
        scene.press(Key(.escape))
        scene.press(Key(.down))
        #expect(scene.state.attention.layer == .all)
        scene.press(Key(.up))
        #expect(scene.state.attention.layer == .aligned(heads))
        // The words beside the picture are read by attention of another kind.
        scene.state.attention.view = .words
        #expect(scene.state.shownKind == abilities.shownAttention || scene.state.shownLayers == .all)
        scene.send(.abilities(Scene.pictureModel))
        #expect(scene.state.attention.layer == .all)
    }
}
