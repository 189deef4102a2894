import NumberFormats
import Tokenization

/// Search and streaming for one answer of any model: greedy, sampled or by beams, with stop strings.
package struct AnswerSearch {
    let decoder: any SequenceDecoder
    let tokenizer: Tokenizer
    let endTokens: Set<Int>
    /// Processors that the checkpoint asks for, before those of the options.
    package var processors: [any LogitsProcessor] = []
    /// Seconds that encoding the input took.
    package var encodeSeconds = 0.0
    /// True for the spelling of a special token that is part of answers, such as a place in a picture.
    package var isAnswerText: (String) -> Bool = { _ in false }

    package init(decoder: any SequenceDecoder, tokenizer: Tokenizer, endTokens: Set<Int>) {
        self.decoder = decoder
        self.tokenizer = tokenizer
        self.endTokens = endTokens
    }

    /// - Parameters:
    ///   - prompt: the decoder's tokens before the answer.
    ///   - room: largest number of tokens of the answer, its prefix included.
    ///   - prefilled: called at the end for the number of prompt tokens that had to run.
    /// - Returns: the answer's tokens after `options.answerPrefix`, without a closing end token.
    @discardableResult
    package func run(
        prompt: [Int], options: TextOptions, room: Int, prefilled: () -> Int, isCancelled: () -> Bool,
        emit: @escaping (GenerationEvent) throws -> Void
    ) throws -> [Int] {
        try options.validate()
        let prefix = options.answerPrefix
        var request = SearchRequest(
            prompt: prompt, processors: processors, endTokens: endTokens,
            maximumNewTokens: max(min(options.maximumTokens, room) - prefix.count, 0),
            alternatives: options.alternatives)
        request.answerPrefix = prefix
        var stream = AnswerStream(
            tokenizer: tokenizer, endTokens: endTokens, stopStrings: options.stopStrings, prefix: prefix,
            isAnswerText: isAnswerText, thoughts: options.thoughts, emit: emit)
        let result =
            options.beams > 1
            ? try beams(request, options, &stream, isCancelled) : try sampled(request, options, &stream, isCancelled)
        let hypothesis = result.hypotheses.first
        let reason: FinishReason =
            if stream.isStopped {
                .stopString
            } else if hypothesis?.isFinished == true {
                .endOfText
            } else if result.wasCancelled {
                .cancelled
            } else {
                .lengthLimit
            }
        try emit(
            .finished(
                GenerationSummary(
                    reason: reason, tokens: stream.count, encodeSeconds: encodeSeconds,
                    prefillSeconds: result.prefillSeconds,
                    decodeSeconds: result.decodeSeconds, promptTokens: prompt.count, prefilledTokens: prefilled())))
        return hypothesis?.textIDs ?? []
    }

    private func sampled(
        _ request: SearchRequest, _ options: TextOptions, _ stream: inout AnswerStream, _ isCancelled: () -> Bool
    ) throws -> SearchResult {
        var request = request
        // Attention goes out with the events.
        request.keepsAttention = false
        return try SamplingSearch(options.sampling).run(decoder, request) { token in
            try stream.add(token, isLast: stream.count + 1 == request.maximumNewTokens)
            return !stream.isStopped
        } isCancelled: {
            isCancelled()
        }
    }

    /// Beam search; a token is final once every hypothesis that may still win has it.
    private func beams(
        _ request: SearchRequest, _ options: TextOptions, _ stream: inout AnswerStream, _ isCancelled: () -> Bool
    ) throws -> SearchResult {
        var request = request
        request.processors += options.sampling.processors
        let search = BeamSearch(
            beams: options.beams,
            rule: .transformers(
                lengthPenalty: options.lengthPenalty, stopping: options.beamStopping,
                maximumLength: max(request.maximumNewTokens, 1)))
        let result = try search.run(decoder, request) { contenders in
            // One is kept back: if it is the last, the rest of the held text goes with it.
            for token in Hypothesis.common(contenders).dropLast().dropFirst(stream.count) where !stream.isStopped {
                try stream.add(token, isLast: false)
            }
            return !stream.isStopped
        } isCancelled: {
            isCancelled()
        }
        let rest = result.hypotheses.first?.tokens.dropFirst(stream.count) ?? []
        for (offset, token) in rest.enumerated() where !stream.isStopped {
            try stream.add(token, isLast: offset + 1 == rest.count)
        }
        return result
    }
}

extension Hypothesis {
    /// The common beginning of all hypotheses.
    static func common(_ hypotheses: [Hypothesis]) -> ArraySlice<DecodedToken> {
        guard let first = hypotheses.first else { return [] }
        let count = hypotheses.dropFirst().reduce(first.ids.count) { count, other in
            min(count, zip(first.ids, other.ids).prefix { $0.0 == $0.1 }.count)
        }
        return first.tokens.prefix(count)
    }
}
