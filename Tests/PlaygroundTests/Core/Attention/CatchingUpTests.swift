import AttentionAnalysis
import AttentionTypes
import Foundation
import Generation
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("Rows of a long answer")
struct CatchingUpTests {
    private static let keys = AttentionRows.readAtOnce / 8

    /// Tokens of two layers whose attention lies on the key of their number, in the second layer one further.
    private func answer(_ count: Int) -> (tokens: [TokenRecord], record: AttentionRecord) {
        let record = AttentionRecord()
        let tokens = (0..<count).map { index in
            let layers = (0..<2).map { layer in
                var values = [Float](repeating: 0, count: Self.keys)
                values[index + layer] = 1
                return AttentionWeights(
                    kind: .cross, layer: layer, heads: 1, queries: 1, keys: Self.keys, values: values)
            }
            return TokenRecord(
                GeneratedToken(index: index, id: 1, text: " word", piece: "word", logProbability: 0),
                record: record.append(layers))
        }
        return (tokens, record)
    }

    private func subject(_ layer: LayerChoice) -> AttentionRows.Subject {
        .init(message: 0, window: 0, kind: .cross, layer: layer, head: .mean, hidesSinks: false)
    }

    @Test("another layer's rows come in parts of bounded size, and are the same in the end") func parts() {
        let (tokens, record) = answer(20)
        var rows = AttentionRows()
        rows.follow(tokens, subject(.layer(1)), record)
        #expect(rows.rows.count == 8 && rows.isBehind, "one layer of eight tokens is read at once")
        rows.follow(tokens, subject(.layer(1)), record)
        #expect(rows.rows.count == 16 && rows.isBehind)
        rows.follow(tokens, subject(.layer(1)), record)
        #expect(rows.rows.count == 20 && !rows.isBehind)
        #expect(rows.rows.enumerated().allSatisfy { number, row in row?.firstIndex(of: 1) == number + 1 })
        #expect(rows.peak(ofToken: 19) == AttentionRows.peak(rows.row(ofToken: 19) ?? []))
        rows.follow(tokens, subject(.all), record)
        #expect(rows.rows.count == 4 && rows.isBehind, "both layers of four tokens weigh as much")
        rows.follow(tokens, subject(.layer(7)), record)
        #expect(
            rows.rows.count == 20 && rows.rows.allSatisfy { $0 == nil }, "a layer that was not captured has no rows")
    }

    @Test("a key is taken between two parts; one part is under way at a time") func between() throws {
        var scene = Scene(120, 40)
        scene.loadModel()
        scene.answer(tokens: 2, finished: false)
        let (tokens, record) = answer(20)
        scene.state.chat.record = record
        scene.state.chat.messages[scene.state.chat.messages.count - 1].tokens = tokens
        scene.state.attention.rows = AttentionRows()
        // Not through the scene, which carries out what it is told.
        #expect(update(&scene.state, .input(.key(Key(.tab, .shift)))).contains(.catchUp))
        #expect(!update(&scene.state, .input(.resized(Size(100, 30)))).contains(.catchUp), "it is under way")
        #expect(scene.state.attention.rows.isBehind && scene.canvas.size == Size(100, 30))
        var rounds = 0
        while update(&scene.state, .catchUp).contains(.catchUp) { rounds += 1 }
        #expect(rounds > 0 && !scene.state.attention.rows.isBehind && scene.state.attention.rows.rows.count == 20)
        #expect(!update(&scene.state, .catchUp).contains(.catchUp), "then there is rest")
    }
}
