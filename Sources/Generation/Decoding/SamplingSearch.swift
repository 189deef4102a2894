import Compute

/// Greedy decoding, or independent samples from one prompt (best of n).
package struct SamplingSearch: Sendable {
    package var sampling: SamplingOptions
    /// Number of samples; more than one is only useful above temperature 0.
    package var samples: Int

    package init(_ sampling: SamplingOptions = SamplingOptions(), samples: Int = 1) {
        self.sampling = sampling
        self.samples = max(samples, 1)
    }

    /// Decodes until every sample has met an end token or the limit.
    ///
    /// - Parameters:
    ///   - onToken: called for each token as it is decided when there is one sample, end token included; false stops.
    ///   - isCancelled: asked between steps.
    /// - Returns: the samples in their order, not ranked; the score is the sum of log-probabilities.
    /// - Throws: what the decoder throws, ``GenerationError/noCandidate(step:)``, or an invalid option.
    package func run(
        _ decoder: any SequenceDecoder, _ request: SearchRequest,
        onToken: (DecodedToken) throws -> Bool = { _ in true },
        isCancelled: () -> Bool = { false }
    ) throws -> SearchResult {
        try sampling.validate()
        guard samples <= decoder.maximumHypotheses else {
            throw GenerationError.invalidOption(
                name: "samples", value: "\(samples)", allowed: "at most \(decoder.maximumHypotheses) with this model")
        }
        let clock = ContinuousClock()
        var result = SearchResult()
        guard request.maximumNewTokens > 0 else { return result }
        let began = clock.now
        var output = try decoder.start(prompt: request.start, hypotheses: samples, logitRows: request.logitRows)
        try output.check(operation: "prefill", hypotheses: samples, vocabulary: decoder.vocabularySize)
        let started = clock.now
        result.prefillSeconds = (started - began).inSeconds
        result.promptLogits = output.rows(request.logitRows, promptLength: request.start.count)

        let processors = request.processors + sampling.processors
        let usesCandidates = processors.isEmpty && sampling.canUseCandidates(alternatives: request.alternatives)
        var sampler = Sampler(sampling)
        // Taken up again with the same seed, an answer goes on as it did.
        sampler.skip(request.answerPrefix.count)
        var hypotheses = [Hypothesis](repeating: Hypothesis(), count: samples)
        // The samples still running; the decoder's hypothesis i is sample live[i].
        var live = Array(0..<samples)
        for step in 0..<request.maximumNewTokens {
            var tokens: [Int] = [], parents: [Int] = [], running: [Int] = []
            var stop = false
            for (row, sample) in live.enumerated() {
                var decision = output.candidates.flatMap {
                    Decision($0[row], &sampler, alternatives: request.alternatives)
                }
                if decision == nil {
                    if output.logits.isEmpty {
                        output.logits = try decoder.newestLogits()
                        output.candidates = nil
                        try output.check(
                            operation: "step \(step)", hypotheses: live.count, vocabulary: decoder.vocabularySize)
                    }
                    let context = request.context(hypotheses[sample].ids)
                    processors.process(&output.logits[row], context: context)
                    decision = Decision(output.logits[row], &sampler, context, alternatives: request.alternatives)
                }
                guard let decision else { throw GenerationError.noCandidate(step: step) }
                let token = DecodedToken(
                    id: decision.id, logProbability: decision.logProbability, alternatives: decision.alternatives,
                    attention: output.newestAttention(row))
                hypotheses[sample].append(request.keepsAttention ? token : token.withoutAttention)
                hypotheses[sample].isFinished = request.endTokens.contains(decision.id)
                if samples == 1, try !onToken(token) { stop = true }
                if !hypotheses[sample].isFinished {
                    tokens.append(decision.id)
                    parents.append(row)
                    running.append(sample)
                }
            }
            if stop || running.isEmpty || step + 1 == request.maximumNewTokens { break }
            if isCancelled() {
                result.wasCancelled = true
                break
            }
            live = running
            output =
                usesCandidates
                ? try decoder.advance(
                    tokens: tokens, parents: parents, temperature: sampling.temperature > 0 ? sampling.temperature : 1)
                : try decoder.advance(tokens: tokens, parents: parents)
            try output.check(
                operation: "step \(step + 1)", hypotheses: tokens.count, vocabulary: decoder.vocabularySize)
        }
        result.decodeSeconds = (clock.now - started).inSeconds
        result.hypotheses = hypotheses
        result.scores = hypotheses.map(\.sumLogProbability)
        return result
    }
}

/// Decision at one position of one sample.
private struct Decision {
    let id: Int
    let logProbability: Float
    let alternatives: [(id: Int, logProbability: Float)]

    /// From a whole row, `[vocabulary]` after the processors; `nil` when there is no token to choose.
    init?(_ logits: [Float], _ sampler: inout Sampler, _ context: TokenContext, alternatives: Int) {
        let normalizer = LogProbabilities.logSumExp(logits)
        guard normalizer.isFinite, let id = sampler.choose(logits, context: context) else { return nil }
        self.id = id
        logProbability = logits[id] - normalizer
        self.alternatives = LogProbabilities.top(alternatives, of: logits).map { ($0.index, $0.value - normalizer) }
    }

    /// From a row's candidates; `nil` when they do not tell.
    init?(_ row: TokenCandidates, _ sampler: inout Sampler, alternatives: Int) {
        let normalizer = row.logSumExp
        guard normalizer.isFinite, let id = sampler.choose(row), let place = row.ids.firstIndex(of: id) else {
            return nil
        }
        self.id = id
        logProbability = row.logits[place] - normalizer
        self.alternatives = zip(row.ids, row.logits).prefix(alternatives).map { ($0, $1 - normalizer) }
    }
}
