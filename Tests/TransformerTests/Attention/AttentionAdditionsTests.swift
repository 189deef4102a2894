import Checkpoint
import Compute
import ComputeReference
import Foundation
import TestSupport
import Testing

@testable import Transformer

/// Additions of some architectures to attention: masks by runs of queries, norms over heads, gates; and the weights these need.
@Suite("Attention's additions", .usesDevice, .serialized)
struct AttentionAdditionsTests {
    private let shape = AttentionShape(heads: 4, keyValueHeads: 2, headDimension: 6)
    private let size = 20
    private var width: Int { shape.heads * shape.headDimension }
    private var keyValueWidth: Int { shape.keyValueHeads * shape.headDimension }

    /// Numbers that look like noise, the same in every run.
    private func noise(_ count: Int, _ seed: UInt64) -> [Float] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 24) * 2 - 1
        }
    }

    /// A loaded attention, and what it runs in.
    private final class Bench {
        let device: Device
        let stream: CommandStream
        let tap: AttentionTap
        let attention: Attention
        private let gate: Gate
        let workspace = Workspace()
        let scratch: Attention.Scratch
        private let gatedOutput: Slot
        let input: Slot
        let output: Slot
        let cache: KeyValueCache
        private let list: ParameterList
        private let folder: TemporaryFolder

        init(
            tensors: [String: ([Int], [Float])], rows: Int, size: Int, shape: AttentionShape,
            _ declare: (ParameterScope) -> Attention
        ) throws {
            device = try TestDevice.open()
            folder = try TemporaryFolder()
            let writer = try SafetensorsWriter(path: folder.path("model.safetensors"))
            for (name, tensor) in tensors { try writer.add(name, shape: tensor.0, floats: tensor.1) }
            try writer.finish()
            list = ParameterList()
            let scope = ParameterScope(list: list, purpose: .weightsDecoder)
            attention = declare(scope)
            gate = Gate(scope, "gate")
            scratch = Attention.Scratch(workspace, rows: rows, shapes: [shape], phase: "test")
            gatedOutput = workspace.reserve("gated output", rows: rows, columns: size, phase: "test")
            input = workspace.reserve("input", rows: rows, columns: size, phase: "test")
            output = workspace.reserve("output", rows: rows, columns: size, phase: "test")
            let source = WeightSource(
                checkpoint: try Checkpoint.open(folder.path("model.safetensors")), naming: HuggingFaceNaming())
            try WeightLoader(device: device, source: source).load(list.layout)
            try workspace.allocate(on: device)
            cache = KeyValueCache(purpose: .selfKV, widths: [5: shape.keyValueWidth], capacity: rows)
            try cache.allocate(on: device)
            stream = try CommandStream(device: device)
            tap = AttentionTap(device: device)
            tap.selection = .everything
            tap.queryRows = .all
        }

        /// A residual stream that a gate opens to.
        func gated(_ x: Tensor) -> ResidualStream { ResidualStream(x, gate: gate, scratch: gatedOutput.rows(x.rows)) }

        func upload(_ values: [Float], to tensor: Tensor) throws {
            let buffer = try device.makeBuffer(
                byteCount: values.count * 4, purpose: .staging, label: "test", access: .upload)
            buffer.write(values)
            try stream.copy(
                from: MemoryRange(buffer: buffer, offset: 0, byteCount: values.count * 4), to: tensor.byteRange)
            try stream.finish()
        }

        func read(_ tensor: Tensor) throws -> [Float] {
            let count = tensor.rows * tensor.columns
            let buffer = try device.makeBuffer(
                byteCount: count * 4, purpose: .staging, label: "test", access: .readback)
            try stream.copy(from: tensor.byteRange, to: MemoryRange(buffer: buffer, offset: 0, byteCount: count * 4))
            try stream.finish()
            return buffer.read(Float.self, count: count)
        }
    }

    private var projections: [String: ([Int], [Float])] {
        [
            "q.weight": ([width, size], noise(width * size, 1)),
            "k.weight": ([keyValueWidth, size], noise(keyValueWidth * size, 2)),
            "v.weight": ([keyValueWidth, size], noise(keyValueWidth * size, 3)),
            "o.weight": ([size, width], noise(size * width, 4)),
            "q_norm.weight": ([6], noise(6, 5)), "k_norm.weight": ([6], noise(6, 6)), "gate": ([1], [0.7]),
        ]
    }

    private func declare(_ scope: ParameterScope, options: (ParameterScope) -> Attention.Options) -> Attention {
        Attention(
            kind: .selfAttention, layer: 5, shape: shape,
            fused: Linear(
                fusing: [("q", width), ("k", keyValueWidth), ("v", keyValueWidth)], in: scope, inputs: size, bias: false
            ),
            output: Linear(scope("o"), inputs: width, outputs: size, bias: false), options: options(scope))
    }

    @Test("masks by runs of queries are what the matrix of all queries and keys is, captured rows too")
    func runs() throws {
        let rows = 13
        let bench = try Bench(tensors: projections, rows: rows, size: size, shape: shape) {
            declare($0) { _ in .init() }
        }
        let excluded = AttentionBias.excluded
        let masks = [[Float]](
            arrayLiteral: (0..<rows).map { $0 % 3 == 0 ? excluded : 0 }, (0..<rows).map { $0 < 9 ? excluded : 0 })
        let matrix = (0..<rows).flatMap { $0 < 4 ? [Float](repeating: 0, count: rows) : masks[$0 < 9 ? 0 : 1] }
        let buffer = try bench.device.makeBuffer(
            byteCount: 4 * (rows + 2) * rows, purpose: .staging, label: "masks", access: .upload)
        buffer.write(matrix + masks[0] + masks[1])
        func row(_ index: Int) -> Tensor {
            Tensor(buffer: buffer, byteOffset: 4 * (rows + index) * rows, rows: 1, columns: rows)
        }
        let x = noise(rows * size, 9)

        func run(_ body: (Tensor, Tensor) throws -> Void) throws -> (output: [Float], rows: [Float]) {
            try bench.upload(x, to: bench.input.tensor)
            try bench.upload(x, to: bench.output.tensor)
            try body(bench.input.tensor, bench.output.tensor)
            return (try bench.read(bench.output.tensor), try #require(bench.tap.takeRows().first).values)
        }
        let whole = try run {
            let bias = AttentionBias(values: Tensor(buffer: buffer, rows: rows, columns: rows), isPerHead: false)
            try bench.attention.encode(
                $0, bias: bias, addingTo: ResidualStream($1), scratch: bench.scratch, tap: bench.tap, on: bench.stream)
        }
        func byRuns() throws -> (output: [Float], rows: [Float]) {
            try run {
                try bench.attention.encode(
                    $0,
                    masks: [
                        MaskRun(queries: 0..<4, mask: nil), MaskRun(queries: 4..<9, mask: row(0)),
                        MaskRun(queries: 9..<13, mask: row(1)),
                    ], addingTo: ResidualStream($1), scratch: bench.scratch, tap: bench.tap, on: bench.stream)
            }
        }
        let split = try byRuns()
        #expect(zip(split.output, whole.output).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(zip(split.rows, whole.rows).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(split.rows.count == 4 * rows * rows)

        // Some rows of several runs, in any order.
        bench.tap.queryRows = .list([12, 2, 5, 6])
        let chosen = try byRuns().rows
        for head in 0..<4 {
            for (place, query) in [12, 2, 5, 6].enumerated() {
                let got = chosen[(head * 4 + place) * rows..<(head * 4 + place + 1) * rows]
                let expected = whole.rows[(head * rows + query) * rows..<(head * rows + query + 1) * rows]
                #expect(zip(got, expected).allSatisfy { abs($0 - $1) < 1e-6 })
            }
        }
    }

    @Test("spans that attend both ways are what a matrix of masks makes, captured rows too", arguments: [nil, 5])
    func spans(_ window: Int?) throws {
        let rows = 13
        var shape = shape
        shape.window = window
        let spans = [2..<6, 9..<12]
        let bench = try Bench(tensors: projections, rows: rows, size: size, shape: shape) { scope in
            Attention(
                kind: .selfAttention, layer: 5, shape: shape,
                fused: Linear(
                    fusing: [("q", width), ("k", keyValueWidth), ("v", keyValueWidth)], in: scope, inputs: size,
                    bias: false),
                output: Linear(scope("o"), inputs: width, outputs: size, bias: false))
        }
        let matrix = (0..<rows).flatMap { query in
            (0..<rows).map { key -> Float in
                let isSeen = key <= query || spans.contains { $0.contains(query) && $0.contains(key) }
                return isSeen && key > query - (window ?? rows) ? 0 : -.infinity
            }
        }
        let buffer = try bench.device.makeBuffer(
            byteCount: 4 * rows * rows, purpose: .staging, label: "mask", access: .upload)
        buffer.write(matrix)
        let x = noise(rows * size, 9)
        func run(_ body: (Tensor, Tensor) throws -> Void) throws -> (output: [Float], rows: [Float]) {
            try bench.upload(x, to: bench.input.tensor)
            try bench.upload(x, to: bench.output.tensor)
            try body(bench.input.tensor, bench.output.tensor)
            return (try bench.read(bench.output.tensor), try #require(bench.tap.takeRows().first).values)
        }
        let masked = try run {
            let bias = AttentionBias(values: Tensor(buffer: buffer, rows: rows, columns: rows), isPerHead: false)
            try bench.attention.encode(
                $0, bias: bias, addingTo: ResidualStream($1), scratch: bench.scratch, tap: bench.tap, on: bench.stream)
        }
        let spanned = try run {
            try bench.attention.prefill(
                $0, firstPosition: 0, spans: spans, cache: bench.cache, addingTo: ResidualStream($1),
                scratch: bench.scratch, tap: bench.tap, on: bench.stream)
        }
        #expect(zip(spanned.output, masked.output).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(zip(spanned.rows, masked.rows).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(zip(spanned.rows, masked.rows).allSatisfy { $1 != 0 || $0 == 0 })
    }

    @Test("norms over heads and a gate: a prompt at once, token by token, and as plain arithmetic has it")
    func normsAndGate() throws {
        let rows = 7
        let bench = try Bench(tensors: projections, rows: rows, size: size, shape: shape) {
            declare($0) {
                .init(
                    queryNorm: RMSNorm($0("q_norm"), size: 6), keyNorm: RMSNorm($0("k_norm"), size: 6))
            }
        }
        let x = noise(rows * size, 9)
        try bench.upload(x, to: bench.input.tensor)
        try bench.upload(x, to: bench.output.tensor)
        try bench.attention.prefill(
            bench.input.tensor, firstPosition: 0, cache: bench.cache, addingTo: bench.gated(bench.output.tensor),
            scratch: bench.scratch,
            tap: bench.tap, on: bench.stream)
        let whole = try bench.read(bench.output.tensor)
        let expected = reference(x, rows: rows)
        #expect(zip(whole, expected).allSatisfy { abs($0 - $1) < 1e-4 })
        #expect(bench.tap.takeRows().first?.layer == 5)

        bench.tap.selection = .off
        bench.tap.queryRows = .none
        let step = try StepBuffer(device: bench.device)
        let last = rows - 1
        try bench.upload(Array(x[(last * size)...]), to: bench.input.rows(1))
        try bench.upload(Array(x[(last * size)...]), to: bench.output.rows(1))
        step.write(StepState(position: last, tokens: [0]))
        try bench.attention.decode(
            bench.input.rows(1), step: step, cache: bench.cache, addingTo: bench.gated(bench.output.rows(1)),
            scratch: bench.scratch, tap: bench.tap,
            on: bench.stream)
        let token = try bench.read(bench.output.rows(1))
        #expect(zip(token, expected[(last * size)...]).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    /// x + tanh(gate) · attention(x), causal, with norms over heads.
    private func reference(_ x: [Float], rows: Int) -> [Float] {
        func project(_ name: String, _ input: [Float], _ inputs: Int) -> [[Float]] {
            let (shape, weight) = projections[name] ?? ([0, 0], [])
            return stride(from: 0, to: input.count, by: inputs).map { row in
                (0..<shape[0]).map { output in
                    (0..<inputs).reduce(0) { $0 + input[row + $1] * weight[output * inputs + $1] }
                }
            }
        }
        func normalized(_ values: [[Float]], _ name: String) -> [[Float]] {
            let weight = projections[name]?.1 ?? []
            return values.map { row in
                stride(from: 0, to: row.count, by: 6).flatMap { first -> [Float] in
                    let head = row[first..<first + 6]
                    let scale = 1 / (head.reduce(0) { $0 + $1 * $1 } / 6 + 1e-6).squareRoot()
                    return zip(head, weight).map { $0 * scale * $1 }
                }
            }
        }
        let query = normalized(project("q.weight", x, size), "q_norm.weight")
        let key = normalized(project("k.weight", x, size), "k_norm.weight")
        let value = project("v.weight", x, size)
        var context: [Float] = []
        for row in 0..<rows {
            for head in 0..<4 {
                let group = head / 2
                let scores = (0...row).map { other in
                    (0..<6).reduce(Float(0)) { $0 + query[row][head * 6 + $1] * key[other][group * 6 + $1] }
                        / Float(6).squareRoot()
                }
                let top = scores.max() ?? 0
                let weights = scores.map { exp($0 - top) }
                let sum = weights.reduce(0, +)
                context += (0..<6).map { element in
                    (0...row).reduce(Float(0)) { $0 + weights[$1] / sum * value[$1][group * 6 + element] }
                }
            }
        }
        return zip(x, project("o.weight", context, width).flatMap { $0 }).map { $0 + tanh(0.7) * $1 }
    }

    @Test("interleaved columns are held group by group")
    func interleaved() {
        // Two first columns, then elements a, b, c of groups 1 and 2: a1 a2 b1 b2 c1 c2.
        let stored: [Float] = [0, 1, 10, 20, 11, 21, 12, 22]
        #expect(
            WeightLoader.grouped(stored + stored.map { $0 + 100 }, columns: 8, first: 2, groups: 2)
                == [0, 1, 10, 11, 12, 20, 21, 22, 100, 101, 110, 111, 112, 120, 121, 122])
        #expect(WeightLoader.grouped([1, 2, 3], columns: 3, first: 3, groups: 0) == [1, 2, 3])
    }

    @Test("a cache that grows keeps what it held, and begins anew with its first size")
    func growth() throws {
        let device = try TestDevice.open()
        let before = device.ledger.total
        let stream = try CommandStream(device: device)
        let cache = KeyValueCache(purpose: .crossKV, widths: [0: 4, 1: 4], capacity: 3)
        try cache.allocate(on: device)
        let values = noise(2 * 2 * 8, 3)
        let upload = try device.makeBuffer(
            byteCount: values.count * 4, purpose: .staging, label: "test", access: .upload)
        upload.write(values)
        for layer in 0..<2 {
            try stream.copy(
                from: MemoryRange(buffer: upload, offset: layer * 64, byteCount: 64),
                to: cache.keysAndValues(layer: layer).rows(0..<2).byteRange)
        }
        try cache.grow(to: 5, keeping: 2, on: stream)
        #expect(cache.capacity == 5 && cache.keysAndValues(layer: 1).rows == 5)
        let host = try device.makeBuffer(byteCount: 128, purpose: .staging, label: "test", access: .readback)
        for layer in 0..<2 {
            try stream.copy(
                from: cache.keysAndValues(layer: layer).rows(0..<2).byteRange,
                to: MemoryRange(buffer: host, offset: layer * 64, byteCount: 64))
        }
        try stream.finish()
        #expect(host.read(Float.self, count: 32) == values)
        cache.release()
        #expect(cache.capacity == 3)
        #expect(device.ledger.total - before <= Device.allocationBytes(for: 128) * 2)
    }
}
