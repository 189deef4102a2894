import AttentionTypes
import Foundation
import Generation

/// An encoder-decoder that turns sound into text: what transcription needs of Whisper.
package protocol SpeechModel: SequenceDecoder {
    /// Encodes one window of log-mel energies `[mels, frames]` and computes the cross-attention keys and values that the
    /// following `start` and `advance` read, until the next window.
    func encode(window: AudioWindow) throws
    /// Positions of the encoder's output: 1500 for 30 seconds.
    var audioPositions: Int { get }
    /// Decoder heads that follow the sound; where none are published, all heads of the later half of the decoder.
    var alignmentHeads: [AttentionHead] { get }
    /// The most tokens a sequence may have, prompt included: 448.
    var maximumTokens: Int { get }

    /// One pass over given tokens, for word times.
    ///
    /// - Parameters:
    ///   - tokens: the whole sequence as if it had been generated.
    ///   - text: which of them are the text.
    ///   - vocabulary: probabilities are among the first so many ids only (the text tokens).
    /// - Note: The default goes through `start`, which must then give all prompt rows of the alignment layers; an engine
    ///   that computes rows on demand should do better.
    func alignment(tokens: [Int], text: Range<Int>, vocabulary: Int) throws -> SpeechAlignment
}

/// Result of an alignment pass over a finished text.
package struct SpeechAlignment: Sendable {
    /// `[alignment heads, tokens, audio positions]`.
    package let weights: AlignmentWeights
    /// Probability of each text token given the ones before it.
    package let probabilities: [Double]

    package init(weights: AlignmentWeights, probabilities: [Double]) {
        self.weights = weights
        self.probabilities = probabilities
    }
}

extension SpeechModel {
    package func alignment(tokens: [Int], text: Range<Int>, vocabulary: Int) throws -> SpeechAlignment {
        // The row before a token predicts it.
        let rows = text.map { $0 - 1 }
        let output = try start(prompt: tokens, hypotheses: 1, logitRows: rows)
        let logits = output.rows(rows, promptLength: tokens.count)
        let weights = try AlignmentWeights(collecting: alignmentHeads, from: [output.attention.first ?? []])
        guard weights.tokens == tokens.count else {
            throw GenerationError.decoderOutput(
                operation: "alignment pass", expected: "attention of all \(tokens.count) prompt rows",
                actual: "\(weights.tokens)")
        }
        let probabilities = try text.map { index -> Double in
            guard let row = logits[index - 1], row.count >= vocabulary, tokens[index] < vocabulary else {
                throw GenerationError.decoderOutput(
                    operation: "alignment pass", expected: "logits of prompt row \(index - 1)",
                    actual: "\(logits[index - 1]?.count ?? 0) values")
            }
            return Double(expf(row[tokens[index]] - LogProbabilities.logSumExp(row, in: 0..<vocabulary)))
        }
        return SpeechAlignment(weights: weights, probabilities: probabilities)
    }
}
