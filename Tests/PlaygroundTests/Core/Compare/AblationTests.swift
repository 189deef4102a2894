import AttentionTypes
import Generation
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("What is taken out of the model")
struct InterventionTests {
    private func run(_ line: String, _ scene: inout Scene) -> [Effect] {
        scene.state.focus = .input
        scene.send(.input(.paste(line)))
        return scene.press(Key(.enter))
    }

    @Test("heads and places are taken out and put back, and go with the answer that is asked for again") func commands()
        throws
    {
        var scene = Scene(120, 40)
        scene.loadModel(Scene.pictureModel, name: "blip-base")
        #expect(run("/silence 2", &scene).isEmpty && scene.state.notice?.kind == .warning)
        scene.look(at: Scenery.whole())
        for line in ["/silence 1", "/silence 2.4", "/silence x", "/silence", "/silence 2.1.1"] {
            _ = run(line, &scene)
            #expect(scene.state.interventions.isEmpty, "\(line)")
        }
        _ = run("/silence 2.3", &scene)
        #expect(scene.state.interventions.silencedHeads == [AttentionHead(kind: .cross, layer: 2, head: 3)])
        _ = run("/silence 2.3", &scene)
        #expect(scene.state.interventions.isEmpty)
        _ = run("/silence 2", &scene)
        #expect(scene.state.interventions.silencedHeads.count == 4)
        _ = run("/hide", &scene)
        #expect(scene.state.notice?.text.contains("probe a place") == true)
        scene.state.ask(about: .point(picture: 0, x: 0.01, y: 0.01))
        _ = run("/hide", &scene)
        #expect(scene.state.interventions.hiddenKeys == [.cross: [1]])
        #expect(scene.state.ablationWords == "4 heads silenced, 1 place hidden")
        let effects = run("/rerun", &scene)
        guard case .answer(_, let request)? = effects.first(where: { if case .answer = $0 { true } else { false } })
        else { Issue.record("not sent"); return }
        #expect(
            request.interventions == scene.state.interventions
                && request.messages == [ChatMessage(.user, "What is there?", pictures: ["/tmp/scenery.png"])])
        scene.send(.answer(scene.state.chat.answer, .inputPrepared(.picture(Scenery.whole())), time: 0))
        scene.receive(Array(Scenery.tokens(Scenery.whole()).prefix(5)), finished: true)
        _ = run("/compare", &scene)
        #expect(
            scene.text.contains("original") && scene.text.contains("4 heads silenced, 1 place hidden")
                && scene.text.contains("they differ from token 6 on"))
        try expectSnapshot(scene.canvas, "comparison")
        scene.press(Key(.escape))
        // A question that follows is asked of the whole model.
        scene.type("and?")
        #expect(
            scene.press(Key(.enter)).contains {
                if case .answer(_, let request) = $0 {
                    request.interventions == .none && request.messages.count == 3
                } else {
                    false
                }
            })
        scene.send(.answered(scene.state.chat.answer, .cancelled))
        _ = run("/restore", &scene)
        #expect(scene.state.interventions.isEmpty)
    }
}
