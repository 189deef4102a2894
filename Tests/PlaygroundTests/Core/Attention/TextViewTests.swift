import Foundation
import Generation
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("Words that are read")
struct TextViewTests {
    static let sizes = [(80, 24), (120, 40), (200, 60)]

    @Test("a translation: the source shaded", arguments: sizes) func words(width: Int, height: Int) throws {
        var scene = Scene(width, height)
        scene.loadModel(Scene.textModel, name: "marian-de-en")
        scene.translate()
        scene.press(Key(.escape), Key(.left), Key(.left))
        try expectSnapshot(scene.canvas, "words-\(width)x\(height)")
        #expect(scene.text.contains("Sees") && scene.text.contains("special tokens"))
        // The word it comes from has the strongest heat behind it but for the end token.
        #expect(scene.state.shownToken.map { scene.state.chat.messages[1].tokens[$0.token].text } == " the")
    }

    @Test("a translation as a matrix", arguments: sizes) func matrix(width: Int, height: Int) throws {
        var scene = Scene(width, height)
        scene.loadModel(Scene.textModel, name: "marian-de-en")
        scene.translate()
        scene.press(Key(.escape), .character("v"), .character("x"))
        #expect(scene.state.shownView == .matrix)
        try expectSnapshot(scene.canvas, "matrix-\(width)x\(height)")
        #expect(scene.text.contains("shore"))
    }

    @Test("rollout follows the mean through the encoder to what it read; models without one have none") func rollout()
        throws
    {
        var scene = Scene(120, 40)
        scene.loadModel(Scene.textModel, name: "marian")
        let count = Translation.source.count
        // An encoder whose position i holds what stood at i + 1, half, and what stood at i.
        var matrix = [Float](repeating: 0, count: count * count)
        for row in 0..<count {
            matrix[row * count + row] += 0.5
            matrix[row * count + min(count - 1, row + 1)] += 0.5
        }
        scene.translate(source: SourceText(tokens: Translation.text.tokens, rollout: matrix))
        let mean = try #require(scene.state.shownRow)
        scene.press(Key(.escape), .character("a"), .character("a"))
        #expect(scene.state.attention.head == .rollout && scene.text.contains("rollout through the encoder"))
        let rolled = try #require(scene.state.shownRow)
        for key in 0..<count {
            let expected =
                0.5 * mean[key] + 0.5 * (key > 0 ? mean[key - 1] : 0) + (key == count - 1 ? 0.5 * mean[key] : 0)
            #expect(abs(rolled[key] - expected) < 1e-5)
        }
        #expect(scene.state.attention.rows.row(ofToken: 2) != nil)
        scene.press(.character("a"))
        #expect(scene.state.attention.head == .mean)

        var other = Scene(120, 40)
        other.loadModel(Scene.textModel, name: "marian")
        other.translate()
        other.press(Key(.escape), .character("a"), .character("a"))
        #expect(other.state.attention.head == .mean)
        other.type("i/head rollout")
        other.press(Key(.enter))
        #expect(other.state.attention.head == .mean && other.text.contains("rollout needs a text"))
    }

    @Test("by colors and size of the terminal", arguments: ColorDepth.allCases, ViewTests.sizes) func depths(
        depth: ColorDepth, size: (width: Int, height: Int)
    ) throws {
        var scene = Scene(size.width, size.height, depth: depth, unicode: depth != .eight)
        scene.loadModel(Scene.textModel, name: "marian-de-en")
        scene.translate()
        scene.press(Key(.escape), .character("c"))
        try expectSnapshot(scene.canvas, "words-depth-\(depth.rawValue)-\(size.width)x\(size.height)")
    }

    @Test("a decoder reads its prompt and what it has written") func conversation() throws {
        var scene = Scene(120, 40)
        scene.loadModel(Scene.textModel, name: "smollm2")
        scene.translate(.selfAttention)
        #expect(scene.text.contains("Self-attention over the conversation"))
        guard case .words(let source)? = AttentionSubject(scene.state)?.view else { Issue.record("no words"); return }
        // The last token saw the ten before it.
        #expect(source.tokens.count == 20)
        scene.press(Key(.escape), .character("v"))
        #expect(scene.state.shownView == .matrix && scene.text.contains("shore"))
    }

    @Test("a click on a word of the source shows who came from it") func click() throws {
        var scene = Scene(120, 40)
        scene.loadModel(Scene.textModel, name: "marian-de-en")
        scene.translate()
        let rows = scene.text.split(separator: "\n", omittingEmptySubsequences: false)
        let panel = try #require(scene.state.layout[.attention])
        let y = try #require(
            rows.indices.first {
                rows[$0].contains("kleine") && Array(rows[$0]).count > panel.x
                    && String(Array(rows[$0])[panel.x...]).contains("kleine")
            })
        let line = String(Array(rows[y])[panel.x...])
        let x = panel.x + line.distance(from: line.startIndex, to: try #require(line.range(of: "kleine")).lowerBound)
        scene.send(.input(.mouse(.press, x: x + 1, y: y)))
        #expect(scene.state.attention.probe == .word(1))
        let looks = try #require(scene.state.attention.looks)
        #expect(scene.state.chat.messages[1].tokens[try #require(looks.strongest(1).first).token].text == " little")
        scene.press(.character("c"), Key(.right))
        #expect(scene.state.attention.probe == .word(2))
        #expect(scene.text.contains("“Haus” (3)"))
    }

    @Test("a long source scrolls to what is looked at, in words and in the matrix") func long() {
        var scene = Scene(80, 24)
        scene.loadModel(Scene.textModel, name: "marian-de-en")
        scene.type("x")
        scene.press(Key(.enter))
        let count = 3000
        scene.send(
            .answer(
                1,
                .inputPrepared(
                    .source(
                        .init(
                            tokens: (0..<count).map {
                                .init(id: $0, text: " w\($0)", piece: "w\($0)", isSpecial: false)
                            }))), time: 0))
        for index in 0..<40 {
            var values = [Float](repeating: 0, count: count)
            values[index * 70] = 1
            scene.send(
                .answer(
                    1,
                    .token(
                        .init(
                            index: index, id: index, text: " t\(index)", piece: "t", logProbability: -0.1,
                            attention: [
                                .init(kind: .cross, layer: 0, heads: 1, queries: 1, keys: count, values: values)
                            ])), time: 0))
        }
        #expect(scene.text.contains("w2730"))
        scene.press(Key(.tab), Key(.left), Key(.left))
        #expect(scene.text.contains("w2590") && !scene.text.contains(" w0 "))
        scene.press(.character("v"))
        #expect(scene.text.contains("of 3000") && scene.text.contains("t37"))
    }

    @Test("what a model reads cannot reach the terminal's controls") func untrusted() {
        var scene = Scene(80, 24)
        scene.loadModel(Scene.textModel, name: "marian-de-en")
        scene.type("x")
        scene.press(Key(.enter))
        scene.send(
            .answer(
                1,
                .inputPrepared(
                    .source(
                        .init(tokens: [
                            .init(id: 0, text: "\u{1B}]0;title\u{07}", piece: "\u{9B}2J", isSpecial: false),
                            .init(id: 1, text: "", piece: "\u{1B}c", isSpecial: true),
                        ]))), time: 0))
        for _ in 0..<2 {
            #expect(
                scene.canvas.cells.allSatisfy { cell in
                    cell.glyph.scalars.allSatisfy { $0 >= 0x20 && $0 != 0x7F && !(0x80..<0xA0).contains($0) }
                })
            scene.press(Key(.escape), .character("v"))
        }
    }
}
