import AttentionTypes
import Foundation
import Generation
import Media
import Terminal

@testable import Playground
@testable import PlaygroundCore

/// A made-up picture of 320×240: a sun in the upper right over a house at the lower left. Computed, so the same in each run.
enum Scenery {
    static let width = 320, height = 240

    static let picture: RGBImage = {
        var pixels = [UInt8](repeating: 0, count: width * height * 3)
        for y in 0..<height {
            for x in 0..<width {
                var color: (Int, Int, Int) = y < 150 ? (70 + y / 2, 130 + y / 3, 200) : (60, 120 - y / 8, 50)
                let sun = (x - 250) * (x - 250) + (y - 50) * (y - 50)
                if sun < 900 { color = (250, 220, 90) }
                if x > 40 && x < 120 && y > 100 && y < 190 { color = (170, 60, 50) }
                if x > 70 && x < 90 && y > 150 && y < 190 { color = (40, 30, 30) }
                let place = (y * width + x) * 3
                (pixels[place], pixels[place + 1], pixels[place + 2]) = (UInt8(color.0), UInt8(color.1), UInt8(color.2))
            }
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }()

    /// Seen whole in 16×12 patches of 20 pixels, after a class token.
    static func whole(_ kind: AttentionKind = .cross, index: Int = 0, first: Int = 0) -> PictureInput {
        var keys = [PatchKey(key: first, tile: 0, rectangle: nil)]
        for row in 0..<12 {
            for column in 0..<16 { keys.append(key(first + keys.count, 0, Double(column * 20), Double(row * 20), 20)) }
        }
        return PictureInput(
            index: index, name: "scenery.png", picture: picture, width: width, height: height, kind: kind, keys: keys)
    }

    /// Cut into 2×2 tiles of 8×6 patches, then seen whole in 8×6, each tile after a class token; a row of padding at the end.
    static let tiled: PictureInput = {
        var keys: [PatchKey] = []
        for tile in 0..<4 {
            keys.append(PatchKey(key: keys.count, tile: tile, rectangle: nil))
            for row in 0..<6 {
                for column in 0..<8 {
                    keys.append(
                        key(
                            keys.count, tile, Double(tile % 2 * 160 + column * 20), Double(tile / 2 * 120 + row * 20),
                            20))
                }
            }
        }
        for row in 0..<6 {
            for column in 0..<8 {
                keys.append(key(keys.count, 4, Double(column * 40), Double(row * 40), 40, overview: true))
            }
        }
        for _ in 0..<8 { keys.append(PatchKey(key: keys.count, tile: 4, rectangle: nil)) }
        return PictureInput(
            index: 0, name: "scenery.png", picture: picture, width: width, height: height, kind: .cross, keys: keys)
    }()

    private static func key(_ key: Int, _ tile: Int, _ x: Double, _ y: Double, _ side: Double, overview: Bool = false)
        -> PatchKey
    {
        PatchKey(
            key: key, tile: tile, rectangle: PictureRectangle(x: x, y: y, width: side, height: side),
            isOverview: overview)
    }

    /// The words written, and the place in the picture that each attends to.
    static let words: [(text: String, x: Double, y: Double)] = [
        ("A", 160, 120), (" red", 80, 140), (" house", 80, 150), (" under", 160, 60), (" a", 200, 60),
        (" yellow", 250, 50), (" sun", 250, 50), (".", 10, 10),
    ]

    /// Attention of three layers of four heads to the keys of an input, with `before` keys of words before them and `after`
    /// behind.
    static func tokens(_ input: PictureInput, before: Int = 0, after: Int = 0) -> [GeneratedToken] {
        words.enumerated().map { number, word in
            let count = before + input.keys.count + after + (input.kind == .selfAttention ? number : 0)
            let weights = (0..<3).map { layer in
                var values: [Float] = []
                for head in 0..<4 {
                    let spread = 25.0 + Double((layer * 4 + head) % 5) * 25
                    var row = [Double](repeating: 0.0004, count: count)
                    for key in input.keys {
                        guard let part = key.rectangle else {
                            row[key.key] = 0.02
                            continue
                        }
                        let (dx, dy) = (part.x + part.width / 2 - word.x, part.y + part.height / 2 - word.y)
                        row[key.key] +=
                            exp(-(dx * dx + dy * dy) / (2 * spread * spread)) * (key.isOverview ? 0.02 : 0.01)
                    }
                    let total = row.reduce(0, +)
                    values += row.map { Float($0 / total) }
                }
                return AttentionWeights(
                    kind: input.kind, layer: layer * 2, heads: 4, queries: 1, keys: count, values: values)
            }
            return GeneratedToken(
                index: number, id: 500 + number, text: word.text,
                piece: word.text.replacingOccurrences(of: " ", with: "Ġ"),
                logProbability: Float(-0.05 * Double(number + 1)),
                alternatives: [
                    TokenAlternative(
                        id: 500 + number, piece: word.text, logProbability: Float(-0.05 * Double(number + 1))),
                    TokenAlternative(id: 900, piece: " blue", logProbability: -3.2),
                    TokenAlternative(id: 901, piece: "\u{1B}[2J", logProbability: -4),
                ], attention: weights)
        }
    }
}

/// A made-up translation: each word of the answer looks at one of the source.
enum Translation {
    static let source: [String] = ["▁Das", "▁kleine", "▁Haus", "▁steht", "▁am", "▁Ufer", "▁des", "▁Sees", ".", "</s>"]
    /// Text and the number of the word it comes from.
    static let words: [(text: String, from: Int)] = [
        ("The", 0), (" little", 1), (" house", 2), (" stands", 3), (" on", 4), (" the", 4), (" shore", 5), (" of", 6),
        (" the", 6), (" lake", 7), (".", 8),
    ]

