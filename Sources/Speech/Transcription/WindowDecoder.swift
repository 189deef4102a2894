import Generation

/// A window's text and its figures.
struct WindowText {
    /// Without the end token.
    var tokens: [DecodedToken]
    var text: String
    var temperature: Float
    /// The last temperature that was tried for the window.
    var lastTemperature: Float
    var averageLogProbability: Float
    var noSpeechProbability: Float
    var compressionRatio: Float

    var ids: [Int] { tokens.map(\.id) }
}

/// Decodes one encoded window, again at rising temperatures as long as the text fails the thresholds.
struct WindowDecoder {
    let model: any SpeechModel
    let tokenizer: any SpeechTokenizer
    let options: TranscriptionOptions
    let rules: WhisperRules
    /// Tokens that the text starts with.
    var prefix: [Int] = []

    /// Figures of the work done.
    struct Effort {
        var prefillSeconds = 0.0
        var decodeSeconds = 0.0
        var tokens = 0
        var wasCancelled = false
    }

    /// - Parameters:
    ///   - previous: text tokens of what was said before.
    ///   - seed: for sampling; each temperature adds its place.
    ///   - stream: receives tokens as they are decided, and when they are discarded.
    /// - Returns: the text of the first temperature that passes. Where none does, the likeliest text by mean
    ///   log-probability, of those that do not repeat themselves if there are any, as in faster-whisper.
    func decode(previous: [Int], seed: UInt64, stream: TokenStream, effort: inout Effort, isCancelled: () -> Bool)
        throws -> WindowText
    {
        let prompt = try rules.prompt(previous: previous, tokenizer: tokenizer, maximumTokens: model.maximumTokens)
        guard prompt.count < model.maximumTokens else {
            throw GenerationError.promptTooLong(tokens: prompt.count, maximum: model.maximumTokens - 1)
        }
        // The last token is not fed back, so a sequence may be one longer than the model's room.
        let room = model.maximumTokens - prompt.count + 1
        let startRow = prompt.count - rules.initialTokens.count
        guard prefix.count < room else {
            throw GenerationError.promptTooLong(tokens: prompt.count + prefix.count, maximum: model.maximumTokens)
        }
        var request = SearchRequest(
            prompt: prompt, processors: rules.processors, endTokens: [tokenizer.endOfText],
            maximumNewTokens: max(
                min(options.maximumTokensPerWindow ?? model.maximumTokens / 2, room) - prefix.count, 1),
            alternatives: options.alternatives, logitRows: [startRow])
        request.answerPrefix = prefix
        stream.skip(prefix)
        var failed: [WindowText] = []
        for (attempt, temperature) in options.temperatures.enumerated() {
            let (text, streamed) = try decode(
                request, temperature: temperature, seed: seed &+ UInt64(attempt), startRow: startRow, stream: stream,
                effort: &effort,
                isCancelled: isCancelled)
            let failure = effort.wasCancelled ? nil : failure(of: text)
            if let failure {
                failed.append(text)
                if attempt + 1 < options.temperatures.count {
                    try stream.discard(
                        keeping: prefix.count,
                        reason: "\(failure); again at temperature \(options.temperatures[attempt + 1])")
                    continue
                }
                let best = best(of: failed)
                if best < attempt {
                    try stream.discard(
                        keeping: prefix.count,
                        reason: "\(failure); the text of temperature \(failed[best].temperature) is likelier")
                    for token in failed[best].tokens.dropFirst(prefix.count) { try stream.add(token) }
                    var text = failed[best]
                    text.lastTemperature = temperature
                    return text
                }
            }
            if !streamed { for token in text.tokens.dropFirst(prefix.count) { try stream.add(token) } }
            return text
        }
        throw GenerationError.invalidOption(name: "temperatures", value: "none", allowed: "at least one")
    }

