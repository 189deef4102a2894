import ComputeReference
import NumberFormats
import TestSupport
import Testing

@testable import Compute

@Suite("attention equals its CPU twin", .usesDevice)
struct AttentionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var queries, keys: Int
        var heads = 2
        var keyValueHeads = 2
        var size = 64
        var causalOffset: Int?
        var spanEnd: Int?
        var window: Int?
        var cap: Float?
        var bias: Bool?
        var cache = ElementFormat.f32
        var tuning = Tuning.vectorByAddress

        var shape: AttentionShape {
            var shape = AttentionShape(
                heads: heads, keyValueHeads: keyValueHeads, headDimension: size, causalOffset: causalOffset,
                window: window, scoreCap: cap)
            shape.spanEnd = spanEnd
            return shape
        }
        var testDescription: String {
            "\(queries)×\(keys) heads \(heads)/\(keyValueHeads)×\(size) causal \(causalOffset.map(String.init) ?? "no") window \(window ?? 0) span \(spanEnd ?? 0) cap \(cap ?? 0) bias \(bias.map { $0 ? "per head" : "shared" } ?? "no") \(cache.rawValue) \(tuning.rawValue)"
        }
    }

    static var cases: [Case] {
        Tuning.allCases.flatMap { tuning in
            var all = [
                Case(queries: 1, keys: 1), Case(queries: 7, keys: 13), Case(queries: 17, keys: 64),
                Case(queries: 67, keys: 67),
                Case(queries: 65, keys: 1500, heads: 1, keyValueHeads: 1), Case(queries: 5, keys: 9, size: 12),
                Case(queries: 6, keys: 11, size: 5), Case(queries: 3, keys: 8, heads: 3, keyValueHeads: 1, size: 1),
                Case(queries: 9, keys: 23, heads: 6, keyValueHeads: 2, size: 32), Case(queries: 5, keys: 21, size: 80),
                Case(queries: 4, keys: 19, heads: 1, keyValueHeads: 1, size: 256),
                Case(queries: 4, keys: 19, heads: 2, keyValueHeads: 1, size: 255),
                Case(queries: 13, keys: 13, causalOffset: 0), Case(queries: 70, keys: 75, causalOffset: 5),
                Case(queries: 3, keys: 40, heads: 4, keyValueHeads: 2, size: 16, causalOffset: 37),
                Case(queries: 10, keys: 11, bias: true),
                Case(queries: 66, keys: 31, size: 16, causalOffset: 0, bias: false),
                Case(queries: 8, keys: 30, heads: 4, keyValueHeads: 2, cache: .f16),
                Case(queries: 6, keys: 11, size: 5, cache: .f16),
                Case(queries: 13, keys: 13, causalOffset: 0, window: 1),
                Case(queries: 70, keys: 75, causalOffset: 5, window: 9),
                Case(queries: 70, keys: 170, size: 32, causalOffset: 100, window: 40, bias: false),
                Case(queries: 67, keys: 67, cap: 1.5), Case(queries: 9, keys: 23, size: 12, causalOffset: 14, cap: 4),
                Case(
                    queries: 20, keys: 40, heads: 4, keyValueHeads: 2, size: 256, causalOffset: 20, window: 17, cap: 2,
                    cache: .f16),
                Case(queries: 6, keys: 30, size: 16, causalOffset: 12, spanEnd: 18),
                Case(queries: 66, keys: 90, size: 16, causalOffset: 12, spanEnd: 78, window: 70, bias: true),
            ]
            for index in all.indices { all[index].tuning = tuning }
            return all
        }
    }

    @Test("outputs, log-sum-exp and recomputed rows", arguments: cases)
    func parity(_ c: Case) throws {
        let bench = try KernelBench(seed: UInt64(c.queries * 100 + c.size))
        let shape = c.shape
        let query = bench.matrix(c.queries, shape.queryWidth, in: -3...3)
        let key = bench.matrix(c.keys, shape.keyWidth, in: -2...2)
        let value = bench.matrix(c.keys, shape.keyWidth)
        let biasRows = c.queries * (c.bias == true ? c.heads : 1)
        var bias = bench.matrix(biasRows, c.keys)
        // Some keys are masked out by bias, in both of the usual ways.
        for index in stride(from: 1, to: bias.values.count, by: 5)
        where c.keys > 1 && index % c.keys != 0 && c.window == nil {
            bias.values[index] = index % 2 == 0 ? -.infinity : -.greatestFiniteMagnitude
        }
        let added: ((Int, Int, Int) -> Float)? = c.bias.map { perHead in
            { head, query, key in bias[perHead ? head * c.queries + query : query, key] }
        }
        let expected = Reference.attention(
            shape: shape, query: query, key: KernelBench.rounded(key, to: c.cache),
            value: KernelBench.rounded(value, to: c.cache),
            bias: added)

        // Query, key and value as columns of wider rows, as a fused projection leaves them.
        let q = try bench.tensor(query, rowStride: shape.queryWidth + 4)
        let k = try bench.tensor(key, rowStride: shape.keyWidth * 2, format: c.cache)
        let v = try bench.tensor(value, rowStride: shape.keyWidth * 2, format: c.cache)
        let biasTensor = try c.bias.map { AttentionBias(values: try bench.tensor(bias), isPerHead: $0) }
        let out = try bench.output(c.queries, shape.queryWidth, rowStride: shape.queryWidth + 4)
        let lse = try bench.output(c.heads, c.queries)
        try bench.stream.attention(
            shape: shape, query: q, key: k, value: v, bias: biasTensor, logSumExp: lse, into: out,
            profile: c.tuning.profile, load: c.tuning.load)
        #expect(largestDifference(try bench.read(out), expected.output) < 1e-5)
        bench.expectUntouchedGaps(out)
        let gotLSE = try bench.read(lse)
        #expect(largestDifference(gotLSE, .init(rows: c.heads, columns: c.queries, values: expected.logSumExp)) < 2e-5)

        let rows = c.queries > 3 ? [c.queries - 1, 0, 1, 2] : Array(0..<c.queries)
        for lse in [lse, nil] {
            let weights = try bench.output(c.heads * rows.count, c.keys)
            try bench.stream.attentionRows(
                rows, shape: shape, query: q, key: k, bias: biasTensor, logSumExp: lse, into: weights)
            let got = try bench.read(weights)
            let wanted = Reference.attentionRows(
                rows, shape: shape, query: query, key: KernelBench.rounded(key, to: c.cache), bias: added)
            #expect(largestDifference(got, wanted) < 1e-5, "rows, log-sum-exp \(lse == nil ? "unknown" : "known")")
            for r in 0..<got.rows {
                let sum = (0..<got.columns).reduce(0.0) { $0 + Double(got[r, $1]) }
                #expect(abs(sum - 1) < 1e-5, "row \(r) sums to \(sum)")
            }
            // Masked keys have a weight of exactly 0.
            let maskedIsNothing = zip(got.values, wanted.values).allSatisfy { $1 != 0 || $0 == 0 }
            #expect(maskedIsNothing)
        }
        bench.expectNoValidationMessages()
    }
}

