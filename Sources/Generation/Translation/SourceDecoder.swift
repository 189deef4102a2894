import NumberFormats
import Models
import Transformer

/// The decoder of an encoder-decoder model as decoding strategies see it. The source must have been encoded.
package final class SourceDecoder: SequenceDecoder {
    private let model: any Model

    package init(_ model: any Model) { self.model = model }

    package var vocabularySize: Int { model.vocabulary }
    package var maximumHypotheses: Int { DecodeStepper.maximumRows }
    package var positionsLeft: Int { model.positionsLeft }

    package func start(prompt: [Int], hypotheses: Int, logitRows: [Int]) throws -> DecoderOutput {
        guard let tap = model.tap else { throw TransformerError.notLoaded(model: model.family) }
        guard let last = prompt.indices.last else {
            throw GenerationError.promptTooLong(tokens: 0, maximum: model.contextLength)
        }
        tap.queryRows = .last
        defer { tap.queryRows = .none }
        let rows = try model.start(tokens: prompt, hypotheses: hypotheses, logitRows: Set(logitRows).union([last]))
        let attention = tap.takeRows()
        return DecoderOutput(
            logits: Array(repeating: rows[last] ?? [], count: hypotheses),
            promptLogits: rows.filter { logitRows.contains($0.key) },
            attention: Array(repeating: attention, count: hypotheses))
    }

    package func advance(tokens: [Int], parents: [Int]) throws -> DecoderOutput {
        let (logits, attention) = try model.advance(tokens: tokens, parents: parents)
        return DecoderOutput(logits: logits, attention: attention)
    }
}
