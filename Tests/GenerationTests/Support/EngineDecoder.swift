import Checkpoint
import Compute
import Models
import TestSupport
import Testing
import Transformer

@testable import Generation

/// A text encoder-decoder of the engine that has read its source, as searches see it.
final class EngineDecoder: SequenceDecoder {
    private let model: any TextSource

    init(_ folder: String, source: [Int], on device: Device) throws {
        let files = try ModelFiles(path: Fixtures.model(folder).path)
        model = try #require(try ModelRegistry.make(from: files).textSource)
        try model.load(from: files, on: device) { _, _ in }
        try model.encode(tokens: source)
    }

    deinit { model.unload() }

    var vocabularySize: Int { model.vocabulary }
    var maximumHypotheses: Int { DecodeStepper.maximumRows }

    func start(prompt: [Int], hypotheses: Int, logitRows: [Int]) throws -> DecoderOutput {
        let last = prompt.count - 1
        let rows = try model.start(tokens: prompt, hypotheses: hypotheses, logitRows: Set(logitRows).union([last]))
        return DecoderOutput(logits: Array(repeating: rows[last] ?? [], count: hypotheses), promptLogits: rows)
    }

    func advance(tokens: [Int], parents: [Int]) throws -> DecoderOutput {
        DecoderOutput(logits: try model.advance(tokens: tokens, parents: parents).logits)
    }
}
