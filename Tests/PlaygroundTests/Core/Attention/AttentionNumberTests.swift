import AttentionAnalysis
import Foundation
import AttentionTypes
import Generation
import Synchronization
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("Attention in numbers")
struct AttentionNumberTests {
    private func captured() throws -> CapturedAttention {
        // Two layers, two heads, four keys.
        let first = AttentionWeights(
            kind: .cross, layer: 2, heads: 2, queries: 1, keys: 4, values: [0.5, 0.25, 0.25, 0, 0, 0, 0.5, 0.5])
        let second = AttentionWeights(
            kind: .cross, layer: 5, heads: 2, queries: 1, keys: 4, values: [1, 0, 0, 0, 0, 1, 0, 0])
        let own = AttentionWeights(kind: .selfAttention, layer: 0, heads: 2, queries: 1, keys: 1, values: [1, 1])
        return try #require(CapturedAttention([second, own, first]))
    }

    @Test("mean, maximum and single heads") func aggregates() throws {
        let captured = try captured()
        #expect(captured.layers == [2, 5])
        let cases: [(LayerChoice, HeadChoice, [Float])] = [
            (.layer(2), .head(1), [0, 0, 0.5, 0.5]), (.layer(2), .mean, [0.25, 0.125, 0.375, 0.25]),
            (.layer(5), .max, [1, 1, 0, 0]),
            (.all, .mean, [0.375, 0.3125, 0.1875, 0.125]), (.all, .max, [1, 1, 0.5, 0.5]),
            (.all, .head(0), [0.75, 0.125, 0.125, 0]),
        ]
        for (layer, head, expected) in cases {
            let profile = captured.profile(layer: layer, head: head)
            #expect(profile == expected, "\(layer) \(head): \(profile ?? [])")
        }
        #expect(
            captured.profile(layer: .layer(3), head: .mean) == nil
                && captured.profile(layer: .layer(2), head: .head(9)) == nil)
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

    @Test("scales go round") func scales() {
        var scene = Scene(80, 24)
        scene.loadModel()
        scene.answer()
        scene.press(Key(.escape))
        var seen: [String] = []
        for _ in 0..<4 {
            seen.append(scene.state.attention.scale.name)
            scene.press(.character("s"))
        }
        #expect(seen == ["linear", "log", "percentile", "linear"])
    }

    @Test("what every token looks at can be left out") func sinks() throws {
        var scene = Scene(120, 40)
        scene.loadModel()
        scene.send(.input(.paste("/audio a.wav")))
        scene.press(Key(.enter))
        for index in 0..<12 {
            // Half of the weight rests on the first key, the other moves on.
            var values = [Float](repeating: 0, count: 100)
            values[0] = 0.6
            values[10 + index] = 0.4
            let weights = [AttentionWeights(kind: .cross, layer: 0, heads: 1, queries: 1, keys: 100, values: values)]
            scene.send(
                .answer(
                    1,
                    .token(.init(index: index, id: 5, text: " w", piece: "w", logProbability: 0, attention: weights)),
                    time: Double(index)))
        }
        // The answer goes on, and Esc would stop it.
        scene.press(Key(.tab))
        let last = TokenPlace(message: 1, token: 11)
        #expect(scene.state.attention.rows.peak(of: last) == 0.005)
        scene.press(.character("x"))
        #expect(scene.state.attention.rows.sinks == [0])
        #expect(scene.state.attention.rows.peak(of: last) == 0.215)
        scene.press(.character("x"))
        #expect(scene.state.attention.rows.peak(of: last) == 0.005)
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
