import AttentionTypes
import Foundation
import Generation
import Models
import Transformer

/// A loaded Whisper model for decoding strategies and transcription.
package final class WhisperDecoder: SpeechModel {
    private let model: any SoundReader
    package let alignmentHeads: [AttentionHead]

    package init(_ model: any SoundReader) {
        self.model = model
        let named = model.soundGeometry.alignmentHeads
        // Without heads named by the checkpoint: the later half of the decoder follows the sound best.
        let layers = model.decoder.layers(of: .cross)
        alignmentHeads =
            named.isEmpty
            ? layers.dropFirst(layers.count / 2).flatMap { layer in
                (0..<model.decoder.heads).map { AttentionHead(kind: .cross, layer: layer, head: $0) }
            } : named
    }

    package var vocabularySize: Int { model.vocabulary }
    package var maximumHypotheses: Int { DecodeStepper.maximumRows }
    package var audioPositions: Int { model.soundGeometry.positions }
    package var maximumTokens: Int { model.contextLength }

    package func encode(window: AudioWindow) throws { try model.encode(logMel: window.logMel) }

    package func start(prompt: [Int], hypotheses: Int, logitRows: [Int]) throws -> DecoderOutput {
        try prefill(prompt, hypotheses: hypotheses, logitRows: logitRows, attentionRows: .last)
    }

    package func advance(tokens: [Int], parents: [Int]) throws -> DecoderOutput {
        let (logits, attention) = try model.advance(tokens: tokens, parents: parents)
        return DecoderOutput(logits: logits, attention: attention)
    }

    /// One pass over a finished text that recomputes the rows of the alignment heads' layers alone.
    package func alignment(tokens: [Int], text: Range<Int>, vocabulary: Int) throws -> SpeechAlignment {
        guard let tap = model.tap else { throw TransformerError.notLoaded(model: model.family) }
        let watched = tap.selection
        defer { tap.selection = watched }
        tap.selection = AttentionTap.Selection(.cross, layers: Set(alignmentHeads.map(\.layer)))
        let rows = text.map { $0 - 1 }
        let output = try prefill(tokens, hypotheses: 1, logitRows: rows, attentionRows: .all)
        let weights = try AlignmentWeights(collecting: alignmentHeads, from: [output.attention[0]])
        let probabilities = text.map { index -> Double in
            let row = output.promptLogits[index - 1] ?? output.logits[0]
            return Double(exp(row[tokens[index]] - LogProbabilities.logSumExp(row, in: 0..<vocabulary)))
        }
        return SpeechAlignment(weights: weights, probabilities: probabilities)
    }

    private func prefill(
        _ prompt: [Int], hypotheses: Int, logitRows: [Int], attentionRows: AttentionTap.QueryRows
    ) throws -> DecoderOutput {
        guard let tap = model.tap else { throw TransformerError.notLoaded(model: model.family) }
        guard let last = prompt.indices.last else {
            throw GenerationError.promptTooLong(tokens: 0, maximum: maximumTokens)
        }
        tap.queryRows = attentionRows
        defer { tap.queryRows = .none }
        let rows = try model.start(tokens: prompt, hypotheses: hypotheses, logitRows: Set(logitRows).union([last]))
        let attention = tap.takeRows()
        let logits = rows[last] ?? []
        return DecoderOutput(
            logits: Array(repeating: logits, count: hypotheses),
            promptLogits: rows.filter { logitRows.contains($0.key) },
            attention: Array(repeating: attention, count: hypotheses))
    }
}
