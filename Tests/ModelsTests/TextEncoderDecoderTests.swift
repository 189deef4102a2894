import Checkpoint
import Compute
import Foundation
import TestSupport
import Testing
import Transformer

@testable import Models

/// A text encoder-decoder fixture: where its model lies and where its reference values.
struct TextFixture: Sendable, CustomStringConvertible {
    let model: String
    let golden: String
    /// True if the token of the target language follows the start token.
    let hasTargetLanguage: Bool
    var description: String { model }

    init(_ model: String, golden: String? = nil, hasTargetLanguage: Bool = false) {
        self.hasTargetLanguage = hasTargetLanguage
        self.model = model
        self.golden = golden ?? model
    }

    static let all = [
        TextFixture("t5"), TextFixture("flan-t5"), TextFixture("t5-sharded", golden: "t5"), TextFixture("t5-bf16"),
        TextFixture("t5-f16"),
        TextFixture("marian"), TextFixture("bart"), TextFixture("m2m100", hasTargetLanguage: true),
        TextFixture("mbart"), TextFixture("pegasus"), TextFixture("mt5"), TextFixture("umt5"),
        TextFixture("bytes/byt5"),
    ].filter(\.isPresent)
    /// The same T5 in GGUF files, in every format, and as candle writes it.
    static let files =
        (["f32", "f16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1"].map {
            TextFixture("gguf/t5-\($0).gguf", golden: "gguf/t5-\($0).golden")
        } + [TextFixture("gguf/t5-candle/model-q8_0.gguf", golden: "gguf/t5-q8_0.golden")])
        .filter(\.isPresent)

    var isPresent: Bool { Fixtures.contains(model) && Fixtures.contains(golden) }

    func open() throws -> (any TextSource, ModelFiles) {
        let files = try ModelFiles(path: Fixtures.model(model).path)
        return (try #require(try ModelRegistry.make(from: files).textSource), files)
    }
}

@Suite(
    "Text encoder-decoders against PyTorch", .usesDevice,
    .serialized)
struct TextEncoderDecoderTests {
    @Test(
        "every tensor of every case within its tolerance, ids exact, memory all accounted and all returned",
        arguments: TextFixture.all + TextFixture.files)
    func golden(_ fixture: TextFixture) throws {
        let device = try Device(validation: true)
        let golden = try Fixtures.golden(fixture.golden)
        let (model, files) = try fixture.open()
        try model.load(from: files, on: device) { _, _ in }
        let cases = Set(golden.tensors.keys.compactMap { $0.split(separator: "/").first.map(String.init) })
        #expect(cases.isSuperset(of: fixture.model.hasSuffix(".gguf") ? ["main"] : ["main", "forced"]))
        var compared = Set<String>()
        for name in cases.sorted() {
            switch name {
            case "forced": compared.formUnion(try forced(model, golden))
            case "batch": compared.formUnion(try batch(model, golden))
            default: compared.formUnion(try greedy(fixture, model, golden, name))
            }
        }
        #expect(Set(golden.tensors.keys).subtracting(compared).sorted() == [])
        #expect(device.instance.validationMessages == [])
        model.unload()
        #expect(device.ledger.total == 0, "\(device.ledger.entries)")
    }

