import Checkpoint
import TestSupport
import Testing

/// The comparison every other test relies on must itself be able to fail.
@Suite(.enabled(if: Fixtures.available)) struct GoldenTests {
    @Test func comparisonsFailWhenTheyShould() throws {
        let golden = try Fixtures.golden("whisper-80")
        let name = "main/step0.self.0"
        let shape = try golden.shape(name)
        var values = try golden.floats(name)
        #expect(try golden.compare(actual: values, shape: shape, to: name) == nil)
        #expect(
            try golden.compare(actual: values, shape: [1] + shape, to: name)?.contains("expected [3, 4, 4]") == true)
        #expect(try golden.compare(actual: [], shape: shape, to: name) != nil)
        values[17] += 0.00005
        #expect(try golden.compare(actual: values, shape: shape, to: name) == nil, "within 1e-4")
        values[17] += 0.01
        #expect(try golden.compare(actual: values, shape: shape, to: name)?.contains("worst at [1, 0, 1]") == true)
        values[17] = .nan
        #expect(try golden.compare(actual: values, shape: shape, to: name) != nil)
        #expect(throws: CheckpointError.self) { try golden.compare(actual: values, shape: shape, to: "absent") }
    }

    @Test func integerComparisons() throws {
        let golden = try Fixtures.golden("whisper-80")
        let ids = try golden.integers("main/decoder_start")
        #expect(ids == [322, 329, 423, 427])
        #expect(try golden.compare(actual: ids, to: "main/decoder_start") == nil)
        #expect(try golden.compare(actual: [322, 329, 5, 427], to: "main/decoder_start")?.contains("at 2") == true)
        #expect(try golden.compare(actual: [322], to: "main/decoder_start") != nil)
    }

    @Test func everyDescribedTensorIsThere() throws {
        for name in ["t5", "whisper-80", "whisper-128", "mllama", "gguf/dequant"] {
            let golden = try Fixtures.golden(name)
            #expect(Set(golden.tensors.keys) == Set(golden.checkpoint.names), "\(name)")
            for (tensor, description) in golden.tensors { #expect(try golden.shape(tensor) == description.shape) }
        }
    }
}