    static var text: SourceText {
        SourceText(
            tokens: source.enumerated().map { number, piece in
                let isSpecial = piece == "</s>"
                let text = piece.replacingOccurrences(of: "▁", with: number == 0 ? "" : " ")
                return SourceText.Token(id: number, text: isSpecial ? "" : text, piece: piece, isSpecial: isSpecial)
            })
    }

    /// - Parameter kind: `.cross` over the source alone; `.selfAttention` over the source and the answer before each token.
    static func tokens(_ kind: AttentionKind) -> [GeneratedToken] {
        words.enumerated().map { number, word in
            let count = source.count + (kind == .selfAttention ? number : 0)
            let weights = (0..<2).map { layer in
                var values: [Float] = []
                for head in 0..<3 {
                    // Every head parks something on the last token of the source, as trained models do.
                    var row = (0..<count).map { key in
                        0.01 + (key == word.from ? 0.5 + 0.1 * Double(head) : 0) + (key == source.count - 1 ? 0.35 : 0)
                            + (key == word.from + 1 ? 0.08 * Double(layer + 1) : 0)
                    }
                    let total = row.reduce(0, +)
                    row = row.map { $0 / total }
                    values += row.map { Float($0) }
                }
                return AttentionWeights(kind: kind, layer: layer, heads: 3, queries: 1, keys: count, values: values)
            }
            return GeneratedToken(
                index: number, id: 700 + number, text: word.text,
                piece: word.text.replacingOccurrences(of: " ", with: "▁"),
                logProbability: Float(-0.1 * Double(number % 4)), attention: weights)
        }
    }
}

extension Scene {
    static let pictureModel = ModelAbilities(
        family: "BLIP", inputs: [.picture, .text], holdsConversations: true, shownAttention: .cross,
        attentionLayers: [0, 2, 4], attentionHeads: 4, contextLength: 512)
    static let textModel = ModelAbilities(
        family: "Marian", inputs: [.text], holdsConversations: false, shownAttention: .cross, attentionLayers: [0, 1],
        attentionHeads: 3, contextLength: 512)

    /// A model of that kind is loaded.
    mutating func loadModel(_ abilities: ModelAbilities, name: String) {
        send(
            .device("llvmpipe (LLVM 15.0.6, 256 bits)"), .started(model: nil, audio: nil),
            .models([ModelChoice(name: name, description: "", installed: true, bytes: 1)]),
            .loaded(name, .done), .abilities(abilities))
        measure(tokens: 0)
    }

    /// Asks about a picture and receives the answer.
    mutating func look(
        at input: PictureInput, source: SourceText? = nil, before: Int = 0, after: Int = 0, finished: Bool = true
    ) {
        send(.input(.paste("/image /tmp/scenery.png")))
        press(Key(.enter))
        send(.thumbnailLoaded("/tmp/scenery.png", thumbnail, problem: nil))
        type("What is there?")
        press(Key(.enter))
        let answer = state.chat.answer
        if let source { send(.answer(answer, .inputPrepared(.source(source)), time: 0)) }
        send(
            .answer(answer, .inputPrepared(.picture(input)), time: 0),
            .answer(answer, .encoded(seconds: 0.4), time: 0.4))
        receive(Scenery.tokens(input, before: before, after: after), finished: finished)
    }

    /// Sends a text and receives what the model makes of it.
    mutating func translate(
        _ kind: AttentionKind = .cross, source: SourceText = Translation.text, finished: Bool = true
    ) {
        type("Das kleine Haus steht am Ufer des Sees.")
        press(Key(.enter))
        send(.answer(state.chat.answer, .inputPrepared(.source(source)), time: 0))
        receive(Translation.tokens(kind), finished: finished)
    }

    mutating func receive(_ tokens: [GeneratedToken], finished: Bool) {
        let answer = state.chat.answer
        for token in tokens { send(.answer(answer, .token(token), time: 0.5 + Double(token.index) * 0.1)) }
        measure(tokens: tokens.count)
        guard finished else { return }
        send(
            .answer(
                answer,
                .finished(
                    GenerationSummary(
                        reason: .endOfText, tokens: tokens.count, encodeSeconds: 0.4, prefillSeconds: 0.1,
                        decodeSeconds: 0.5)), time: 4),
            .answered(answer, .done))
    }

    private var thumbnail: Thumbnail {
        var raster = Raster(width: 21, height: 16)
        for y in 0..<16 {
            for x in 0..<21 {
                let pixel = Scenery.picture[x: x * Scenery.width / 21, y: y * Scenery.height / 16]
                raster[x, y] = Color(red: pixel.red, green: pixel.green, blue: pixel.blue)
            }
        }
        return Thumbnail(width: Scenery.width, height: Scenery.height, raster: raster)
    }
}