    /// A case decoded greedily. Returns what was held against the reference, inputs included.
    private func greedy(
        _ fixture: TextFixture, _ model: any TextSource, _ golden: Golden, _ name: String
    ) throws -> Set<String> {
        var comparison = TraceComparison(golden: golden, prefix: "\(name)/")
        var options = TraceOptions()
        options.maximumTokens = try golden.shape("\(name)/greedy")[0]
        let rows =
            golden.contains("\(name)/enc.attn_row_index") ? try golden.integers("\(name)/enc.attn_row_index") : nil
        if let rows { options.encoderRows = .list(rows) }
        let start = try golden.integers("\(name)/decoder_start")
        #expect(model.startTokens == (fixture.hasTargetLanguage ? Array(start.dropLast()) : start))
        try model.trace(
            .tokens(golden.integers("\(name)/input_ids")), prompt: start, options: options
        ) { tensor in
            if tensor.name == "generated_ids" {
                try comparison.check(tensor, as: "greedy")
            } else if rows != nil, tensor.name.hasPrefix("enc.attn.") {
                try comparison.check(
                    tensor, as: tensor.name.replacingOccurrences(of: "enc.attn.", with: "enc.attn_rows."))
            } else {
                try comparison.check(tensor)
            }
        }
        return comparison.compared.union(["\(name)/decoder_start", "\(name)/enc.attn_row_index"])
    }

    private func forced(_ model: any TextSource, _ golden: Golden) throws -> Set<String> {
        var comparison = TraceComparison(golden: golden, prefix: "forced/")
        let source = try golden.integers("main/input_ids")
        try model.traceForced(
            .tokens(source), tokens: golden.integers("forced/decoder_input_ids"), options: TraceOptions()
        ) { tensor in
            try comparison.check(tensor)
        }
        return comparison.compared.union(["forced/decoder_input_ids"])
    }

    /// Rows of different lengths, padded: each runs by itself with its mask; padding queries have rows too.
    private func batch(_ model: any TextSource, _ golden: Golden) throws -> Set<String> {
        func rows(_ name: String) throws -> [[Int]] {
            let values = try golden.integers("batch/\(name)")
            let width = try golden.shape("batch/\(name)")[1]
            return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
        }
        let (ids, masks, decoderIds) = (
            try rows("input_ids"), try rows("attention_mask"), try rows("decoder_input_ids")
        )
        #expect(masks.contains { $0.contains(0) })
        var joined: [String: (shape: [Int], values: [Float])] = [:]
        for row in ids.indices {
            try model.traceForced(
                .tokens(ids[row], mask: masks[row].map { $0 == 1 }), tokens: decoderIds[row], options: TraceOptions()
            ) { tensor in
                guard case .floats(let values) = tensor.values else { return }
                joined[tensor.name, default: (tensor.shape, [])].values += values
            }
        }
        var comparison = TraceComparison(golden: golden, prefix: "batch/")
        for (name, tensor) in joined {
            try comparison.check(TraceTensor(name, shape: [ids.count] + tensor.shape, floats: tensor.values))
        }
        return comparison.compared.union(["batch/input_ids", "batch/attention_mask", "batch/decoder_input_ids"])
    }

    @Test("the load plan is what loading allocates, to the byte", arguments: TextFixture.all + TextFixture.files)
    func plan(_ fixture: TextFixture) throws {
        let device = try Device(validation: false)
        let (model, files) = try fixture.open()
        let planned = model.plannedBuffers(unifiedMemory: device.properties.hasUnifiedMemory)
        try model.load(from: files, on: device) { _, _ in }
        #expect(
            planned.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted()
                == device.ledger.entries.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted())
    }

