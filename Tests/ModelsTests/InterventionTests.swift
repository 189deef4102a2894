import Checkpoint
import Compute
import AttentionTypes
import NumberFormats
import Foundation
import Media
import TestSupport
import Testing
import Transformer

@testable import Models

/// Llama in double precision on the CPU, with interventions written out as what they mean.
private struct LlamaReference {
    let c: Llama.Configuration
    let checkpoint: Checkpoint

    private func weights(_ name: String) throws -> [Double] { try checkpoint.floats(name).map(Double.init) }

    private func linear(_ x: [[Double]], _ name: String, outputs: Int) throws -> [[Double]] {
        let w = try weights(name)
        return x.map { row in
            (0..<outputs).map { out in row.indices.reduce(0.0) { $0 + row[$1] * w[out * row.count + $1] } }
        }
    }

    private func norm(_ x: [[Double]], _ name: String) throws -> [[Double]] {
        let w = try weights(name)
        return x.map { row in
            let scale = 1 / (row.reduce(0) { $0 + $1 * $1 } / Double(row.count) + Double(c.epsilon)).squareRoot()
            return row.indices.map { row[$0] * scale * w[$0] }
        }
    }

    private func turned(_ head: [Double], position: Int) -> [Double] {
        let half = head.count / 2
        return head.indices.map { index in
            let pair = index % half
            let angle = Double(position) * pow(Double(c.theta), -2 * Double(pair) / Double(head.count))
            let (a, b) = (head[pair], head[pair + half])
            return index < half ? a * cos(angle) - b * sin(angle) : b * cos(angle) + a * sin(angle)
        }
    }

    /// Logits of every row, and attention `[layers][heads][queries][keys]`.
    func run(_ tokens: [Int], _ interventions: Interventions) throws -> (logits: [[Double]], attention: [[[[Double]]]])
    {
        let (d, group) = (c.headDimension, c.heads / c.keyValueHeads)
        let hidden = interventions.hiddenKeys[.selfAttention] ?? []
        let table = try weights("model.embed_tokens.weight")
        var x = tokens.map { Array(table[$0 * c.hiddenSize..<($0 + 1) * c.hiddenSize]) }
        var attention: [[[[Double]]]] = []
        for layer in 0..<c.layers {
            let base = "model.layers.\(layer)."
            let normed = try norm(x, base + "input_layernorm.weight")
            let q = try linear(normed, base + "self_attn.q_proj.weight", outputs: c.heads * d)
            let k = try linear(normed, base + "self_attn.k_proj.weight", outputs: c.keyValueHeads * d)
            let v = try linear(normed, base + "self_attn.v_proj.weight", outputs: c.keyValueHeads * d)
            var context = [[Double]](repeating: [Double](repeating: 0, count: c.heads * d), count: tokens.count)
            var heads: [[[Double]]] = []
            for head in 0..<c.heads {
                let g = head / group
                let keys = tokens.indices.map { turned(Array(k[$0][g * d..<(g + 1) * d]), position: $0) }
                var rows: [[Double]] = []
                for query in tokens.indices {
                    let turnedQuery = turned(Array(q[query][head * d..<(head + 1) * d]), position: query)
                    var scores = (0...query).map { key in
                        (0..<d).reduce(0.0) { $0 + turnedQuery[$1] * keys[key][$1] } / Double(d).squareRoot()
                    }
                    // What is left is renormalized; where nothing is left, all are alike.
                    if scores.indices.allSatisfy(hidden.contains) {
                        scores = scores.map { _ in 0 }
                    } else {
                        for key in scores.indices where hidden.contains(key) { scores[key] = -.infinity }
                    }
                    let top = scores.max() ?? 0
                    let exponentials = scores.map { exp($0 - top) }
                    let sum = exponentials.reduce(0, +)
                    let row = exponentials.map { $0 / sum }
                    rows.append(row + [Double](repeating: 0, count: tokens.count - row.count))
                    if interventions.silencedHeads.contains(
                        AttentionHead(kind: .selfAttention, layer: layer, head: head))
                    {
                        continue
                    }
                    for key in row.indices {
                        for e in 0..<d { context[query][head * d + e] += row[key] * v[key][g * d + e] }
                    }
                }
                heads.append(rows)
            }
            attention.append(heads)
            let added = try linear(context, base + "self_attn.o_proj.weight", outputs: c.hiddenSize)
            for row in x.indices { for e in x[row].indices { x[row][e] += added[row][e] } }
            let inner = try norm(x, base + "post_attention_layernorm.weight")
            let gate = try linear(inner, base + "mlp.gate_proj.weight", outputs: c.intermediateSize)
            let up = try linear(inner, base + "mlp.up_proj.weight", outputs: c.intermediateSize)
            let product = gate.indices.map { row in
                gate[row].indices.map { gate[row][$0] / (1 + exp(-gate[row][$0])) * up[row][$0] }
            }
            let down = try linear(product, base + "mlp.down_proj.weight", outputs: c.hiddenSize)
            for row in x.indices { for e in x[row].indices { x[row][e] += down[row][e] } }
        }
        return (try linear(norm(x, "model.norm.weight"), "lm_head.weight", outputs: c.vocabulary), attention)
    }
}

