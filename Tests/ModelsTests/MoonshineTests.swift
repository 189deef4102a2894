import Checkpoint
import Compute
import Foundation
import JSON
import Media
import TestSupport
import Testing
import Transformer

@testable import Models

@Suite(
    "Moonshine against PyTorch", .usesDevice, .serialized,
    .enabled(if: Fixtures.contains("moonshine"), "needs the large fixtures"))
struct MoonshineTests {
    private func open() throws -> (Moonshine, ModelFiles, Golden) {
        let files = try ModelFiles(path: Fixtures.model("moonshine").path)
        let model = try #require(try ModelRegistry.make(from: files) as? Moonshine)
        return (model, files, try Fixtures.golden("moonshine"))
    }

    /// As many samples of the recording as a case takes.
    private func samples(_ name: String, _ golden: Golden) throws -> [Float] {
        let sound = try AudioFile.load(path: Fixtures.models.appending(path: "inputs/audio.wav").path)
        return Array(sound.samples[..<(try golden.integers("\(name)/samples")[0])])
    }

    @Test("every tensor within its tolerance, ids exact, memory all accounted and all returned")
    func golden() throws {
        let device = try Device(validation: true)
        let (model, files, golden) = try open()
        try model.load(from: files, on: device) { _, _ in }
        for name in ["main", "short", "main"] {
            var comparison = TraceComparison(golden: golden, prefix: "\(name)/")
            var options = TraceOptions()
            options.maximumTokens = try golden.shape("\(name)/greedy")[0]
            let index = "\(name)/enc.attn_row_index"
            let rows = golden.contains(index) ? try golden.integers(index) : nil
            if let rows { options.encoderRows = .list(rows) }
            let start = try golden.integers("\(name)/decoder_start")
            #expect(start == model.startTokens)
            try model.trace(.samples(samples(name, golden)), prompt: start, options: options) { tensor in
                if rows != nil, tensor.name.hasPrefix("enc.attn.") {
                    try comparison.check(
                        tensor, as: tensor.name.replacingOccurrences(of: "enc.attn.", with: "enc.attn_rows."))
                } else {
                    try comparison.check(tensor, as: tensor.name == "generated_ids" ? "greedy" : nil)
                }
            }
            // What the group norm gives shows in the first hidden state.
            #expect(
                comparison.missing(["enc.", "step", "greedy"]).filter {
                    !$0.hasSuffix("attn_row_index") && !$0.hasSuffix("enc.groupnorm")
                } == [])
        }
        var comparison = TraceComparison(golden: golden, prefix: "forced/")
        try model.traceForced(
            .samples(samples("short", golden)), tokens: golden.integers("forced/decoder_input_ids"),
            options: TraceOptions()
        ) { try comparison.check($0) }
        #expect(comparison.missing(["logits", "self.", "cross.", "dec."]) == [])
        #expect(device.instance.validationMessages == [])
        model.unload()
        #expect(device.ledger.total == 0, "\(device.ledger.entries)")
    }

    @Test("the load plan is what loading allocates, to the byte")
    func plan() throws {
        let device = try Device(validation: false)
        let (model, files, _) = try open()
        let planned = model.plannedBuffers(unifiedMemory: device.properties.hasUnifiedMemory)
        try model.load(from: files, on: device) { _, _ in }
        #expect(
            planned.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted()
                == device.ledger.entries.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted())
    }

    @Test("recordings of no position, and of more than half a minute, are typed errors; the limits are not")
    func limits() throws {
        let (model, files, _) = try open()
        #expect(throws: TransformerError.self) { try model.encode(samples: [Float](repeating: 0, count: 16_000)) }
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        #expect(model.sampleLimits == 895...480_000 && model.samplesPerPosition == 384)
        for count in [0, 894, 480_001] {
            #expect(throws: TransformerError.self) {
                try model.encode(samples: [Float](repeating: 0.1, count: count))
            }
        }
        try model.encode(samples: [Float](repeating: 0.1, count: 895))
        #expect(try model.decoder.readEncoderOutput().shape == [1, model.configuration.hiddenSize])
        try model.encode(samples: (0..<480_000).map { Float($0 % 100) / 100 })
        #expect(try model.decoder.readEncoderOutput().shape == [1248, model.configuration.hiddenSize])
    }

    @Test("sizes that do not fit are errors that name file and key")
    func badConfigurations() throws {
        func error(_ members: JSONObject) -> String {
            do {
                let main = JSONReader(.object(members), file: "here/config.json")
                _ = try Moonshine.Configuration(ModelConfiguration(folder: "here", main: main))
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(error([:]) == "no error")
        #expect(error(["decoder_num_attention_heads": .integer(7)]).contains("“decoder_num_attention_heads”"))
        #expect(error(["encoder_num_key_value_heads": .integer(3)]).contains("“encoder_num_attention_heads”"))
        #expect(error(["partial_rotary_factor": .number(0)]).contains("“partial_rotary_factor”"))
        #expect(error(["rope_scaling": .object(["rope_type": .string("yarn")])]).contains("“rope_scaling”"))
    }
}
