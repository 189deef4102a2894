import Checkpoint
import Compute
import Foundation
import TestSupport
import Testing
import Transformer

@testable import Models

/// Whisper from the files of whisper.cpp and OpenAI.
@Suite(
    "Whisper files of whisper.cpp and OpenAI against PyTorch", .usesDevice,
    .enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"), .serialized)
struct WhisperFilesTests {
    private func model(_ path: String) throws -> (Whisper, ModelFiles) {
        let files = try ModelFiles(path: Fixtures.models.appending(path: path).path)
        return (try #require(try ModelRegistry.make(from: files) as? Whisper), files)
    }

    @Test(
        "logits and attention within their tolerance, ids exact",
        arguments: [
            ("ggml-whisper/ggml-tiny-random.bin", "whisper-80"),
            ("ggml-whisper/ggml-tiny32-q5_0.bin", "ggml-whisper/ggml-tiny32-q5_0.golden"),
            ("ggml-whisper/ggml-tiny32-q8_0.bin", "ggml-whisper/ggml-tiny32-q8_0.golden"),
            ("openai-whisper/tiny.pt", "openai-whisper"),
        ])
    func golden(file: String, reference: String) throws {
        let golden = try Fixtures.golden(reference)
        let (model, files) = try model(file)
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        defer { model.unload() }
        // All have the features of whisper-80: the recorded head, the rest at its recorded value.
        let recording = try Fixtures.golden("whisper-80")
        let head = try recording.floats("features.head")
        let (mels, frames) = (model.configuration.mels, model.configuration.frames)
        let recorded = head.count / mels
        var features = [Float](repeating: try recording.floats("features.tail")[0], count: mels * frames)
        for mel in 0..<mels {
            let row = head[mel * recorded..<(mel + 1) * recorded]
            features.replaceSubrange(mel * frames..<mel * frames + recorded, with: row)
        }
        var comparison = TraceComparison(golden: golden, prefix: "main/")
        var options = TraceOptions()
        options.maximumTokens = try golden.integers("main/greedy").count
        let prompt = try golden.integers("main/decoder_start")
        try model.trace(.logMel(features), prompt: prompt, options: options) { tensor in
            try comparison.check(tensor, as: tensor.name == "generated_ids" ? "greedy" : nil)
        }
        #expect(comparison.missing(["step", "greedy"]) == [])
    }

    @Test("sizes come from the header, alignment heads from the published models") func configuration() throws {
        let (model, _) = try model("ggml-whisper/ggml-tiny-random.bin")
        let reference = try Whisper.Configuration(ModelConfiguration(folder: Fixtures.model("whisper-80").path))
        var configuration = model.configuration
        #expect(configuration.alignmentHeads.isEmpty)
        configuration.alignmentHeads = reference.alignmentHeads
        #expect(configuration == reference)
    }
}
