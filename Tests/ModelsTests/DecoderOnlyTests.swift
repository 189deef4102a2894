import JSON
import Checkpoint
import Compute
import Foundation
import TestSupport
import Testing

@testable import Models
@testable import Transformer

/// A decoder-only fixture: where its model lies and where its reference values.
struct DecoderFixture: Sendable, CustomStringConvertible {
    let model: String
    let golden: String
    var description: String { model }

    init(_ model: String, golden: String? = nil) {
        self.model = model
        self.golden = golden ?? model
    }

    init(gguf name: String) { self.init("gguf/\(name).gguf", golden: "gguf/\(name).golden") }

    static let folders = [
        "llama", "llama3", "gpt2", "qwen2", "qwen3", "mistral", "gemma2", "gemma3-text", "phi3",
    ].map { DecoderFixture($0) }.filter(\.isPresent)
    /// Those with a padded batch.
    static let padded = folders.filter { !["mistral", "gemma2", "gemma3-text", "phi3"].contains($0.model) }
    static let files = [
        "llama-f32", "llama-f16", "llama-q8_0", "llama-q4_0", "llama-q4_1", "llama-q5_0", "llama-q5_1", "llama256-q4_k",
        "qwen2-f16", "qwen2-q4_k", "qwen3-f16", "qwen3-q6_k", "gemma3-f16", "gemma3-q4_0", "gemma3-q4_k",
    ].map { DecoderFixture(gguf: $0) }.filter(\.isPresent)
    static let all = folders + files

    var isPresent: Bool { Fixtures.contains(model) && Fixtures.contains(golden) }

    func open() throws -> (any Model, ModelFiles) {
        let files = try ModelFiles(path: Fixtures.model(model).path)
        return (try ModelRegistry.make(from: files), files)
    }
}

@Suite(
    "Decoder-only models against PyTorch", .usesDevice,
    .serialized)
struct DecoderOnlyTests {
    @Test(
        "every tensor within its tolerance, ids exact, memory all accounted and all returned",
        arguments: DecoderFixture.all)
    func golden(_ fixture: DecoderFixture) throws {
        let device = try Device(validation: true)
        let golden = try Fixtures.golden(fixture.golden)
        let (model, files) = try fixture.open()
        try model.load(from: files, on: device) { _, _ in }
        let greedy = try golden.integers("main/greedy")
        var comparison = TraceComparison(golden: golden, prefix: "main/")
        var options = TraceOptions()
        options.maximumTokens = greedy.count
        try model.trace(prompt: golden.integers("main/input_ids"), options: options) {
            tensor in
            try comparison.check(tensor, as: tensor.name == "generated_ids" ? "greedy" : nil)
        }
        #expect(comparison.compared.count > greedy.count)
        #expect(comparison.missing(["step", "hidden", "greedy"]) == [])
        #expect(device.instance.validationMessages == [])
        model.unload()
        #expect(device.ledger.total == 0, "\(device.ledger.entries)")
    }

