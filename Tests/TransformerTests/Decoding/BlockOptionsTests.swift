import Checkpoint
import Compute
import ComputeReference
import Foundation
import NumberFormats
import TestSupport
import Testing

@testable import Transformer

/// Options of blocks and decoders, on a decoder declared by hand.
@Suite("Options of blocks and decoders", .usesDevice, .serialized)
struct BlockOptionsTests {
    private let size = 12
    private let vocabulary = 17
    private let layers = 2
    private let shape = AttentionShape(heads: 3, keyValueHeads: 1, headDimension: 4)

    private func noise(_ count: Int, _ seed: Int) -> [Float] {
        var state = UInt64(seed + 1) &* 0x9E37_79B9_7F4A_7C15 | 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 24) * 2 - 1
        }
    }

    /// A decoder on a device, and the file of its weights.
    private struct Bench {
        let decoder: Decoder
        let folder: TemporaryFolder
    }

    /// Pictures among the tokens.
    private final class Pictures: EmbeddingOverrides {
        let placeholder = 16
        var list: [EmbeddingOverride] = []
        func resolve(_ tokens: [Int], at start: Int, model: String) -> (
            tokens: [Int], overrides: [EmbeddingOverride]
        ) {
            (
                tokens.map { $0 == placeholder ? 0 : $0 },
                list.filter { $0.row >= start && $0.row < start + tokens.count }.map {
                    EmbeddingOverride(
                        row: $0.row - start, features: $0.features, additions: $0.additions,
                        attendsBothWays: $0.attendsBothWays, grid: $0.grid)
                }
            )
        }
        func removeAll() {}
    }

    /// - Parameters:
    ///   - silent: parts whose output is zero: "o" or "down".
    ///   - block: of the attention, the feed-forward and two norms of a layer.
    private func bench(
        silent: Set<String> = [], overrides: Pictures? = nil, prefillRows: Int = 64, rotary: RotaryPositions? = nil,
        block: ((Attention, GatedFeedForward, RMSNorm, RMSNorm) -> TransformerBlock)? = nil
    ) throws -> Bench {
        let list = ParameterList()
        let root = ParameterScope(list: list, purpose: .weightsDecoder)
        let table = root.matrix("embed", outputs: vocabulary, inputs: size)
        let rotary = rotary ?? RotaryPositions(shape: RotaryShape(headDimension: 4), positions: 64, theta: 100)
        let blocks = (0..<layers).map { layer in
            let scope = root("\(layer)")
            let attention = Attention.selfAttention(
                scope, layer: layer, hiddenSize: size, shape: shape,
                names: .init(output: "o", inputsHaveBias: false, outputHasBias: false), options: .init(rotary: rotary))
            let feedForward = GatedFeedForward(scope, hiddenSize: size, intermediateSize: 20, activation: .silu)
            let (first, second) = (RMSNorm(scope("first"), size: size), RMSNorm(scope("second"), size: size))
            return block?(attention, feedForward, first, second)
                ?? TransformerBlock(
                    selfAttention: .init(attention, norms: .pre(first)),
                    feedForward: .init(feedForward, norms: .pre(second)))
        }
        let decoder = Decoder(
            .init(
                name: "test", hiddenSize: size, vocabularySize: vocabulary, contextLength: 64,
                prefillRows: prefillRows, embedding: TokenEmbedding(table), blocks: blocks,
                output: OutputProjection(table)), parameters: list, overrides: overrides)
        let folder = try TemporaryFolder()
        let writer = try SafetensorsWriter(path: folder.path("model.safetensors"))
        for (index, parameter) in list.parameters.enumerated() {
            for (number, part) in parameter.parts.enumerated() {
                let count = part.shape.reduce(1, *)
                let isSilent = silent.contains { part.key.contains(".\($0)") }
                try writer.add(
                    part.key, shape: part.shape,
                    floats: isSilent ? Array(repeating: 0, count: count) : noise(count, 10 * index + number))
            }
        }
        try writer.finish()
        let source = WeightSource(
            checkpoint: try Checkpoint.open(folder.path("model.safetensors")), naming: HuggingFaceNaming())
        try decoder.load(from: source, on: TestDevice.open())
        decoder.keepsHiddenStates = true
        return Bench(decoder: decoder, folder: folder)
    }

    private let prompt = [3, 1, 4, 1, 5, 9, 2, 6]

    /// Hidden states of the prompt by index.
    private func states(_ bench: Bench, _ tokens: [Int]? = nil) throws -> [[Float]] {
        _ = try bench.decoder.prefill(tokens ?? prompt, at: 0, logitRows: [])
        return bench.decoder.takeHiddenStates().map(\.values)
    }

    private func norm(_ x: [Float], weight: [Float]) -> [Float] {
        stride(from: 0, to: x.count, by: size).flatMap { first in
            let row = x[first..<first + size]
            let scale = 1 / (row.reduce(0) { $0 + $1 * $1 } / Float(size) + 1e-6).squareRoot()
            return zip(row, weight).map { $0 * scale * $1 }
        }
    }

    private func expectEqual(_ a: [Float], _ b: [Float], _ tolerance: Float = 1e-4) {
        #expect(a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < tolerance })
    }

    @Test("parallel parts add up from the same input, with one norm and with two; steps go as prompts do")
    func parallel() throws {
        for sharesNorm in [false, true] {
            func bench(silent: Set<String>, isParallel: Bool) throws -> Bench {
                try self.bench(silent: silent) { attention, feedForward, first, second in
                    TransformerBlock(
                        selfAttention: .init(attention, norms: .pre(first)),
                        feedForward: .init(
                            feedForward,
                            norms: isParallel && sharesNorm ? .none : .pre(sharesNorm ? first : second)),
                        isParallel: isParallel)
                }
            }
            let parallel = try bench(silent: [], isParallel: true)
            let both = try states(parallel)
            let attention = try states(bench(silent: ["down"], isParallel: false))
            let feedForward = try states(bench(silent: ["o"], isParallel: false))
            expectEqual(both[1], zip(zip(attention[1], feedForward[1]), both[0]).map { $0.0 + $0.1 - $1 })
            let last = prompt.count - 1
            let whole = try #require(try parallel.decoder.prefill(prompt, at: 0, logitRows: [last])[last])
            _ = try parallel.decoder.prefill(Array(prompt.dropLast()), at: 0, logitRows: [])
            expectEqual(try parallel.decoder.advance(tokens: [prompt[last]]).logits[0], whole)
        }
    }

    @Test("sandwich norms are taken of what a part adds, a fixed gate multiplies it")
    func sandwich() throws {
        func bench(
            _ norms: @escaping (RMSNorm, RMSNorm) -> TransformerBlock.Norms, gate: Gate? = nil
        ) throws -> Bench {
            try self.bench(silent: ["down"]) { attention, feedForward, first, second in
                TransformerBlock(
                    selfAttention: .init(attention, norms: norms(first, second), gate: gate),
                    feedForward: .init(feedForward, norms: .none))
            }
        }
        let plain = try states(bench { first, _ in .pre(first) })
        let added = zip(plain[1], plain[0]).map { $0 - $1 }
        let sandwich = try bench { .sandwich(before: $0, after: $1) }
        let weight = try Checkpoint.open(sandwich.folder.path("model.safetensors")).floats("0.second.weight")
        expectEqual(
            try states(sandwich)[1], zip(plain[0], norm(added, weight: weight)).map { $0 + $1 })
        let gated = try states(bench({ first, _ in .pre(first) }, gate: Gate(fixed: 0.3)))
        expectEqual(gated[1], zip(plain[0], added).map { $0 + 0.3 * $1 })
    }

    /// Features of `rows` tokens on the device.
    private func features(_ rows: Int, _ seed: Int, _ bench: Bench) throws -> (Tensor, [Float]) {
        let device = try bench.decoder.loaded().device
        let values = noise(rows * size, seed)
        let buffer = try device.makeBuffer(
            byteCount: values.count * 4, purpose: .activations, label: "features", access: .upload)
        buffer.write(values)
        return (Tensor(buffer: buffer, rows: rows, columns: size), values)
    }

    @Test("features are added to their rows behind their block, in pieces of a prompt too", arguments: [64, 16])
    func deepStack(_ prefillRows: Int) throws {
        let pictures = Pictures()
        let bench = try bench(overrides: pictures, prefillRows: prefillRows)
        let tokens = Array(repeating: 3, count: 13) + Array(repeating: 16, count: 6) + [1, 2]
        let (picture, _) = try features(6, 1, bench)
        let (addition, values) = try features(6, 2, bench)
        pictures.list = [EmbeddingOverride(row: 13, features: picture)]
        let plain = try states(bench, tokens)
        pictures.list = [EmbeddingOverride(row: 13, features: picture, additions: [0: addition])]
        let stacked = try states(bench, tokens)
        expectEqual(stacked[0], plain[0], 1e-6)
        var expected = plain[1]
        for (index, value) in values.enumerated() { expected[13 * size + index] += value }
        expectEqual(stacked[1], expected, 1e-5)
        #expect(zip(stacked[2], plain[2]).contains { abs($0 - $1) > 1e-3 })
    }

    @Test("tokens that attend both ways stay in one piece; more than a piece holds is an error")
    func spans() throws {
        let pictures = Pictures()
        let tokens = Array(repeating: 3, count: 13) + Array(repeating: 16, count: 6) + [1, 2]
        var results: [[[Float]]] = []
        for rows in [64, 16] {
            let bench = try bench(overrides: pictures, prefillRows: rows)
            let (picture, _) = try features(6, 1, bench)
            pictures.list = [EmbeddingOverride(row: 13, features: picture, attendsBothWays: true)]
            results.append(try states(bench, tokens))
            guard rows == 64 else { continue }
            // Only the picture's rows see more than without.
            pictures.list = [EmbeddingOverride(row: 13, features: picture)]
            let causal = try states(bench, tokens)[1]
            let changed = (0..<tokens.count).filter { row in
                (row * size..<(row + 1) * size).contains { abs(causal[$0] - results[0][1][$0]) > 1e-5 }
            }
            #expect(changed == Array(13..<18))
        }
        for (a, b) in zip(results[0], results[1]) { expectEqual(a, b, 1e-5) }
        let bench = try bench(overrides: pictures, prefillRows: 16)
        let (large, _) = try features(17, 1, bench)
        pictures.list = [EmbeddingOverride(row: 0, features: large, attendsBothWays: true)]
        #expect(throws: TransformerError.self) {
            try bench.decoder.prefill(Array(repeating: 16, count: 17), at: 0, logitRows: [])
        }
    }

    @Test("positions on three axes: those of the reference for pictures, and of steps behind them")
    func axes() throws {
        let device = try TestDevice.open()
        let shape = RotaryShape(headDimension: 16)
        let axes = RotaryPositions.Axes.runs(sections: [2, 3, 3])
        #expect((0..<8).map(axes.axis) == [0, 0, 1, 1, 1, 2, 2, 2])
        #expect(
            (0..<8).map(RotaryPositions.Axes.interleaved(sections: [4, 2, 2]).axis) == [0, 1, 2, 0, 1, 2, 0, 0])
        let rotary = RotaryPositions(shape: shape, positions: 40, theta: 10_000, axes: axes)
        try rotary.allocate(on: device)
        // Two tokens, a picture of 2 × 3, a token, a picture of 2 × 2.
        let places = try rotary.place([(2, 2, 3), (9, 2, 2)], count: 13, at: 0)
        #expect(
            places == [
                [0, 0, 0], [1, 1, 1], [2, 2, 2], [2, 2, 3], [2, 2, 4], [2, 3, 2], [2, 3, 3], [2, 3, 4], [5, 5, 5],
                [6, 6, 6], [6, 6, 7], [6, 7, 6], [6, 7, 7],
            ])
        let stream = try CommandStream(device: device)
        /// A head of ones turned at each cache position.
        func turned() throws -> [[Float]] {
            let buffer = try device.makeBuffer(
                byteCount: 40 * 16 * 4, purpose: .activations, label: "test", access: .upload)
            buffer.write([Float](repeating: 1, count: 40 * 16))
            let x = Tensor(buffer: buffer, rows: 40, columns: 16)
            try rotary.turn(x, firstPosition: 0, on: stream)
            let values = try stream.read(x)
            return (0..<40).map { Array(values[$0 * 16..<($0 + 1) * 16]) }
        }
        func expected(_ place: [Int]) -> [Float] {
            let angles = (0..<8).map { Double(place[axes.axis(of: $0)]) * pow(10_000, -Double($0) / 8) }
            return angles.map { Float(cos($0) - sin($0)) } + angles.map { Float(cos($0) + sin($0)) }
        }
        let rows = try turned()
        for (row, place) in places.enumerated() { expectEqual(rows[row], expected(place)) }
        // Steps go on at 8, and so does the next turn.
        for row in 13..<40 { expectEqual(rows[row], expected(Array(repeating: row - 5, count: 3))) }
        #expect(try rotary.place([], count: 2, at: 13) == [[8, 8, 8], [9, 9, 9]])
        expectEqual(try turned().flatMap { $0 }, rows.flatMap { $0 })
        // Without the second picture all behind it moves.
        #expect(try rotary.place([], count: 2, at: 9) == [[6, 6, 6], [7, 7, 7]])
        expectEqual(try turned()[20], expected([17, 17, 17]))
        rotary.release()
    }

    @Test("text alone is placed on three axes as on one")
    func textOnAxes() throws {
        let shape = RotaryShape(headDimension: 4)
        let plain = try states(bench())
        let axes = try states(
            bench(
                rotary: RotaryPositions(
                    shape: shape, positions: 64, theta: 100, axes: .interleaved(sections: [1, 1]))))
        #expect(plain == axes)
    }
}
