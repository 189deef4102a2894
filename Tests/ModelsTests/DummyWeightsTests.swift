import Checkpoint
import Compute
import NumberFormats
import Foundation
import TestSupport
import Testing

@testable import Models

/// Models of a configuration alone, with random weights that are made on the device.
@Suite(
    "Dummy weights", .usesDevice,
    .serialized)
struct DummyWeightsTests {
    /// The fixtures' configurations, whose models are small.
    static let names = [
        "t5", "flan-t5", "marian", "bart", "whisper-80", "llama", "llama3", "gpt2", "llava", "smolvlm", "mllama",
        "blip", "vit-gpt2", "trocr",
    ].filter(Fixtures.contains)

    @Test(
        "run, are the plan to the byte, and the same each time", arguments: names,
        [ElementFormat.f32, .f16, .bf16, .q8_0, .q4_0, .q4_k, .q6_k])
    func run(_ name: String, _ format: ElementFormat) throws {
        let path = Fixtures.model(name).appending(path: "config.v4.json").path
        func logits() throws -> [Float] {
            let files = try ModelFiles(configuration: path, standIn: .random(format))
            let device = try Device(validation: true)
            let model = try ModelRegistry.make(from: files)
            let planned = model.plannedBuffers(unifiedMemory: device.properties.hasUnifiedMemory)
            try model.load(from: files, on: device) { _, _ in }
            #expect(
                planned.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted()
                    == device.ledger.entries.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted())
            let result = try SmallRun.logits(of: model)
            #expect(device.instance.validationMessages == [])
            model.unload()
            #expect(device.ledger.total == 0)
            return result
        }
        let first = try logits()
        #expect(first.allSatisfy(\.isFinite) && Set(first).count > first.count / 2)
        #expect(try logits() == first)
    }
}

/// The logits of a short run of any model.
enum SmallRun {
    static func logits(of model: any Model) throws -> [Float] {
        if !model.capabilities.needsSource {
            return try #require(try model.prefill([1, 2, 3], at: 0, logitRows: [2])[2])
        }
        if let model = model.textSource {
            try model.encode(tokens: [3, 4, 5])
            return try #require(try model.start(tokens: model.startTokens, hypotheses: 1, logitRows: [0])[0])
        }
        if let model = model as? any PictureSource {
            let count = 3 * model.tower.imageHeight * model.tower.imageWidth
            try model.encode(pixels: (0..<count).map { Float($0 % 11) / 11 - 0.5 }[...])
            return try #require(try model.start(tokens: model.startTokens, hypotheses: 1, logitRows: [0])[0])
        }
        let whisper = try #require(model as? Whisper)
        let count = whisper.configuration.mels * whisper.configuration.frames
        try whisper.encode(logMel: (0..<count).map { Float($0 % 7) / 7 })
        return try #require(try whisper.start(tokens: [1], hypotheses: 1, logitRows: [0])[0])
    }
}
