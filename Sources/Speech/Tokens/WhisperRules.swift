import Generation

/// The grammar of timestamps (`ApplyTimestampRules` of the published Whisper, `WhisperTimeStampLogitsProcessor` of
/// transformers): they come in pairs except before the end, never go back, begin the window, and are chosen whenever
/// together they are likelier than any single text token.
package struct TimestampRules: LogitsProcessor {
    package let timestampBegin: Int
    package let endOfText: Int
    package let noTimestamps: Int?
    /// Latest first timestamp, in timestamp steps from the window's start.
    package let maximumInitialIndex: Int?

    package init(timestampBegin: Int, endOfText: Int, noTimestamps: Int?, maximumInitialIndex: Int?) {
        self.timestampBegin = timestampBegin
        self.endOfText = endOfText
        self.noTimestamps = noTimestamps
        self.maximumInitialIndex = maximumInitialIndex
    }

    package func process(_ logits: inout [Float], context: TokenContext) {
        let tokens = context.generated
        if let noTimestamps, logits.indices.contains(noTimestamps) { logits[noTimestamps] = -.infinity }
        let isAfterTimestamp = tokens.last.map { $0 >= timestampBegin } ?? false
        let isSecondOfPair = tokens.count < 2 || tokens[tokens.count - 2] >= timestampBegin
        if isAfterTimestamp {
            if isSecondOfPair {
                TimestampRules.remove(from: timestampBegin, in: &logits)
            } else {
                TimestampRules.remove(to: endOfText, in: &logits)
            }
        }
        if let last = tokens.last(where: { $0 >= timestampBegin }) {
            // A segment's end lies after its start; the next start may equal the end before it.
            let first = isAfterTimestamp && !isSecondOfPair ? last : last + 1
            TimestampRules.remove(from: timestampBegin, to: first, in: &logits)
        }
        if tokens.isEmpty {
            TimestampRules.remove(to: timestampBegin, in: &logits)
            if let maximumInitialIndex {
                TimestampRules.remove(from: timestampBegin + maximumInitialIndex + 1, in: &logits)
            }
        }
        // Comparing unnormalized is the same: both sides have the same normalizer.
        let all = LogProbabilities.logSumExp(logits, in: min(timestampBegin, logits.count)..<logits.count)
        let bestText = logits.withUnsafeBufferPointer { $0[..<min(timestampBegin, $0.count)].max() ?? -.infinity }
        if all > bestText { TimestampRules.remove(to: timestampBegin, in: &logits) }
    }

    /// Removes the ids from `first` up to before `end`, as far as the vocabulary has them: a tokenizer may promise more
    /// than the checkpoint holds.
    private static func remove(from first: Int = 0, to end: Int = .max, in logits: inout [Float]) {
        logits.withUnsafeMutableBufferPointer { logits in
            for token in stride(from: max(first, 0), to: min(end, logits.count), by: 1) { logits[token] = -.infinity }
        }
    }
}

/// Prompt and logits processors of a window, from options and tokenizer.
struct WhisperRules {
    let processors: [any LogitsProcessor]
    /// Start token, then language and task where the model knows several.
    let startSequence: [Int]
    /// The start sequence, with `<|notimestamps|>` where timestamps are off.
    let initialTokens: [Int]

    init(
        _ options: TranscriptionOptions, tokenizer: any SpeechTokenizer, language: String?, secondsPerTimestamp: Double
    ) throws {
        let start = try tokenizer.startSequence(language: language, task: options.task)
        startSequence = start
        initialTokens = options.timestamps ? start : start + [try tokenizer.requiredNoTimestamps()]

        let special = [
            tokenizer.transcribe, tokenizer.translate, tokenizer.startOfTranscript, tokenizer.startOfPrevious,
            tokenizer.startOfLM, tokenizer.noSpeech,
        ].compactMap { $0 }
        let blank = try options.beginSuppressedTokens ?? tokenizer.encode(" ")
        var chain: [any LogitsProcessor] = [
            SuppressTokensAtBegin(blank + [tokenizer.endOfText]),
            SuppressTokens(Set(try options.suppressedTokens ?? tokenizer.nonSpeechTokens()).union(special).sorted()),
        ]
        if options.timestamps {
            chain.append(
                TimestampRules(
                    timestampBegin: tokenizer.timestampBegin, endOfText: tokenizer.endOfText,
                    noTimestamps: tokenizer.noTimestamps,
                    maximumInitialIndex: options.maximumInitialTimestamp.map {
                        Int(($0 / secondsPerTimestamp).rounded(.toNearestOrEven))
                    }))
        }
        processors = chain
    }

    /// The decoder's prompt: previous text, then the initial tokens.
    func prompt(previous: [Int], tokenizer: any SpeechTokenizer, maximumTokens: Int) throws -> [Int] {
        guard !previous.isEmpty else { return initialTokens }
        let marker = try tokenizer.required(tokenizer.startOfPrevious, "<|startofprev|>")
        return [marker] + previous.suffix(max(maximumTokens / 2 - 1, 0)) + initialTokens
    }
}
