/// Greedy decoding, or independent samples from one prompt (best of n).
public struct SamplingSearch: Sendable {
    public var sampling: SamplingOptions
    /// How many samples; more than one is only useful above temperature 0.
    public var samples: Int

    public init(_ sampling: SamplingOptions = SamplingOptions(), samples: Int = 1) {
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
    public func run(
        _ decoder: any SequenceDecoder, _ request: SearchRequest, onToken: (DecodedToken) throws -> Bool = { _ in true },
        isCancelled: () -> Bool = { false }
    ) throws -> SearchResult {
        try sampling.validate()
        guard samples <= decoder.maximumHypotheses else {
            throw GenerationError.invalidOption(name: "samples", value: "\(samples)", allowed: "at most \(decoder.maximumHypotheses) with this model")
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
                let context = request.context(hypotheses[sample].ids)
                processors.process(&output.logits[row], context: context)
                let normalizer = LogProbabilities.logSumExp(output.logits[row])
                guard normalizer.isFinite, let id = sampler.choose(output.logits[row], context: context) else {
                    throw GenerationError.noCandidate(step: step)
                }
                let token = DecodedToken(
                    id: id, logProbability: output.logits[row][id] - normalizer,
                    alternatives: LogProbabilities.top(request.alternatives, of: output.logits[row]).map { ($0.index, $0.value - normalizer) },
                    attention: output.newestAttention(row))
                hypotheses[sample].append(request.keepsAttention ? token : token.withoutAttention)
                hypotheses[sample].isFinished = request.endTokens.contains(id)
                if samples == 1, try !onToken(token) { stop = true }
                if !hypotheses[sample].isFinished {
                    tokens.append(id)
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
            output = try decoder.advance(tokens: tokens, parents: parents)
            try output.check(operation: "step \(step + 1)", hypotheses: tokens.count, vocabulary: decoder.vocabularySize)
        }
        result.decodeSeconds = (clock.now - started).inSeconds
        result.hypotheses = hypotheses
        result.scores = hypotheses.map(\.sumLogProbability)
        return result
    }
}
