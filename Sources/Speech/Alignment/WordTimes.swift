import Generation

/// Word times for the segments of a window: one more pass over the finished text, aligned with the sound.
struct WordTimes {
    let model: any SpeechModel
    let tokenizer: any SpeechTokenizer
    let rules: WhisperRules
    let language: String?

    /// Adds words to the segments and corrects the segments' times.
    ///
    /// - Parameters:
    ///   - frames: of sound in the window.
    ///   - lastSpeech: where speech ended before; updated.
    func add(to segments: inout [DraftSegment], offset: Double, frames: Int, lastSpeech: inout Double) throws {
        let texts = segments.map { $0.tokens.filter { $0 < tokenizer.endOfText } }
        var words = try align(texts.flatMap { $0 }, frames: frames)
        let median = WordTiming.medianDuration(words), maximum = median * 2
        WordTiming.clampAtSentenceEnds(&words, maximum: maximum)
        WordTiming.mergePunctuation(&words)
        var drafts = zip(segments, texts).map { SegmentWords(start: $0.start, end: $0.end, textTokens: $1.count) }
        SegmentWords.assign(
            words, to: &drafts, offset: offset, median: median, maximum: maximum, lastSpeech: &lastSpeech)
        for (index, draft) in drafts.enumerated() {
            segments[index].start = draft.start
            segments[index].end = draft.end
            segments[index].words = draft.words.map {
                TimedWord(text: $0.text, start: $0.start, end: $0.end, probability: Float($0.probability))
            }
        }
    }

    /// The words of a text with their times in the window, seconds.
    func align(_ text: [Int], frames: Int) throws -> [AlignedWord] {
        guard !text.isEmpty else { return [] }
        let words = WordSplitter(tokenizer: tokenizer, language: language).words(text + [tokenizer.endOfText])
        let start = rules.startSequence
        let tokens =
            start + [try tokenizer.requiredNoTimestamps()] + text + [tokenizer.endOfText]
        guard tokens.count <= model.maximumTokens else {
            throw GenerationError.promptTooLong(tokens: tokens.count, maximum: model.maximumTokens)
        }
        let first = start.count + 1
        let pass = try model.alignment(
            tokens: tokens, text: first..<first + text.count, vocabulary: tokenizer.endOfText)
        let framesPerPosition = Double(SpeechTiming.framesPerWindow) / Double(model.audioPositions)
        // The rows that predict the text and the end: from the token before the text to its last.
        let path = TokenAlignment.path(
            pass.weights, options: .init(positions: Int(Double(frames) / framesPerPosition), renormalizes: true),
            tokens: start.count..<tokens.count - 1)
        let starts = path.firstColumns.map { Double($0) * framesPerPosition / SpeechTiming.framesPerSecond }
        return WordTiming.align(words: words, startTimes: starts, probabilities: pass.probabilities)
    }
}