    /// The index of the likeliest text; texts that repeat themselves only if all do.
    private func best(of failed: [WindowText]) -> Int {
        let varied = failed.indices.filter { index in
            options.compressionRatioThreshold.map { failed[index].compressionRatio <= $0 } ?? true
        }
        // Of equals the later: it is on the stream already.
        return (varied.isEmpty ? Array(failed.indices) : varied).reversed()
            .max { failed[$0].averageLogProbability < failed[$1].averageLogProbability } ?? failed.count - 1
    }

    private func decode(
        _ request: SearchRequest, temperature: Float, seed: UInt64, startRow: Int, stream: TokenStream,
        effort: inout Effort,
        isCancelled: () -> Bool
    ) throws -> (text: WindowText, streamed: Bool) {
        let result: SearchResult
        var isStreamed = false
        if temperature == 0, let beams = options.beamSize {
            let search = BeamSearch(
                beams: beams, rule: .whisper(patience: options.patience, lengthPenalty: options.lengthPenalty))
            result = try search.run(model, request, isCancelled: isCancelled)
        } else {
            var sampling = SamplingOptions()
            sampling.temperature = temperature
            sampling.seed = seed
            let samples = temperature > 0 ? options.bestOf : 1
            isStreamed = samples == 1
            var request = request
            request.keepsAttention = !isStreamed
            result = try SamplingSearch(sampling, samples: samples).run(
                model, request,
                onToken: { token in
                    if token.id != tokenizer.endOfText { try stream.add(token) }
                    return true
                }, isCancelled: isCancelled)
        }
        effort.prefillSeconds += result.prefillSeconds
        effort.decodeSeconds += result.decodeSeconds
        effort.wasCancelled = result.wasCancelled
        let best = result.hypotheses.enumerated().max { score($0.element) < score($1.element) }?.element
        guard let best else { throw GenerationError.noCandidate(step: 0) }
        effort.tokens += best.ids.count

        let tokens = prefix.map { DecodedToken(id: $0, logProbability: 0) } + best.textTokens
        let text = tokenizer.text(tokens.map(\.id)).trimmingWhitespace()
        var noSpeech: Float = 0
        if let token = tokenizer.noSpeech, let row = result.promptLogits[startRow], row.indices.contains(token) {
            noSpeech = LogProbabilities.softmax(row)[token]
        }
        return (
            WindowText(
                tokens: tokens, text: text, temperature: temperature, lastTemperature: temperature,
                averageLogProbability: Float(best.sumLogProbability / Double(tokens.count - prefix.count + 1)),
                noSpeechProbability: noSpeech,
                compressionRatio: CompressionRatio.of(text)), isStreamed
        )
    }

    private func score(_ hypothesis: Hypothesis) -> Double {
        BeamRule.whisperScore(
            sum: hypothesis.sumLogProbability, length: hypothesis.textIDs.count, penalty: options.lengthPenalty)
    }

    /// The reason why the text does not pass the thresholds; nil if it passes.
    private func failure(of text: WindowText) -> String? {
        let isUnlikely = options.logProbabilityThreshold.map { text.averageLogProbability < $0 } ?? false
        if let threshold = options.noSpeechThreshold, text.noSpeechProbability > threshold, isUnlikely { return nil }
        if let threshold = options.compressionRatioThreshold, text.compressionRatio > threshold {
            return "repeats itself (compression ratio \(text.compressionRatio.twoDigits) above \(threshold.twoDigits))"
        }
        if let threshold = options.logProbabilityThreshold, isUnlikely {
            return
                "unlikely (mean log-probability \(text.averageLogProbability.twoDigits) below \(threshold.twoDigits))"
        }
        return nil
    }
}

extension Float {
    fileprivate var twoDigits: String {
        let hundredths = Int((Swift.max(Swift.min(self, 1e6), -1e6) * 100).rounded())
        let digits = "\(abs(hundredths) % 100)"
        return "\(hundredths < 0 ? "-" : "")\(abs(hundredths) / 100).\(digits.count < 2 ? "0" : "")\(digits)"
    }
}
