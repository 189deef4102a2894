import NumberFormats
import Foundation
import Models
import Terminal
import TestSupport
import Testing

@testable import Playground

@Suite("What if")
struct PlanTests {
    static let figures = PlanFigures(
        model: "llava", weights: 3_800_000_000, bytesPerToken: 524_288, memory: 8_326_742_016,
        rows: [512, 4096, 32_768].map { .init(context: $0, total: 4_300_000_000 + $0 * 524_288, cache: $0 * 524_288) },
        weightFormat: "q4_0", context: 4096,
        total: 6_447_483_648,
        formats: [
            .init(name: "f16", weights: 14_000_000_000, total: 16_600_000_000),
            .init(name: "q4_0", weights: 3_800_000_000, total: 6_447_483_648),
        ],
        picture: .init(width: 640, height: 480, tiles: 1, tokens: 576, bytes: 576 * 524_288))

    @Test("words in any order") func words() {
        #expect(PlanQuestion("", model: "m") == PlanQuestion(model: "m"))
        #expect(PlanQuestion("", model: nil) == nil && PlanQuestion("4096", model: nil) == nil)
        #expect(
            PlanQuestion("640x480 q8_0 llava 4096", model: "m")
                == PlanQuestion(model: "llava", context: 4096, weights: .q8_0, picture: .init(width: 640, height: 480)))
        #expect(
            PlanQuestion("1024×768 /models/x", model: nil)
                == PlanQuestion(model: "/models/x", picture: .init(width: 1024, height: 768)))
        #expect(
            PlanQuestion("0x5", model: "m")?.picture == nil && PlanQuestion("999999999999", model: "m")?.context == nil)
    }

    @Test("a plan, cell by cell", arguments: ViewTests.sizes) func view(width: Int, height: Int) throws {
        var scene = Scene(width, height)
        scene.loadModel()
        scene.type("/plan llava 4096 640x480")
        let effects = scene.press(Key(.enter))
        #expect(
            effects.contains(
                .plan(PlanQuestion(model: "llava", context: 4096, picture: .init(width: 640, height: 480)))))
        #expect(scene.text.contains("reckoning"))
        scene.send(.planned(Self.figures, problem: nil))
        try expectSnapshot(scene.canvas, "plan-\(width)x\(height)")
        #expect(scene.text.contains("does not fit") && scene.text.contains("576 tokens"))
    }

    @Test("keys ask otherwise: weights, context, picture; what is wrong is said") func keys() {
        var scene = Scene(120, 40)
        scene.loadModel()
        scene.type("/plan")
        scene.press(Key(.enter))
        scene.send(.planned(Self.figures, problem: nil))
        #expect(scene.press(.character("+")) == [.plan(PlanQuestion(model: "whisper-base", context: 8192))])
        scene.send(.planned(nil, problem: "a context of 8192 is not to be had"))
        #expect(scene.text.contains("not to be had"))
        #expect(scene.press(.character("-")) == [.plan(PlanQuestion(model: "whisper-base", context: 4096))])
        #expect(
            scene.press(.character("w")) == [.plan(PlanQuestion(model: "whisper-base", context: 4096, weights: .f16))])
        #expect(
            scene.press(.character("p")) == [
                .plan(
                    PlanQuestion(
                        model: "whisper-base", context: 4096, weights: .f16, picture: .init(width: 336, height: 336)))
            ])
        scene.press(Key(.escape))
        #expect(scene.state.overlay == nil)
    }

    @Test("without a model one can be named") func withoutModel() {
        var scene = Scene(120, 40)
        scene.type("/plan")
        scene.press(Key(.enter))
        #expect(scene.text.contains("no model is loaded") && scene.state.overlay == nil)
        scene.type("/plan llava")
        #expect(scene.press(Key(.enter)).contains(.plan(PlanQuestion(model: "llava"))))
    }
}
