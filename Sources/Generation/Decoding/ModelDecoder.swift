import AttentionTypes
import Models
import Transformer

/// The decoder of a loaded model for decoding strategies, with prefix caching: a prompt that begins like the last one (a
/// conversation with a new turn, a corrected question) runs only its new tokens. A model that needs an encoded source must
/// have one.
package final class ModelDecoder: SequenceDecoder {
    private let model: any Model
    /// Tokens in the KV cache of the first hypothesis.
    private(set) var cached: [Int] = []
    /// Tokens of the last prompt that had to run.
    package private(set) var prefilledTokens = 0
    private var hypotheses = 1

    package init(_ model: any Model) { self.model = model }

    package var vocabularySize: Int { model.vocabulary }
    package var maximumHypotheses: Int { DecodeStepper.maximumRows }
    /// Positions there is room for.
    package var contextLength: Int { model.contextLength }
    package var positionsLeft: Int { model.positionsLeft }

    /// Discards the cached prefix.
    package func reset() { cached = [] }

    package func start(prompt: [Int], hypotheses count: Int, logitRows: [Int]) throws -> DecoderOutput {
        guard let last = prompt.indices.last, prompt.count <= contextLength else {
            throw GenerationError.promptTooLong(tokens: prompt.count, maximum: contextLength)
        }
        guard let tap = model.tap else { throw TransformerError.notLoaded(model: model.family) }
        // A cache that grows loses its content; `position` tells.
        try model.decoder.reserve(hypotheses: count)
        if model.position < cached.count { cached = [] }
        var common = zip(cached, prompt).prefix { $0.0 == $0.1 }.count
        // The last token runs in any case, and so do those whose logits are wanted.
        common = min(common, last, logitRows.min() ?? last)
        let new = Array(prompt[common...])
        prefilledTokens = new.count
        cached = []
        tap.queryRows = .last
        defer { tap.queryRows = .none }
        let wanted = Set(logitRows.filter(prompt.indices.contains)).union([last])
        let rows = try model.decoder.prefill(new, at: common, logitRows: Set(wanted.map { $0 - common }))
        cached = prompt
        hypotheses = count
        // A long prompt runs in pieces; the last one has the newest row.
        let attention = Self.newest(tap.takeRows())
        if count > 1 { try model.decoder.fork(hypotheses: count) }
        var promptLogits: [Int: [Float]] = [:]
        for row in logitRows { promptLogits[row] = rows[row - common] }
        return DecoderOutput(
            logits: Array(repeating: rows[last - common] ?? [], count: count), promptLogits: promptLogits,
            attention: Array(repeating: attention, count: count))
    }

    /// The last of each layer's rows.
    private static func newest(_ rows: [AttentionWeights]) -> [AttentionWeights] {
        struct Place: Hashable { let kind: AttentionKind, layer: Int }
        var seen: Set<Place> = []
        return rows.reversed().filter { seen.insert(Place(kind: $0.kind, layer: $0.layer)).inserted }.reversed()
    }

    package func advance(tokens: [Int], parents: [Int]) throws -> DecoderOutput {
        try step(tokens, parents) {
            let (logits, attention) = try model.decoder.advance(tokens: tokens, parents: parents)
            return DecoderOutput(logits: logits, attention: attention)
        }
    }

    package func advance(tokens: [Int], parents: [Int], temperature: Float) throws -> DecoderOutput {
        guard model.decoder.canGiveCandidates else { return try advance(tokens: tokens, parents: parents) }
        return try step(tokens, parents) {
            let (candidates, attention) = try model.decoder.candidates(
                tokens: tokens, parents: parents, temperature: temperature)
            return DecoderOutput(candidates: candidates, attention: attention)
        }
    }

    package func newestLogits() throws -> [[Float]] { try model.decoder.newestLogits() }

    private func step(_ tokens: [Int], _ parents: [Int], _ run: () throws -> DecoderOutput) throws -> DecoderOutput {
        let isSingle = hypotheses == 1 && tokens.count == 1 && parents == [0]
        let output = try run()
        // With several hypotheses only what they have in common is surely there later: the prompt.
        if isSingle { cached += tokens }
        return output
    }
}