@Suite(
    "Interventions", .usesDevice,
    .needsLargeFixtures, .serialized)
struct InterventionTests {
    private func expectClose(_ actual: [Float], _ expected: [Double], _ tolerance: Double, _ what: String) {
        let largest = max(expected.reduce(0) { max($0, abs($1)) }, 1e-9)
        let worst = zip(actual, expected).map { abs(Double($0) - $1) }.max() ?? .infinity
        #expect(actual.count == expected.count && worst <= tolerance * largest, "\(what): \(worst) of \(largest)")
    }

    private static let cases: [Interventions] = [
        .none,
        Interventions(silencedHeads: [
            AttentionHead(kind: .selfAttention, layer: 0, head: 2),
            AttentionHead(kind: .selfAttention, layer: 2, head: 7),
            AttentionHead(kind: .selfAttention, layer: 2, head: 0),
        ]),
        Interventions(hiddenKeys: [.selfAttention: [0, 3, 4, 9, 33]]),
        Interventions(
            silencedHeads: [AttentionHead(kind: .selfAttention, layer: 1, head: 4)],
            hiddenKeys: [.selfAttention: [1, 2, 30], .cross: [0]]),
    ]

    @Test(
        "heads and keys taken out of Llama: rows and logits of prompt and steps are those of the CPU", arguments: cases)
    func llama(_ interventions: Interventions) throws {
        let golden = try Fixtures.golden("llama")
        let files = try ModelFiles(path: Fixtures.model("llama").path)
        let model = try Llama.make(from: files)
        let device = try Device(validation: true)
        try model.load(from: files, on: device) { _, _ in }
        let tap = try #require(model.tap)
        tap.selection = .everything
        tap.interventions = interventions
        let reference = LlamaReference(c: model.configuration, checkpoint: files.checkpoint)
        let prompt = try golden.integers("main/input_ids")
        var tokens = prompt
        tap.queryRows = .all
        let logits = try model.prefill(prompt, at: 0, logitRows: Set(prompt.indices))
        tap.queryRows = .none
        let expected = try reference.run(tokens, interventions)
        for row in prompt.indices { expectClose(logits[row] ?? [], expected.logits[row], 1e-3, "prompt row \(row)") }
        for weights in tap.takeRows() {
            expectClose(
                weights.values, expected.attention[weights.layer].flatMap { $0.flatMap { $0 } }, 1e-4,
                "prompt attention \(weights.layer)")
        }
        for id in [5, 77, 12] {
            tokens.append(id)
            let (rows, attention) = try model.advance(tokens: [id])
            let expected = try reference.run(tokens, interventions)
            expectClose(rows[0], try #require(expected.logits.last), 1e-3, "step at \(tokens.count)")
            for weights in attention[0] {
                let last = expected.attention[weights.layer].flatMap { $0.last ?? [] }
                expectClose(weights.values, last, 1e-4, "attention \(weights.layer) at \(tokens.count)")
            }
        }
        #expect(device.instance.validationMessages == [])
    }

    @Test("nothing taken out changes nothing and takes no memory, and taken back all is as before")
    func none() throws {
        let files = try ModelFiles(path: Fixtures.model("llama").path)
        let model = try Llama.make(from: files)
        let device = try Device(validation: false)
        try model.load(from: files, on: device) { _, _ in }
        let tap = try #require(model.tap)
        func run() throws -> [[Float]] {
            var rows = try model.prefill([1, 20, 30, 40], at: 0, logitRows: [3]).values.map { $0 }
            rows += try model.advance(tokens: [9]).logits
            return rows
        }
        let plain = try run()
        let stream = try #require(model.decoder.stream)
        func dispatches() throws -> Int {
            let before = stream.dispatchCount
            #expect(try run() == plain)
            return stream.dispatchCount - before
        }
        let (bytes, revision, count) = (device.ledger.total, tap.revision, try dispatches())
        tap.interventions = .none
        #expect(try dispatches() == count)
        // Recorded steps stay as they are: there is nothing more to run.
        #expect(device.ledger.total == bytes && tap.revision == revision)
        tap.interventions = Self.cases[3]
        #expect(try run() != plain)
        tap.interventions = .none
        #expect(try dispatches() == count)
    }

    @Test(
        "source keys hidden from T5, Marian and BART: nobody attends to them, and the first layer's rows are shared out anew",
        arguments: ["t5", "marian", "bart"])
    func source(_ name: String) throws {
        let golden = try Fixtures.golden(name)
        let files = try ModelFiles(path: Fixtures.model(name).path)
        let model = try #require(try ModelRegistry.make(from: files).textSource)
        try model.load(from: files, on: Device(validation: true)) { _, _ in }
        let tap = try #require(model.tap)
        let source = try golden.integers("main/input_ids")
        tap.selection = .cross
        let hidden: Set<Int> = [0, 2, source.count - 1]
        func rows() throws -> [[AttentionWeights]] {
            try model.encode(tokens: source)
            tap.queryRows = .all
            _ = try model.start(tokens: model.startTokens, hypotheses: 1, logitRows: [])
            tap.queryRows = .none
            let first = tap.takeRows()
            let greedy = try golden.integers("main/greedy")
            return try [first] + greedy.prefix(3).map { try model.advance(tokens: [$0], parents: nil).attention[0] }
        }
        let plain = try rows()
        tap.interventions = Interventions(hiddenKeys: [.cross: hidden])
        let changed = try rows()
        #expect(plain.count == changed.count)
        for (before, after) in zip(plain, changed) {
            for (old, new) in zip(before, after) {
                for head in 0..<new.heads {
                    let row = Array(new.row(head: head, query: 0))
                    #expect(hidden.allSatisfy { row[$0] == 0 } && abs(row.reduce(0, +) - 1) < 1e-5)
                    // Self-attention comes before: the first layer's queries are as they were.
                    guard new.layer == 0 else { continue }
                    let was = Array(old.row(head: head, query: 0))
                    let left = was.indices.filter { !hidden.contains($0) }.reduce(Float(0)) { $0 + was[$1] }
                    for key in row.indices where !hidden.contains(key) {
                        #expect(abs(row[key] - was[key] / left) < 1e-4)
                    }
                }
            }
        }
    }

    @Test("T5's own tokens, whose scores go by distance, hidden: in the prompt and in steps")
    func distances() throws {
        let golden = try Fixtures.golden("t5")
        let files = try ModelFiles(path: Fixtures.model("t5").path)
        let model = try #require(try ModelRegistry.make(from: files).textSource)
        try model.load(from: files, on: Device(validation: true)) { _, _ in }
        let tap = try #require(model.tap)
        tap.selection = .init(.selfAttention)
        try model.encode(tokens: golden.integers("main/input_ids"))
        let tokens = model.startTokens + (try golden.integers("main/greedy")).prefix(5)
        func rows() throws -> (steps: [[AttentionWeights]], logits: [Float]) {
            _ = try model.start(tokens: [tokens[0]], hypotheses: 1, logitRows: [])
            let steps = try tokens.dropFirst().map { try model.advance(tokens: [$0], parents: nil) }
            return (steps.map { $0.attention[0] }, try #require(steps.last).logits[0])
        }
        let plain = try rows()
        tap.interventions = Interventions(hiddenKeys: [.selfAttention: [1, 2]])
        let changed = try rows()
        for (before, after) in zip(plain.steps, changed.steps) {
            for (old, new) in zip(before, after) {
                for head in 0..<new.heads where new.keys > 3 {
                    let (was, row) = (Array(old.row(head: head, query: 0)), Array(new.row(head: head, query: 0)))
                    #expect(row[1] == 0 && row[2] == 0 && abs(row.reduce(0, +) - 1) < 1e-5)
                    guard new.layer == 0 else { continue }
                    let left = 1 - was[1] - was[2]
                    for key in row.indices where key != 1 && key != 2 {
                        #expect(abs(row[key] - was[key] / left) < 1e-4)
                    }
                }
            }
        }
        // One pass over all tokens goes another way to the same logits.
        let last = tokens.count - 1
        let whole = try #require(try model.prefill(tokens, at: 0, logitRows: [last])[last])
        #expect(zip(whole, changed.logits).allSatisfy { abs($0 - $1) < 1e-3 })
        #expect(zip(plain.logits, changed.logits).contains { abs($0 - $1) > 1e-2 })
    }

    @Test(
        "keys of pictures hidden from Llama 3.2 Vision, whose queries see them through masks of their own",
        arguments: ["wide", "two"])
    func pictures(_ name: String) throws {
        let golden = try Fixtures.golden("mllama")
        let files = try ModelFiles(path: Fixtures.model("mllama").path)
        let model = try Mllama.make(from: files)
        let device = try Device(validation: true)
        try model.load(from: files, on: device) { _, _ in }
        let tap = try #require(model.tap)
        let processor = try Mllama.imageProcessor(of: files)
        let images = try #require(golden.meta["prompts"]?[name]?["images"]?.stringArray)
        let pictures = try images.map {
            try processor.process(ImageFile.load(path: Fixtures.models.appending(path: "inputs/\($0)").path))
        }
        try model.readPictures(pictures, keeping: 0)
        let prompt = try golden.integers("\(name)/input_ids")
        tap.selection = .cross
        func rows() throws -> [[AttentionWeights]] {
            tap.queryRows = .all
            _ = try model.prefill(prompt, at: 0, logitRows: [])
            tap.queryRows = .none
            let first = AttentionWeights.joiningPieces(tap.takeRows())
            return try [first] + [7, 9].map { try model.advance(tokens: [$0]).attention[0] }
        }
        let plain = try rows()
        let hidden: Set<Int> = [0, 3, 11, 12]
        tap.interventions = Interventions(hiddenKeys: [.cross: hidden])
        let changed = try rows()
        #expect(plain.map(\.count) == changed.map(\.count) && plain.allSatisfy { $0.count == 2 })
        for (before, after) in zip(plain, changed) {
            for (old, new) in zip(before, after) {
                #expect(old.queries == new.queries && old.keys == new.keys)
                for head in 0..<new.heads {
                    for query in 0..<new.queries {
                        let (was, row) = (
                            Array(old.row(head: head, query: query)), Array(new.row(head: head, query: query))
                        )
                        #expect(abs(row.reduce(0, +) - 1) < 1e-5)
                        let left = was.indices.filter { !hidden.contains($0) }.reduce(Float(0)) { $0 + was[$1] }
                        guard left > 1e-4 else { continue }
                        #expect(hidden.allSatisfy { row[$0] == 0 })
                        // The first layer with pictures reads what no hidden key has touched yet.
                        guard new.layer == 1 else { continue }
                        for key in row.indices where !hidden.contains(key) {
                            #expect(abs(row[key] - was[key] / left) < 1e-3)
                        }
                    }
                }
            }
        }
        #expect(device.instance.validationMessages == [])
    }

    @Test("a silenced head is one whose share of the output projection is zero", arguments: ["t5", "bart"])
    func silence(_ name: String) throws {
        let golden = try Fixtures.golden(name)
        let files = try ModelFiles(path: Fixtures.model(name).path)
        let output =
            name == "t5"
            ? "decoder.block.1.layer.1.EncDecAttention.o.weight" : "model.decoder.layers.1.encoder_attn.out_proj.weight"
        let folder = try TemporaryFolder()
        for file in ["config.json", "generation_config.json"] {
            try FileManager.default.copyItem(
                at: Fixtures.model(name).appending(path: file), to: folder.url.appending(path: file))
        }
        let writer = try SafetensorsWriter(path: folder.path("model.safetensors"))
        for tensor in files.checkpoint.names {
            let shape = try files.checkpoint.entry(tensor).shape
            var values = try files.checkpoint.floats(tensor)
            if tensor == output {
                // Columns of the second head: 8 heads of 12, 4 heads of 9.
                let size = name == "t5" ? 12 : 9
                for row in 0..<shape[0] { for column in size..<2 * size { values[row * shape[1] + column] = 0 } }
            }
            try writer.add(tensor, shape: shape, floats: values)
        }
        try writer.finish()
        func logits(_ path: String, _ interventions: Interventions) throws -> [[Float]] {
            let files = try ModelFiles(path: path)
            let model = try #require(try ModelRegistry.make(from: files).textSource)
            try model.load(from: files, on: Device(validation: false)) { _, _ in }
            model.tap?.interventions = interventions
            try model.encode(tokens: golden.integers("main/input_ids"))
            let first = try model.start(tokens: model.startTokens, hypotheses: 1, logitRows: [0])
            let next = try model.advance(tokens: [7], parents: nil).logits
            model.unload()
            return [first[0] ?? []] + next
        }
        let silenced = try logits(
            files.path, Interventions(silencedHeads: [AttentionHead(kind: .cross, layer: 1, head: 1)]))
        let zeroed = try logits(folder.url.path, .none)
        for (a, b) in zip(silenced, zeroed) { expectClose(a, b.map(Double.init), 1e-5, "logits") }
        #expect(try logits(files.path, .none) != silenced)
    }
}
