import Checkpoint
import Compute
import Foundation
import TestSupport
import Testing
import Transformer

@testable import Models

@Suite(
    "Whisper against PyTorch", .usesDevice,
    .serialized)
struct WhisperTests {
    static let models = ["whisper-80", "whisper-128"].filter(Fixtures.contains)

    private func open(_ name: String) throws -> (Whisper, ModelFiles) {
        let files = try ModelFiles(path: Fixtures.model(name).path)
        let model = try #require(try ModelRegistry.make(from: files) as? Whisper)
        return (model, files)
    }

    /// The fixture's features: the recorded head, the rest at its recorded value.
    private func features(_ golden: Golden, configuration: Whisper.Configuration) throws -> [Float] {
        let head = try golden.floats("features.head")
        let tail = try golden.floats("features.tail")[0]
        let recorded = head.count / configuration.mels
        var features = [Float](repeating: tail, count: configuration.mels * configuration.frames)
        for mel in 0..<configuration.mels {
            for frame in 0..<recorded { features[mel * configuration.frames + frame] = head[mel * recorded + frame] }
        }
        return features
    }

    @Test(
        "every tensor within its tolerance, ids exact, memory all accounted and all returned",
        arguments: models)
    func golden(_ name: String) throws {
        let device = try Device(validation: true)
        let golden = try Fixtures.golden(name)
        let (model, files) = try open(name)
        try model.load(from: files, on: device) { _, _ in }
        let prompt = try golden.integers("main/decoder_start")
        let rows = try golden.integers("main/enc.attn_row_index")
        let greedy = try golden.integers("main/greedy")
        let features = try features(golden, configuration: model.configuration)

        var comparison = TraceComparison(golden: golden, prefix: "main/")
        var options = TraceOptions()
        options.maximumTokens = greedy.count
        options.encoderRows = .list(rows)
        try model.trace(.logMel(features), prompt: prompt, options: options) { tensor in
            if tensor.name.hasPrefix("enc.attn.") {
                try comparison.check(
                    tensor, as: tensor.name.replacingOccurrences(of: "enc.attn.", with: "enc.attn_rows."))
            } else if tensor.name == "generated_ids" {
                try comparison.check(tensor, as: "greedy")
            } else {
                try comparison.check(tensor)
            }
        }
        #expect(comparison.missing(["enc.", "step", "greedy"]).filter { !$0.hasSuffix("attn_row_index") } == [])
        #expect(device.instance.validationMessages == [])
        model.unload()
        #expect(device.ledger.total == 0, "\(device.ledger.entries)")
    }

    @Test("the load plan is what loading allocates, to the byte", arguments: models)
    func plan(_ name: String) throws {
        let device = try Device(validation: false)
        let (model, files) = try open(name)
        let planned = model.plannedBuffers(unifiedMemory: device.properties.hasUnifiedMemory)
        try model.load(from: files, on: device) { _, _ in }
        let entries = device.ledger.entries
        #expect(
            planned.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted()
                == entries.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted())
    }

    @Test("hypotheses that decode together give what each gives alone")
    func hypotheses() throws {
        let golden = try Fixtures.golden("whisper-80")
        let (model, files) = try open("whisper-80")
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        try model.encode(logMel: features(golden, configuration: model.configuration))
        let prompt = try golden.integers("main/decoder_start")

        func alone(_ tokens: [Int]) throws -> [[Float]] {
            _ = try model.start(tokens: prompt, hypotheses: 1, logitRows: [])
            return try tokens.map { try model.advance(tokens: [$0], parents: nil).logits[0] }
        }
        let a = try alone([4, 274, 199])
        let b = try alone([7, 12, 30])
        let afterSwap = try alone([4, 12, 30])

        model.tap?.selection = .cross
        _ = try model.start(tokens: prompt, hypotheses: 3, logitRows: [])
        let first = try model.advance(tokens: [4, 7, 7], parents: nil)
        #expect(difference(first.logits[0], a[0]) < 1e-4)
        #expect(difference(first.logits[2], b[0]) < 1e-4)
        #expect(first.attention.count == 3 && first.attention[0].count == model.configuration.decoderLayers)
        // The second takes up where the first was; the third where the second was.
        let second = try model.advance(tokens: [274, 12, 12], parents: [0, 0, 1])
        #expect(difference(second.logits[0], a[1]) < 1e-4)
        #expect(difference(second.logits[1], afterSwap[1]) < 1e-4)
        #expect(difference(second.logits[2], b[1]) < 1e-4)
    }

    private func difference(_ a: [Float], _ b: [Float]) -> Float {
        zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }

    @Test("a token outside the vocabulary, a context too long and features of another size are typed errors")
    func badInput() throws {
        let (model, files) = try open("whisper-80")
        #expect(throws: TransformerError.self) { try model.encode(logMel: []) }
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        #expect(throws: TransformerError.self) { try model.encode(logMel: [0, 1, 2]) }
        #expect(throws: TransformerError.self) { try model.start(tokens: [1_000_000], hypotheses: 1, logitRows: []) }
        #expect(throws: TransformerError.self) {
            try model.start(
                tokens: Array(repeating: 1, count: model.configuration.textPositions + 1), hypotheses: 1, logitRows: [])
        }
    }
}
