import Formats
import Models
import Transformer

/// The decoder of an encoder-decoder model as decoding strategies see it. The source must have been encoded.
public final class SourceDecoder: SequenceDecoder {
    private let model: any EncoderDecoderModel

    public init(_ model: any EncoderDecoderModel) { self.model = model }

    public var vocabularySize: Int { model.vocabulary }
    public var maximumHypotheses: Int { DecodeStepper.maximumRows }
    public var positionsLeft: Int { model.positionsLeft }

    public func start(prompt: [Int], hypotheses: Int, logitRows: [Int]) throws -> DecoderOutput {
        guard let tap = model.tap else { throw ModelError.notLoaded(model: model.family) }
        guard let last = prompt.indices.last else { throw GenerationError.promptTooLong(tokens: 0, maximum: model.decoderPositions) }
        tap.queryRows = .last
        defer { tap.queryRows = .none }
        let rows = try model.start(tokens: prompt, hypotheses: hypotheses, logitRows: Set(logitRows).union([last]))
        let attention = tap.takeRows()
        return DecoderOutput(
            logits: Array(repeating: rows[last] ?? [], count: hypotheses), promptLogits: rows.filter { logitRows.contains($0.key) },
            attention: Array(repeating: attention, count: hypotheses))
    }

    public func advance(tokens: [Int], parents: [Int]) throws -> DecoderOutput {
        let (logits, attention) = try model.advance(tokens: tokens, parents: parents)
        return DecoderOutput(logits: logits, attention: attention)
    }
}
