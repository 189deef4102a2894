import Planning
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("Every panel keeps to its place")
struct ClippingTests {
    enum Kind: String, CaseIterable { case sound, picture, tiles, words, matrix }

    private func scene(_ kind: Kind) -> Scene {
        var scene = Scene(120, 40)
        switch kind {
        case .sound:
            scene.loadModel()
            scene.answer()
        case .picture, .tiles:
            scene.loadModel(Scene.pictureModel, name: "llama-vision")
            scene.look(at: kind == .tiles ? Scenery.tiled : Scenery.whole())
        case .words, .matrix:
            scene.loadModel(Scene.textModel, name: "marian")
            scene.translate()
            scene.state.attention.view = kind == .words ? .words : .matrix
        }
        scene.press(Key(.escape))
        return scene
    }

    /// Draws in a rectangle within a larger canvas; whatever lands outside of it is a fault.
    private func expectWithin(
        _ rect: Rect, _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ draw: (Rect, inout Canvas) -> Void
    ) {
        var canvas = Canvas(Size(rect.right + 12, rect.bottom + 6))
        draw(rect, &canvas)
        for y in 0..<canvas.size.height {
            for x in 0..<canvas.size.width where !rect.contains(x: x, y: y) && canvas[x, y] != .blank {
                Issue.record(
                    "\(what) draws “\(canvas[x, y].glyph.text)” at \(x), \(y), outside of \(rect)",
                    sourceLocation: sourceLocation)
                return
            }
        }
    }

    @Test("the attention panel, in each view, with every head, asked about a place, zoomed", arguments: Kind.allCases)
    func attention(kind: Kind) {
        var scene = scene(kind)
        for asks in [false, true] {
            if asks { scene.press(.character("c")) }
            for heads in [false, true] {
                scene.state.attention.showsHeads = heads
                scene.state.attention.zoom = heads ? 4 : 1
                for width in [1, 4, 9, 20, 38, 43, 57, 64, 106, 132] {
                    for height in [1, 2, 3, 4, 5, 6, 8, 11, 14, 24, 40, 60] {
                        expectWithin(
                            Rect(x: 10, y: 5, width: width, height: height),
                            "\(kind) \(heads ? "heads " : "")\(asks ? "asked " : "")\(width)×\(height)"
                        ) {
                            AttentionPanel().draw(scene.state, in: $0, onto: &$1)
                        }
                    }
                }
            }
        }
    }

    @Test("chat and memory") func others() {
        var scene = scene(.tiles)
        scene.state.focus = .input
        scene.type("What else is there?")
        for width in [20, 34, 43, 60, 106] {
            for height in [3, 5, 7, 9, 14, 17, 40] {
                let rect = Rect(x: 10, y: 5, width: width, height: height)
                expectWithin(rect, "chat \(width)×\(height)") { ChatPanel().draw(scene.state, in: $0, onto: &$1) }
                expectWithin(rect, "memory \(width)×\(height)") { MemoryPanel().draw(scene.state, in: $0, onto: &$1) }
            }
        }
    }

    @Test("boxes fit any screen") func overlays() {
        var scene = scene(.tiles)
        scene.state.comparison = Comparison(original: 1, variant: 1)
        scene.state.conversations = (0..<30).map {
            ConversationSummary(id: Int64($0), started: Scene.date, title: "talk", messages: 3)
        }
        scene.state.memory.plan = MemoryPlan(
            path: "m", architecture: "m", deviceMemory: 0, total: 1, bytesPerToken: 1,
            contexts: [.init(context: 1, cache: 1, total: 1)])
        for overlay in [
            Overlay.conversations(selected: 29), .deleteQuestion(scene.state.conversations[0]), .plan,
            .alternatives(selected: 0), .comparison(scroll: 900), .models(selected: 0),
        ] {
            scene.state.overlay = overlay
            for width in stride(from: 1, through: 250, by: 31) {
                for height in stride(from: 1, through: 80, by: 11) {
                    scene.send(.input(.resized(Size(width, height))))
                    #expect(scene.canvas.size == Size(width, height))
                }
            }
        }
    }
}