    @Test("the load plan is what loading allocates, to the byte", arguments: DecoderFixture.all)
    func plan(_ fixture: DecoderFixture) throws {
        let device = try Device(validation: false)
        let (model, files) = try fixture.open()
        let planned = model.plannedBuffers(unifiedMemory: device.properties.hasUnifiedMemory)
        try model.load(from: files, on: device) { _, _ in }
        #expect(
            planned.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted()
                == device.ledger.entries.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted())
    }

    @Test("a row that PyTorch pads on the left gives the same logits and weights", arguments: DecoderFixture.padded)
    func paddedRow(_ fixture: DecoderFixture) throws {
        let golden = try Fixtures.golden(fixture.golden)
        let (model, files) = try fixture.open()
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        let width = try golden.shape("batch/input_ids")[1]
        let ids = try golden.integers("batch/input_ids")[width...]
        let mask = try golden.integers("batch/attention_mask")[width...]
        let real = zip(ids, mask).filter { $0.1 == 1 }.map(\.0)
        let padding = width - real.count
        try #require(padding > 0)

        var comparison = TraceComparison(golden: golden, prefix: "batch/")
        var options = TraceOptions()
        options.maximumTokens = 0
        try model.trace(prompt: real, options: options) { tensor in
            if tensor.name == "step0.logits" { try comparison.check(tensor, as: "logits_row1") }
            guard tensor.name.hasPrefix("step0.self."), case .floats(let values) = tensor.values else { return }
            // Padding keys are not there for us; to PyTorch they have weight 0.
            var padded: [Float] = []
            for row in stride(from: 0, to: values.count, by: real.count) {
                padded += [Float](repeating: 0, count: padding) + values[row..<row + real.count]
            }
            try comparison.check(
                TraceTensor(tensor.name, shape: [tensor.shape[0], real.count, width], floats: padded),
                as: tensor.name.replacingOccurrences(of: "step0.self.", with: "self_row1."))
        }
        #expect(comparison.missing(["logits_row1", "self_row1"]) == [])
    }

    @Test(
        "a prompt in pieces, tokens one by one and a corrected tail give what one pass gives",
        arguments: DecoderFixture.folders)
    func continuing(_ fixture: DecoderFixture) throws {
        let golden = try Fixtures.golden(fixture.golden)
        let (model, files) = try fixture.open()
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        let prompt = try golden.integers("main/input_ids")
        let last = prompt.count - 1
        let whole = try #require(try model.prefill(prompt, at: 0, logitRows: [last])[last])

        _ = try model.prefill(Array(prompt[..<5]), at: 0, logitRows: [])
        let rest = try model.prefill(Array(prompt[5...]), at: 5, logitRows: [last - 5])
        #expect(difference(try #require(rest[last - 5]), whole) < 1e-4)

        // The wrong end of a prompt is overwritten; its last token decodes.
        _ = try model.prefill(Array(prompt[5..<8]) + [7, 8, 9, 10], at: 5, logitRows: [])
        _ = try model.prefill(Array(prompt[8..<last]), at: 8, logitRows: [])
        #expect(model.position == last)
        #expect(difference(try model.advance(tokens: [prompt[last]]).logits[0], whole) < 1e-4)
    }

    @Test("a prompt that runs in pieces traces like one that does not", .needsLargeFixtures)
    func pieces() throws {
        let golden = try Fixtures.golden("llama")
        let files = try ModelFiles(path: Fixtures.model("llama").path)
        var configuration = try Llama.Configuration(try #require(files.configuration).main)
        configuration.prefillRows = 16
        let prompt = try golden.integers("main/input_ids")
        try #require(prompt.count > 16)
        let model = Llama(configuration: configuration)
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        var comparison = TraceComparison(golden: golden, prefix: "main/")
        var options = TraceOptions()
        options.maximumTokens = 1
        try model.trace(prompt: prompt, options: options) { try comparison.check($0) }
        #expect(comparison.missing(["step0.", "step1.", "hidden"]) == [])
    }

    @Test("GPT-2 checkpoints without their first name load alike")
    func shortNames() throws {
        let golden = try Fixtures.golden("gpt2")
        let source = try Checkpoint.open(Fixtures.model("gpt2").path)
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            at: Fixtures.model("gpt2").appending(path: "config.v4.json"), to: folder.url.appending(path: "config.json"))
        let writer = try SafetensorsWriter(path: folder.path("model.safetensors"))
        for name in source.names {
            try writer.add(
                name.replacingOccurrences(of: "transformer.", with: ""), shape: source.entry(name).shape,
                floats: source.floats(name))
        }
        try writer.finish()
        let files = try ModelFiles(path: folder.url.path)
        let model = try #require(try ModelRegistry.make(from: files) as? GPT2)
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        var comparison = TraceComparison(golden: golden, prefix: "main/")
        var options = TraceOptions()
        options.maximumTokens = 0
        try model.trace(prompt: golden.integers("main/input_ids"), options: options) { try comparison.check($0) }
        #expect(comparison.compared.contains("main/step0.logits"))
    }

    @Test("hypotheses that decode together give what each gives alone", arguments: DecoderFixture.folders)
    func hypotheses(_ fixture: DecoderFixture) throws {
        let golden = try Fixtures.golden(fixture.golden)
        let (model, files) = try fixture.open()
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        let prompt = try golden.integers("main/input_ids")
        func alone(_ tokens: [Int]) throws -> [Float] {
            try #require(
                try model.prefill(prompt + tokens, at: 0, logitRows: [prompt.count + tokens.count - 1]).values.first)
        }
        let (a, b, crossed) = (try alone([4, 74]), try alone([7, 12]), try alone([4, 12]))

        try model.decoder.reserve(hypotheses: 3)
        _ = try model.prefill(prompt, at: 0, logitRows: [])
        try model.decoder.fork(hypotheses: 3)
        model.tap?.selection = .everything
        _ = try model.advance(tokens: [4, 7, 7])
        let second = try model.advance(tokens: [74, 12, 12], parents: [0, 0, 1])
        #expect(difference(second.logits[0], a) < 1e-4)
        #expect(difference(second.logits[1], crossed) < 1e-4)
        #expect(difference(second.logits[2], b) < 1e-4)
        #expect(second.attention.count == 3 && second.attention[0].allSatisfy { $0.keys == prompt.count + 2 })
        // The third goes on alone.
        try model.decoder.keep(hypothesis: 2)
        let third = try model.advance(tokens: [5])
        #expect(difference(third.logits[0], try alone([7, 12, 5])) < 1e-4)
    }

    private func difference(_ a: [Float], _ b: [Float]) -> Float {
        zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }

    @Test("rotary scalings there is no code for, and sizes that cannot be, are errors that name file and key")
    func badConfigurations() throws {
        func error(_ members: JSONObject) -> String {
            do {
                _ = try Llama.Configuration(JSONReader(.object(members), file: "here/config.json"))
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(
            error(["rope_scaling": .object(["rope_type": .string("yarn"), "factor": .number(2)])]).contains("yarn"))
        #expect(
            error(["rope_scaling": .object(["type": .string("linear"), "factor": .number(0)])]).contains(
                "rope_scaling.factor"))
        #expect(error(["num_attention_heads": .number(0)]).contains("num_attention_heads"))
        #expect(error(["num_key_value_heads": .number(5)]).contains("num_key_value_heads"))
        #expect(error(["head_dim": .number(7)]).contains("head_dim"))
        #expect(error(["vocab_size": .number(-1)]).contains("vocab_size"))
        #expect(error(["hidden_act": .string("mystery")]).contains("here/config.json"))
        #expect(error([:]) == "no error")
    }

    @Test("frequencies: plain, stretched, and Llama 3's between")
    func frequencies() {
        func frequencies(_ scaling: RotaryPositions.Scaling) -> [Float] {
            RotaryPositions(shape: RotaryShape(headDimension: 8), positions: 1, theta: 10_000, scaling: scaling)
                .frequencies
        }
        #expect(frequencies(.none) == [1, 0.1, 0.01, 0.001])
        #expect(frequencies(.linear(factor: 4)) == [0.25, 0.025, 0.0025, 0.00025])
        #expect(frequencies(.divisors([1, 1, 2, 8])) == [1, 0.1, 0.005, 0.000125])
        // Wavelengths 6.3, 63, 628, 6283 against 256 / 4 and 256 / 1: the third is stretched, the second barely short.
        let llama3 = frequencies(.llama3(factor: 8, lowFrequency: 1, highFrequency: 4, originalPositions: 256))
        #expect(llama3 == [1, 0.1, 0.00125, 0.000125])
        // 256 / 62.83 = 4.07; of 200 positions 3.18: smooth (3.18 − 1) / 3 = 0.728 of the way to the plain one.
        let between = frequencies(.llama3(factor: 8, lowFrequency: 1, highFrequency: 4, originalPositions: 200))[1]
        #expect(abs(between - 0.1 * (0.72770 + (1 - 0.72770) / 8)) < 1e-6)
    }

    @Test("tokens outside the vocabulary and contexts too long are typed errors")
    func badInput() throws {
        let (model, files) = try DecoderFixture("gpt2").open()
        #expect(throws: TransformerError.self) { try model.prefill([1], at: 0, logitRows: []) }
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        #expect(throws: TransformerError.self) { try model.prefill([421], at: 0, logitRows: []) }
        #expect(throws: TransformerError.self) {
            try model.prefill(Array(repeating: 1, count: 91), at: 0, logitRows: [])
        }
        #expect(throws: TransformerError.self) { try model.prefill([1], at: 1, logitRows: []) }
        _ = try model.prefill(Array(repeating: 1, count: 90), at: 0, logitRows: [])
        #expect(throws: TransformerError.self) { try model.advance(tokens: [1]) }
    }
}
