import AttentionAnalysis
import AttentionTypes
import Foundation
import Generation
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("Long runs")
struct SoakTests {
    /// Bytes of memory this process has in use.
    private func residentBytes() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * Int(getpagesize())
    }

    /// Alone in the process its figure would be exact; beside other tests it is read over the second half, with room for them.
    @Test("ten thousand tokens and two hundred sizes leave what is held flat", .timeLimit(.minutes(5)))
    func tenThousandTokens() throws {
        var scene = Scene(120, 40)
        scene.state.chat.record = AttentionRecord(memoryLimit: 1 << 20)
        scene.loadModel(Scene.pictureModel, name: "llama-vision")
        scene.look(at: Scenery.whole(), finished: false)
        let keys = 193
        let attention = (0..<8).map { number in
            [
                AttentionWeights(
                    kind: .cross, layer: 0, heads: 2, queries: 1, keys: keys,
                    values: (0..<2 * keys).map { $0 % keys == number ? 0.5 : 0.5 / Float(keys - 1) })
            ]
        }
        var bytesAtHalf = 0
        for index in 8..<10_000 {
            scene.send(
                .answer(
                    1,
                    .token(
                        GeneratedToken(
                            index: index, id: index % 50, text: index % 10 == 9 ? ".\n" : " word", piece: "w",
                            logProbability: -0.1, attention: attention[index % 8])), time: Double(index)))
            if index % 50 == 0 {
                scene.send(.input(.resized(Size(40 + index % 170, 12 + index % 50))))
                #expect(scene.canvas.size == scene.state.size)
            }
            if index == 5000 { bytesAtHalf = try residentBytes() }
            // The app takes effects away; so must this.
            scene.effects = []
        }
        let statistics = scene.state.chat.record.statistics
        #expect(statistics.tokens == 10_000 && statistics.dropped == 0 && statistics.memoryBytes <= 1 << 20)
        #expect(scene.state.chat.messages.last?.tokens.count == 10_000)
        let growth = try residentBytes() - bytesAtHalf
        #expect(growth < 96 << 20, "grew by \(growth >> 20) MiB over the last five thousand tokens")
        // The newest are still asked about, the first can still be looked at.
        scene.send(.input(.resized(Size(120, 40))))
        scene.press(Key(.tab), Key(.home))
        #expect(scene.state.attention.shown?.captured != nil)
    }

    @Test("rows beyond what is held are let go, the newest stay") func bounded() throws {
        let record = AttentionRecord(memoryLimit: 4 << 20)
        let keys = 1 << 20
        var rows = AttentionRows()
        var tokens: [TokenRecord] = []
        for index in 0..<12 {
            var values = [Float](repeating: 0, count: keys)
            values[index] = 1
            let place = record.append([
                AttentionWeights(kind: .cross, layer: 0, heads: 1, queries: 1, keys: keys, values: values)
            ])
            tokens.append(
                TokenRecord(
                    GeneratedToken(index: index, id: 1, text: "x", piece: "x", logProbability: 0), record: place))
            rows.follow(
                tokens, .init(message: 0, window: 0, kind: .cross, layer: .all, head: .mean, hidesSinks: false), record)
        }
        #expect(rows.rows.prefix(4).allSatisfy { $0 == nil } && rows.rows.suffix(8).allSatisfy { $0 != nil })
        #expect(rows.peak(ofToken: 0) != nil, "peaks are small and stay")
        #expect(rows.looks(at: [11]).last == 1 && rows.looks(at: [0]).first == .some(nil))
        rows.forget(after: 6)
        #expect(rows.rows.count == 6 && rows.row(ofToken: 5) != nil)
    }
}
