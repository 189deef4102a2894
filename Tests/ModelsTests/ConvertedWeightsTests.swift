import Checkpoint
import Compute
import NumberFormats
import TestSupport
import Testing

@testable import Models

/// Weights that are converted while they are loaded, against the same model's GGUF files, which another program converted.
@Suite(
    "Weights converted at load", .usesDevice,
    .serialized)
struct ConvertedWeightsTests {
    static let formats: [ElementFormat] = [.f32, .f16, .q8_0, .q4_0, .q4_1, .q5_0, .q5_1]

    @Test(
        "the same weights as a GGUF file's, so the same reference values", .needsLargeFixtures, arguments: formats,
        ["llama", "t5"])
    func likeFiles(_ format: ElementFormat, _ name: String) throws {
        let golden = try Fixtures.golden("gguf/\(name)-\(format.rawValue).golden")
        var files = try ModelFiles(path: Fixtures.model(name).path)
        files.options.weights = format
        let device = try Device(validation: true)
        let model = try ModelRegistry.make(from: files)
        let planned = model.plannedBuffers(unifiedMemory: device.properties.hasUnifiedMemory)
        try model.load(from: files, on: device) { _, _ in }
        #expect(planned.reduce(0) { $0 + $1.bytes } == device.ledger.total)
        var comparison = TraceComparison(golden: golden, prefix: "main/")
        var options = TraceOptions()
        options.maximumTokens = try golden.shape("main/greedy")[0]
        let source = try golden.integers("main/input_ids")
        let check: (TraceTensor) throws -> Void = {
            try comparison.check($0, as: $0.name == "generated_ids" ? "greedy" : nil)
        }
        if model.capabilities.needsSource {
            try model.trace(.tokens(source), prompt: model.startTokens, options: options, emit: check)
        } else {
            try model.trace(prompt: source, options: options, emit: check)
        }
        #expect(comparison.missing(["step", "greedy"]) == [])
        model.unload()
    }

    @Test(
        "every kind of model runs with converted weights, and the plan is what is allocated",
        arguments: [
            "gpt2", "marian", "bart", "flan-t5", "whisper-80", "llama3", "t5-bf16", "t5-sharded", "llava", "smolvlm",
            "mllama", "blip", "vit-gpt2",
            "trocr", "gguf/llama-q8_0.gguf",
        ].filter(Fixtures.contains), [ElementFormat.f16, .q8_0, .q4_1])
    func everyKind(_ name: String, _ format: ElementFormat) throws {
        var files = try ModelFiles(path: Fixtures.model(name).path)
        files.options.weights = format
        let device = try Device(validation: true)
        let model = try ModelRegistry.make(from: files)
        let planned = model.plannedBuffers(unifiedMemory: device.properties.hasUnifiedMemory)
        try model.load(from: files, on: device) { _, _ in }
        #expect(
            planned.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted()
                == device.ledger.entries.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted())
        #expect(Set(model.parameters.matrixFormats).isSubset(of: [format, .f16]))
        let logits = try SmallRun.logits(of: model)
        #expect(logits.allSatisfy(\.isFinite) && Set(logits).count > 10)
        #expect(device.instance.validationMessages == [])
        model.unload()
    }
}
