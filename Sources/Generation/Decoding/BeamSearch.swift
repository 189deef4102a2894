import NumberFormats

/// Beam search: one expansion step, and a rule that keeps, finishes and stops hypotheses.
///
/// Two rules exist because the two reference implementations differ: ``BeamRule/transformers(lengthPenalty:stopping:maximumLength:)``
/// for translation models and the like, ``BeamRule/whisper(patience:lengthPenalty:)`` for speech.
package struct BeamSearch: Sendable {
    package var beams: Int
    package var rule: BeamRule
    /// Largest number of hypotheses to return.
    package var results: Int

    package init(beams: Int, rule: BeamRule, results: Int = 1) {
        self.beams = beams
        self.rule = rule
        self.results = results
    }

    /// A possible continuation by one token.
    struct Candidate {
        /// Index among the live hypotheses.
        let parent: Int
        let id: Int
        /// Log-probability of the token alone.
        let logProbability: Float
        /// Of the whole sequence.
        let sum: Double
        let ends: Bool
    }

    /// - Parameters:
    ///   - onStep: called after each step with all hypotheses that may still win; false stops with the best so far.
    ///   - isCancelled: asked between steps; a cancelled search returns what is finished and the best unfinished.
    /// - Returns: hypotheses best first, with the rule's scores.
    /// - Throws: what the decoder throws, ``GenerationError/noCandidate(step:)``, or an invalid option.
    package func run(
        _ decoder: any SequenceDecoder, _ request: SearchRequest, onStep: ([Hypothesis]) throws -> Bool = { _ in true },
        isCancelled: () -> Bool = { false }
    ) throws -> SearchResult {
        guard beams > 0, beams <= decoder.maximumHypotheses else {
            throw GenerationError.invalidOption(
                name: "beam size", value: "\(beams)", allowed: "1 to \(decoder.maximumHypotheses) with this model")
        }
        guard results > 0 else {
            throw GenerationError.invalidOption(name: "results", value: "\(results)", allowed: "1 or more")
        }
        try rule.validate()
        let clock = ContinuousClock()
        var result = SearchResult()
        guard request.maximumNewTokens > 0 else { return result }
        let began = clock.now
        var output = try decoder.start(prompt: request.start, hypotheses: beams, logitRows: request.logitRows)
        try output.check(operation: "prefill", hypotheses: beams, vocabulary: decoder.vocabularySize)
        let started = clock.now
        result.prefillSeconds = (started - began).inSeconds
        result.promptLogits = output.rows(request.logitRows, promptLength: request.start.count)

        // All hypotheses of the prefill are equal: the first stands for them, or they would fill the beam with copies.
        var live = [Hypothesis()]
        var judge = rule.makeJudge(beams: beams)
        let width = rule.candidates(beams: beams, endTokens: request.endTokens.count)
        for step in 0..<request.maximumNewTokens {
            let rows = try expand(live, &output, request, perHypothesis: width.perHypothesis, step: step)
            var candidates = rows.flatMap(\.candidates)
            candidates.sort { $0.sum > $1.sum }
            if let limit = width.total { candidates.removeLast(max(candidates.count - limit, 0)) }

            func extended(_ candidate: Candidate) -> Hypothesis {
                let row = rows[candidate.parent]
                var hypothesis = live[candidate.parent].appending(
                    DecodedToken(
                        id: candidate.id, logProbability: candidate.logProbability, alternatives: row.alternatives,
                        attention: request.keepsAttention ? output.newestAttention(candidate.parent) : []))
                hypothesis.isFinished = candidate.ends
                return hypothesis
            }
            let isLast = step + 1 == request.maximumNewTokens
            let verdict = judge.judge(candidates, length: step + 1, isLast: isLast, extend: extended)
            let next = verdict.continuing.map(extended)
            if next.isEmpty || verdict.isOver || isLast {
                live = next
                break
            }
            let goesOn = try onStep(judge.ended + next)
            let cancelled = isCancelled() || !goesOn
            if !cancelled {
                output = try decoder.advance(
                    tokens: verdict.continuing.map(\.id), parents: verdict.continuing.map(\.parent))
                try output.check(
                    operation: "step \(step + 1)", hypotheses: next.count, vocabulary: decoder.vocabularySize)
            }
            live = next
            if cancelled {
                result.wasCancelled = true
                break
            }
        }
        result.decodeSeconds = (clock.now - started).inSeconds
        let ranked = judge.ranking(unfinished: live, wasCancelled: result.wasCancelled).prefix(results)
        result.hypotheses = ranked.map(\.hypothesis)
        result.scores = ranked.map(\.score)
        return result
    }

    private struct Expansion {
        var candidates: [Candidate] = []
        var alternatives: [(id: Int, logProbability: Float)] = []
    }

    /// The likeliest continuations of each live hypothesis.
    private func expand(
        _ live: [Hypothesis], _ output: inout DecoderOutput, _ request: SearchRequest, perHypothesis: Int, step: Int
    ) throws -> [Expansion] {
        var rows: [Expansion] = []
        for index in live.indices {
            let context = request.context(live[index].ids)
            if rule.normalizesBeforeProcessors {
                LogProbabilities.subtract(LogProbabilities.logSumExp(output.logits[index]), from: &output.logits[index])
                request.processors.process(&output.logits[index], context: context)
            } else {
                request.processors.process(&output.logits[index], context: context)
                LogProbabilities.subtract(LogProbabilities.logSumExp(output.logits[index]), from: &output.logits[index])
            }
            let best = LogProbabilities.top(max(perHypothesis, request.alternatives), of: output.logits[index])
            rows.append(
                Expansion(
                    candidates: best.prefix(perHypothesis).map {
                        Candidate(
                            parent: index, id: $0.index, logProbability: $0.value,
                            sum: live[index].sumLogProbability + Double($0.value),
                            ends: request.endTokens.contains($0.index))
                    },
                    alternatives: best.prefix(request.alternatives).map { (id: $0.index, logProbability: $0.value) }))
        }
        guard rows.contains(where: { !$0.candidates.isEmpty }) else { throw GenerationError.noCandidate(step: step) }
        return rows
    }
}