@Suite("decode attention equals its CPU twin", .usesDevice)
struct AttentionDecodeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var rows = 1
        var position: Int
        var heads = 2
        var keyValueHeads = 2
        var size = 64
        var cache = ElementFormat.f32
        var tuning = Tuning.vectorByAddress
        /// Elements of a head that are turned.
        var turned: Int?
        var hasPairs = false
        var bias: DecodeBias.Index?
        var window: Int?
        var cap: Float?
        var shape: AttentionShape {
            AttentionShape(
                heads: heads, keyValueHeads: keyValueHeads, headDimension: size, window: window, scoreCap: cap)
        }
        var testDescription: String {
            "rows \(rows) position \(position) heads \(heads)/\(keyValueHeads)×\(size) \(cache.rawValue) \(tuning.rawValue) bias \(bias.map { "by \($0)" } ?? "no") window \(window ?? 0) cap \(cap ?? 0) turned \(turned.map(String.init) ?? "no")\(hasPairs ? " in pairs" : "")"
        }
    }

    static var cases: [Case] {
        Tuning.allCases.flatMap { tuning in
            var all = [
                Case(position: 0), Case(position: 1), Case(position: 15), Case(position: 16),
                Case(rows: 5, position: 46),
                Case(rows: 2, position: 1499, heads: 1, keyValueHeads: 1), Case(rows: 3, position: 10, size: 5),
                Case(rows: 2, position: 33, heads: 6, keyValueHeads: 2, size: 12), Case(position: 300, size: 80),
                Case(position: 40, heads: 2, keyValueHeads: 1, size: 256), Case(rows: 16, position: 7, size: 8),
                Case(rows: 2, position: 29, bias: .distance), Case(rows: 2, position: 29, bias: .key),
                Case(rows: 2, position: 29, bias: .distanceAndKey),
                Case(position: 4, window: 5), Case(rows: 3, position: 60, window: 1),
                Case(rows: 2, position: 333, size: 32, turned: 32, window: 300), Case(rows: 2, position: 29, cap: 2),
                Case(position: 70, heads: 4, keyValueHeads: 1, size: 256, cache: .f16, bias: .key, window: 33, cap: 3),
                Case(rows: 3, position: 37, heads: 4, keyValueHeads: 2, cache: .f16),
                Case(rows: 2, position: 20, size: 5, cache: .f16),
                Case(rows: 2, position: 9, turned: 64),
                Case(position: 50, heads: 9, keyValueHeads: 3, turned: 64, hasPairs: true),
                Case(rows: 3, position: 18, heads: 4, keyValueHeads: 2, size: 12, turned: 12),
                Case(position: 5, size: 80, turned: 32),
                Case(rows: 2, position: 5, size: 80, turned: 32, hasPairs: true),
                Case(rows: 3, position: 37, heads: 4, keyValueHeads: 2, cache: .f16, turned: 64),
            ]
            for index in all.indices { all[index].tuning = tuning }
            return all
        }
    }

    @Test("self-attention appends, attends and is tapped, step after step from one recording", arguments: cases)
    func selfAttention(_ c: Case) throws {
        let bench = try KernelBench(seed: UInt64(c.position + c.size))
        let shape = c.shape
        let (capacity, width, steps) = (c.position + 3, shape.keyWidth, 2)
        var keys = (0..<c.rows).map { _ in KernelBench.rounded(bench.matrix(capacity, width, in: -2...2), to: c.cache) }
        var values = (0..<c.rows).map { _ in KernelBench.rounded(bench.matrix(capacity, width), to: c.cache) }
        // Keys and values side by side, what is not yet written being NaN.
        var cached = Reference.Matrix(rows: c.rows * capacity, columns: 2 * width, repeating: .nan)
        for b in 0..<c.rows {
            for j in 0..<c.position {
                for d in 0..<width {
                    cached[b * capacity + j, d] = keys[b][j, d]
                    cached[b * capacity + j, width + d] = values[b][j, d]
                }
            }
        }
        let cache = try bench.tensor(cached, format: c.cache)
        let fused = try bench.output(c.rows, shape.queryWidth + 2 * width)
        let out = try bench.output(c.rows, shape.queryWidth)
        let capture = try bench.output(c.rows * c.heads, capacity)
        let biasValues = bench.matrix(c.heads + (c.bias == .distanceAndKey ? 1 : 0), capacity)
        let bias = try c.bias.map { DecodeBias(values: try bench.tensor(biasValues), index: $0) }
        let angles = bench.matrix(capacity, c.turned ?? 2)
        let rotaryShape = RotaryShape(headDimension: c.size, rotaryDimension: c.turned ?? 2, isInterleaved: c.hasPairs)
        let rotary = c.turned == nil ? nil : DecodeRotary(shape: rotaryShape, table: try bench.tensor(angles))
        /// The expected rows of this position.
        func turn(_ rows: Reference.Matrix, at position: Int) -> Reference.Matrix {
            c.turned == nil
                ? rows
                : Reference.rotary(
                    rows, shape: rotaryShape, table: angles, rowPositions: Array(repeating: position, count: rows.rows))
        }
        let step = try StepBuffer(device: bench.device)
        let recording = try bench.stream.record { stream in
            try stream.attentionDecode(
                shape: shape, query: fused.columns(0..<shape.queryWidth),
                append: (
                    fused.columns(shape.queryWidth..<shape.queryWidth + width),
                    fused.columns(shape.queryWidth + width..<shape.queryWidth + 2 * width)
                ),
                key: cache.columns(0..<width), value: cache.columns(width..<2 * width), keyCapacity: capacity,
                keyCount: .step, step: step,
                rotary: rotary, bias: bias, capture: capture, into: out, profile: c.tuning.profile, load: c.tuning.load)
        }
        for number in 0..<steps {
            let position = c.position + number
            let new = bench.matrix(c.rows, fused.columns, in: -2...2)
            fused.buffer.write(new.values)
            var newKeys = Reference.Matrix(rows: c.rows, columns: width)
            for b in 0..<c.rows { for d in 0..<width { newKeys[b, d] = new[b, shape.queryWidth + d] } }
            newKeys = turn(newKeys, at: position)
            for b in 0..<c.rows {
                for d in 0..<width {
                    keys[b][position, d] = KernelBench.rounded(newKeys[b, d], to: c.cache)
                    values[b][position, d] = KernelBench.rounded(new[b, shape.queryWidth + width + d], to: c.cache)
                }
            }
            step.write(StepState(position: position, tokens: Array(repeating: 0, count: c.rows)))
            try bench.stream.wait(for: bench.stream.replay(recording))

            var query = Reference.Matrix(rows: c.rows, columns: shape.queryWidth)
            for b in 0..<c.rows { for d in 0..<shape.queryWidth { query[b, d] = new[b, d] } }
            query = turn(query, at: position)
            let expected = Reference.attentionDecode(
                shape: shape, query: query, keys: keys, values: values, keyCount: position + 1,
                bias: c.bias.map { index in
                    { head, key in
                        biasValues[head, index == .key ? key : position - key]
                            + (index == .distanceAndKey ? biasValues[c.heads, key] : 0)
                    }
                })
            // Rounding to f16 may differ in the last bit.
            let tolerance: Float = c.cache == .f16 ? 2e-3 : 1e-5
            #expect(largestDifference(try bench.read(out), expected.output) < tolerance)
            let rows = try bench.read(capture.columns(0..<position + 1))
            #expect(largestDifference(rows, expected.weights) < tolerance)
            for r in 0..<rows.rows {
                #expect(abs((0..<rows.columns).reduce(0.0) { $0 + Double(rows[r, $1]) } - 1) < 1e-5)
            }
        }
        bench.expectNoValidationMessages()
    }

    @Test(
        "cross-attention: all hypotheses share the keys; P·V of the captured rows is the output",
        arguments: [(1, 1500, 64), (5, 1500, 64), (3, 1, 12), (2, 31, 5)], Tuning.allCases)
    func crossAttention(_ c: (rows: Int, keys: Int, size: Int), _ tuning: Tuning) throws {
        let bench = try KernelBench()
        let shape = AttentionShape(heads: 3, headDimension: c.size)
        let query = bench.matrix(c.rows, shape.queryWidth, in: -2...2)
        let key = bench.matrix(c.keys, shape.keyWidth)
        let value = bench.matrix(c.keys, shape.keyWidth)
        let out = try bench.output(c.rows, shape.queryWidth)
        let capture = try bench.output(c.rows * shape.heads, c.keys + 3)
        let step = try StepBuffer(device: bench.device)
        step.write(StepState(position: 99, tokens: [1]))
        try bench.stream.attentionDecode(
            shape: shape, query: bench.tensor(query), append: nil, key: bench.tensor(key), value: bench.tensor(value),
            keyCapacity: 0,
            keyCount: .fixed(c.keys), step: step, capture: capture, into: out, profile: tuning.profile,
            load: tuning.load)
        let expected = Reference.attentionDecode(
            shape: shape, query: query, keys: Array(repeating: key, count: c.rows),
            values: Array(repeating: value, count: c.rows),
            keyCount: c.keys)
        let got = try bench.read(out)
        #expect(largestDifference(got, expected.output) < 1e-5)
        let rows = try bench.read(capture.columns(0..<c.keys))
        #expect(largestDifference(rows, expected.weights) < 1e-5)
        var product = Reference.Matrix(rows: c.rows, columns: shape.queryWidth)
        for b in 0..<c.rows {
            for column in 0..<shape.queryWidth {
                let row = b * shape.heads + column / c.size
                product[b, column] = Float(
                    (0..<c.keys).reduce(0.0) { $0 + Double(rows[row, $1]) * Double(value[$1, column]) })
            }
        }
        #expect(largestDifference(got, product) < 1e-5)
        bench.expectUntouchedGaps(capture)
        bench.expectNoValidationMessages()
    }
}
