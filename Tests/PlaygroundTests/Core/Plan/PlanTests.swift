import NumberFormats
import Foundation
import Planning
import Terminal
import TestSupport
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("What if")
struct PlanTests {
    static let figures = MemoryPlan(
        path: "/models/llava", architecture: "llava", weightFormats: [.q4_0], context: 4096,
        deviceMemory: 8_326_742_016, total: 6_447_483_648, bytesPerToken: 524_288,
        purposes: [.init(purpose: .weightsDecoder, bytes: 3_800_000_000)],
        pictures: [.init(width: 640, height: 480, tiles: 1, tokens: 576, keyValueBytes: 576 * 524_288)],
        contexts: [512, 4096, 32_768].map {
            .init(context: $0, cache: $0 * 524_288, total: 4_300_000_000 + $0 * 524_288)
        },
        formats: [
            .init(name: "f16", weights: 14_000_000_000, total: 16_600_000_000),
            .init(name: "q4_0", weights: 3_800_000_000, total: 6_447_483_648),
        ])

    @Test("words in any order") func words() {
        #expect(PlanRequest("", model: "m") == PlanRequest(model: "m"))
        #expect(PlanRequest("", model: nil) == nil && PlanRequest("4096", model: nil) == nil)
        #expect(
            PlanRequest("640x480 q8_0 llava 4096", model: "m")
                == PlanRequest(
                    model: "llava", context: 4096, weights: .q8_0, pictures: [.init(width: 640, height: 480)]))
        #expect(
            PlanRequest("1024×768 /models/x", model: nil)
                == PlanRequest(model: "/models/x", pictures: [.init(width: 1024, height: 768)]))
        #expect(
            PlanRequest("0x5", model: "m")?.pictures == [] && PlanRequest("999999999999", model: "m")?.context == nil)
    }

    @Test("a plan, cell by cell", arguments: ViewTests.sizes) func view(width: Int, height: Int) throws {
        var scene = Scene(width, height)
        scene.loadModel()
        scene.type("/plan llava 4096 640x480")
        let effects = scene.press(Key(.enter))
        #expect(
            effects.contains(
                .plan(PlanRequest(model: "llava", context: 4096, pictures: [.init(width: 640, height: 480)]))))
        #expect(scene.text.contains("planning …"))
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
        #expect(scene.press(.character("+")) == [.plan(PlanRequest(model: "whisper-base", context: 8192))])
        scene.send(.planned(nil, problem: "a context of 8192 is not possible"))
        #expect(scene.text.contains("not possible"))
        #expect(scene.press(.character("-")) == [.plan(PlanRequest(model: "whisper-base", context: 4096))])
        #expect(
            scene.press(.character("w")) == [.plan(PlanRequest(model: "whisper-base", context: 4096, weights: .f16))])
        #expect(
            scene.press(.character("p")) == [
                .plan(
                    PlanRequest(
                        model: "whisper-base", context: 4096, weights: .f16, pictures: [.init(width: 336, height: 336)])
                )
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
        #expect(scene.press(Key(.enter)).contains(.plan(PlanRequest(model: "llava"))))
    }
}
