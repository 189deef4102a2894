import Compute
import AttentionTypes

/// A model that continues sequences of tokens: the seam between decoding strategies and the engine.
///
/// Synchronous and used from one executor. It keeps the cache of its hypotheses; a call to `start` discards the ones before.
package protocol SequenceDecoder: AnyObject {
    var vocabularySize: Int { get }
    /// Largest number of hypotheses in a step.
    var maximumHypotheses: Int { get }

    /// Starts `hypotheses` equal hypotheses from one prompt (prefill).
    ///
    /// - Parameters:
    ///   - hypotheses: how many are wanted now; later steps may have any number up to `maximumHypotheses`.
    ///   - logitRows: prompt rows whose logits are wanted; the last row's come in `logits` anyway.
    /// - Returns: logits of the last row and captured attention, one entry per hypothesis (they are equal and may share
    ///   storage); `promptLogits` with the rows asked for, where the last may be left out.
    func start(prompt: [Int], hypotheses: Int, logitRows: [Int]) throws -> DecoderOutput

    /// One step: hypothesis i continues former hypothesis `parents[i]` with `tokens[i]`.
    ///
    /// A former hypothesis may have several continuations or none, and the number of hypotheses may change.
    func advance(tokens: [Int], parents: [Int]) throws -> DecoderOutput

    /// Runs one step. A decoder whose logits are in device-local memory may return only the top candidates, in
    /// ``DecoderOutput/candidates``; ``newestLogits()`` then fetches the full rows. Others return logits.
    ///
    /// - Parameter temperature: of the sampling, above 0.
    func advance(tokens: [Int], parents: [Int], temperature: Float) throws -> DecoderOutput

    /// `[hypotheses][vocabulary]`: the logits of the newest step, when it gave candidates.
    func newestLogits() throws -> [[Float]]
}

extension SequenceDecoder {
    package func advance(tokens: [Int], parents: [Int], temperature: Float) throws -> DecoderOutput {
        try advance(tokens: tokens, parents: parents)
    }

    package func newestLogits() throws -> [[Float]] {
        throw GenerationError.decoderOutput(
            operation: "newest logits", expected: "a step that gave candidates", actual: "one that gave logits")
    }
}

/// Result of one call of a ``SequenceDecoder``.
package struct DecoderOutput: Sendable {
    /// `[hypotheses][vocabulary]`: logits of the last row. Empty when there are candidates instead.
    package var logits: [[Float]]
    /// `[hypotheses]`: the best tokens of the last row, where a step was asked for them.
    package var candidates: [TokenCandidates]?
    /// `[vocabulary]` by prompt row, as asked for.
    package var promptLogits: [Int: [Float]]
    /// `[hypotheses][watched layers]`: attention of the newest rows, `[heads, queries, keys]`. A prefill may give all of
    /// the prompt's rows or the last alone; a step gives one.
    package var attention: [[AttentionWeights]]

    package init(
        logits: [[Float]] = [], candidates: [TokenCandidates]? = nil, promptLogits: [Int: [Float]] = [:],
        attention: [[AttentionWeights]] = []
    ) {
        self.logits = logits
        self.candidates = candidates
        self.promptLogits = promptLogits
        self.attention = attention
    }

    /// The attention of hypothesis `index`'s newest row alone.
    func newestAttention(_ index: Int) -> [AttentionWeights] {
        attention.indices.contains(index) ? attention[index].map(\.lastRow) : []
    }

    /// The logits of the prompt rows asked for, with the last row's where it is among them.
    package func rows(_ wanted: [Int], promptLength: Int) -> [Int: [Float]] {
        var rows = promptLogits
        if wanted.contains(promptLength - 1), rows[promptLength - 1] == nil { rows[promptLength - 1] = logits.first }
        return rows
    }

    /// - Throws: ``GenerationError/decoderOutput(operation:expected:actual:)`` when the logits are not
    ///   `[hypotheses, vocabulary]`, or the candidates not those of as many hypotheses.
    package func check(operation: String, hypotheses: Int, vocabulary: Int) throws {
        if let candidates {
            guard candidates.count == hypotheses else {
                throw GenerationError.decoderOutput(
                    operation: operation, expected: "candidates of \(hypotheses) rows", actual: "\(candidates.count)")
            }
            return
        }
        guard logits.count == hypotheses else {
            throw GenerationError.decoderOutput(
                operation: operation, expected: "\(hypotheses) rows of logits", actual: "\(logits.count)")
        }
        for row in logits where row.count != vocabulary {
            throw GenerationError.decoderOutput(
                operation: operation, expected: "\(vocabulary) logits", actual: "\(row.count)")
        }
    }
}

extension AttentionWeights {
    /// The last query's row only, `[heads, 1, keys]`.
    var lastRow: AttentionWeights {
        guard queries > 1 else { return self }
        var rows: [Float] = []
        rows.reserveCapacity(heads * keys)
        for head in 0..<heads { rows.append(contentsOf: row(head: head, query: queries - 1)) }
        return AttentionWeights(kind: kind, layer: layer, heads: heads, queries: 1, keys: keys, values: rows)
    }
}