    @Test("hypotheses that decode together give what each gives alone, behind a mask too", arguments: TextFixture.all)
    func hypotheses(_ fixture: TextFixture) throws {
        let golden = try Fixtures.golden(fixture.golden)
        let (model, files) = try fixture.open()
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        let source = try golden.integers("main/input_ids")
        for mask in [nil, source.indices.map { $0 < source.count - 3 }] {
            try model.encode(tokens: source, mask: mask)
            func alone(_ tokens: [Int]) throws -> [[Float]] {
                _ = try model.start(tokens: model.startTokens, hypotheses: 1, logitRows: [])
                return try tokens.map { try model.advance(tokens: [$0], parents: nil).logits[0] }
            }
            let (a, b, swapped) = (try alone([4, 274, 199]), try alone([7, 12, 30]), try alone([4, 12, 30]))
            model.tap?.selection = .cross
            _ = try model.start(tokens: model.startTokens, hypotheses: 3, logitRows: [])
            let first = try model.advance(tokens: [4, 7, 7], parents: nil)
            #expect(difference(first.logits[0], a[0]) < 1e-4)
            #expect(difference(first.logits[2], b[0]) < 1e-4)
            // The second takes up where the first was; the third where the second was.
            let second = try model.advance(tokens: [274, 12, 12], parents: [0, 0, 1])
            #expect(difference(second.logits[0], a[1]) < 1e-4)
            #expect(difference(second.logits[1], swapped[1]) < 1e-4)
            #expect(difference(second.logits[2], b[1]) < 1e-4)
            if let mask {
                for weights in second.attention.flatMap({ $0 }) {
                    for head in 0..<weights.heads {
                        let row = Array(weights.row(head: head, query: 0))
                        #expect(abs(row.reduce(0, +) - 1) < 1e-5)
                        #expect(zip(row, mask).allSatisfy { $0.1 || $0.0 == 0 })
                    }
                }
            }
            model.tap?.selection = .off
        }
    }

    @Test("sources of different lengths in turn give what each gives on a fresh model", arguments: TextFixture.all)
    func sourcesInTurn(_ fixture: TextFixture) throws {
        let golden = try Fixtures.golden(fixture.golden)
        let (model, files) = try fixture.open()
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        let source = try golden.integers("main/input_ids")
        let greedy = try golden.integers("main/greedy")
        let start = try golden.integers("main/decoder_start")
        // Recorded steps of one length must not be replayed for another.
        for length in [source.count, 5, source.count, 1, source.count] {
            try model.encode(tokens: Array(source[..<length]))
            var logits = try #require(
                try model.start(tokens: start, hypotheses: 1, logitRows: [start.count - 1])[start.count - 1])
            var found: [Int] = []
            for _ in 0..<4 {
                let next = logits.indices.max { logits[$0] < logits[$1] } ?? 0
                found.append(next)
                logits = try model.advance(tokens: [next], parents: nil).logits[0]
            }
            if length == source.count { #expect(found == Array(greedy[..<4])) }
        }
    }

    @Test("a source of padding alone attends to all of it alike")
    func onlyPadding() throws {
        let (model, files) = try TextFixture("t5").open()
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        try model.traceForced(
            .tokens([0, 0, 0, 0, 0], mask: Array(repeating: false, count: 5)), tokens: [0, 5], options: TraceOptions()
        ) { tensor in
            guard tensor.name.hasPrefix("enc.attn") || tensor.name.hasPrefix("cross"),
                case .floats(let values) = tensor.values
            else { return }
            #expect(values.allSatisfy { abs($0 - 0.2) < 1e-6 }, "\(tensor.name)")
        }
    }

    @Test("sources that are empty, too long or not in the vocabulary, and decoding before encoding, are typed errors")
    func badInput() throws {
        let (model, files) = try TextFixture("t5").open()
        #expect(throws: TransformerError.self) { try model.encode(tokens: [1]) }
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        #expect(throws: TransformerError.self) { try model.start(tokens: [0], hypotheses: 1, logitRows: []) }
        #expect(throws: TransformerError.self) { try model.encode(tokens: []) }
        #expect(throws: TransformerError.self) { try model.encode(tokens: [1, 2], mask: [true]) }
        #expect(throws: TransformerError.self) { try model.encode(tokens: [1_000_000]) }
        #expect(throws: TransformerError.self) { try model.encode(tokens: [-1]) }
        #expect(throws: TransformerError.self) {
            try model.encode(tokens: Array(repeating: 1, count: model.sourcePositions + 1))
        }
        try model.encode(tokens: [1, 2, 3])
        #expect(throws: TransformerError.self) {
            try model.start(tokens: Array(repeating: 1, count: 10_000), hypotheses: 1, logitRows: [])
        }
    }

    private func difference(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } }
}
