import Generation

/// A finished transcript.
package struct Transcript: Sendable, Hashable, Codable {
    package var language: String?
    /// Probability of the language, if it was detected.
    package var languageProbability: Float?
    /// Seconds of sound.
    package var duration: Double
    package var segments: [TranscriptSegment]

    package init(language: String?, languageProbability: Float? = nil, duration: Double, segments: [TranscriptSegment])
    {
        self.language = language
        self.languageProbability = languageProbability
        self.duration = duration
        self.segments = segments
    }

    package var text: String { segments.map(\.text).joined() }
}

/// Whisper's transcription of a recording of any length: windows of 30 seconds, each starting where the last finished
/// sentence of the one before ended (Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022;
/// the rules are those of the published `transcribe`).
///
/// A window that the recording does not fill is padded in log-mel space (``WindowPadding``). The language is detected from
/// the first window as it is decoded; the published code pads that one window with computed silence instead of zeros.
package struct Transcriber {
    private let model: any SpeechModel
    private let tokenizer: any SpeechTokenizer
    private let options: TranscriptionOptions

    /// - Throws: ``GenerationError`` for options outside their range, or that the model cannot serve.
    package init(
        model: any SpeechModel, tokenizer: any SpeechTokenizer, options: TranscriptionOptions = TranscriptionOptions()
    ) throws {
        try options.validate(maximumHypotheses: model.maximumHypotheses)
        var options = options
        options.language = options.language.map { SpeechLanguage.code(of: $0) ?? $0 }
        if !tokenizer.isMultilingual {
            if options.task == .translate { throw GenerationError.monolingual(asked: "translation") }
            if let language = options.language, language != "en" {
                throw GenerationError.monolingual(asked: "language \(language)")
            }
        } else if let language = options.language, !tokenizer.languages.contains(where: { $0.code == language }) {
            throw GenerationError.unknownLanguage(language, known: tokenizer.languages.map(\.code))
        }
        self.model = model
        self.tokenizer = tokenizer
        self.options = options
    }

    /// Transcribes; synchronous, on the model's executor.
    ///
    /// Tokens are emitted as they are decided where one hypothesis is followed, and with the finished window where several
    /// compete. `.discarded` takes back tokens of a window: before it is decoded again at another temperature, when it
    /// turns out to be silent, and for the unfinished sentence at its end, which the next window decodes again. When the
    /// language was detected, the first window's `.inputPrepared` comes a second time with it.
    ///
    /// - Parameters:
    ///   - isCancelled: asked between steps; a cancelled run keeps the segments of finished windows.
    ///   - emit: takes every event, in order; what it throws ends the run.
    /// - Throws: ``GenerationError``, and what the model, the tokenizer or `emit` throw.
    @discardableResult
    package func run(
        _ recording: MelRecording, isCancelled: @escaping () -> Bool = { Task.isCancelled },
        emit: @escaping (GenerationEvent) throws -> Void
    ) throws -> Transcript {
        let run = try TranscriptionRun(
            model: model, tokenizer: tokenizer, options: options, recording: recording, isCancelled: isCancelled,
            emit: emit)
        return try run.transcribe()
    }

    /// The probability of each language for the window that was encoded last, likeliest first.
    package static func languages(model: any SpeechModel, tokenizer: any SpeechTokenizer) throws -> [(
        code: String, probability: Float
    )] {
        let output = try model.start(prompt: [tokenizer.startOfTranscript], hypotheses: 1, logitRows: [])
        try output.check(operation: "language detection", hypotheses: 1, vocabulary: model.vocabularySize)
        let known = tokenizer.languages.filter { output.logits[0].indices.contains($0.token) }
        let probabilities = LogProbabilities.softmax(known.map { output.logits[0][$0.token] })
        return zip(known, probabilities).map { (code: $0.code, probability: $1) }.sorted {
            $0.probability > $1.probability
        }
    }
}

/// The state of one transcription.
private final class TranscriptionRun {
    private let model: any SpeechModel
    private let tokenizer: any SpeechTokenizer
    private let options: TranscriptionOptions
    private let recording: MelRecording
    private let isCancelled: () -> Bool
    private let emit: (GenerationEvent) throws -> Void
    private let stream: TokenStream
    private let builder: SegmentBuilder
    private let initialPrompt: [Int]
    private let baseSeed: UInt64
    private let clock = ContinuousClock()

    private var language: String?
    private var languageProbability: Float?
    private var effort = WindowDecoder.Effort()
    private var encodeSeconds = 0.0
    private var windows = 0
    private var segments: [TranscriptSegment] = []
    /// Text so far, timestamps included, as the model will be shown it.
    private var context: [Int]
    /// Context before this is not shown any more.
    private var contextStart = 0
    private var lastSpeech = 0.0

    init(
        model: any SpeechModel, tokenizer: any SpeechTokenizer, options: TranscriptionOptions, recording: MelRecording,
        isCancelled: @escaping () -> Bool, emit: @escaping (GenerationEvent) throws -> Void
    ) throws {
        guard model.audioPositions > 0, SpeechTiming.framesPerWindow % model.audioPositions == 0 else {
            throw GenerationError.decoderOutput(
                operation: "encoder", expected: "a whole number of mel frames for each position",
                actual: "\(model.audioPositions) positions")
        }
        self.model = model
        self.tokenizer = tokenizer
        self.options = options
        self.recording = recording
        self.isCancelled = isCancelled
        self.emit = emit
        let framesPerTimestamp = SpeechTiming.framesPerWindow / model.audioPositions
        builder = SegmentBuilder(timestampBegin: tokenizer.timestampBegin, framesPerTimestamp: framesPerTimestamp)
        stream = TokenStream(
            tokenizer: tokenizer, secondsPerTimestamp: Double(framesPerTimestamp) / SpeechTiming.framesPerSecond,
            emit: emit)
        initialPrompt = try options.initialPrompt.map { try tokenizer.encode(" " + $0.trimmingWhitespace()) } ?? []
        context = initialPrompt
        baseSeed = options.seed ?? .random(in: .min ... .max)
        language = tokenizer.isMultilingual ? options.language : "en"
    }

    func transcribe() throws -> Transcript {
        var seek = 0
        while seek < recording.contentFrames {
            if isCancelled() { effort.wasCancelled = true }
            if effort.wasCancelled { break }
            let frames = min(SpeechTiming.framesPerWindow, recording.contentFrames - seek)
            let advance = try window(at: seek, frames: frames)
            // The rules make every window move on; should a model get around them, the window is left behind.
            seek += advance > 0 ? advance : frames
        }
        try emit(
            .finished(
                GenerationSummary(
                    reason: effort.wasCancelled ? .cancelled : .endOfText, tokens: effort.tokens,
                    encodeSeconds: encodeSeconds,
                    prefillSeconds: effort.prefillSeconds, decodeSeconds: effort.decodeSeconds)))
        return Transcript(
            language: language, languageProbability: languageProbability, duration: recording.duration,
            segments: segments)
    }

    /// Encodes and decodes one window; returns how many frames to move on.
    private func window(at seek: Int, frames: Int) throws -> Int {
        let offset = Double(seek) / SpeechTiming.framesPerSecond
        try encode(at: seek, frames: frames, offset: offset)
        stream.begin(window: windows, start: offset)
        windows += 1
        let rules = try WhisperRules(
            options, tokenizer: tokenizer, language: language,
            secondsPerTimestamp: Double(builder.framesPerTimestamp) / SpeechTiming.framesPerSecond)
        let decoder = WindowDecoder(
            model: model, tokenizer: tokenizer, options: options, rules: rules,
            prefix: windows == 1 ? options.answerPrefix : [])
        let text = try decoder.decode(
            previous: previousText(), seed: baseSeed &+ UInt64(windows) &* 1000, stream: stream, effort: &effort,
            isCancelled: isCancelled)
        if effort.wasCancelled { return frames }
        if isSilent(text) {
            try stream.discard(keeping: 0, reason: "no speech")
            return frames
        }

        var cut = builder.cut(text.ids, offset: offset, frames: frames)
        if options.words { try addWords(to: &cut, rules: rules, seek: seek, offset: offset, frames: frames) }
        try stream.discard(keeping: cut.used, reason: "unfinished sentence; decoded again in the next window")
        for draft in cut.segments { try finish(draft, of: text) }
        // A text found at a high temperature is no good example.
        if !options.conditionsOnPreviousText || text.lastTemperature > 0.5 { contextStart = context.count }
        return cut.advance
    }

    private func encode(at seek: Int, frames: Int, offset: Double) throws {
        let length = SpeechTiming.framesPerWindow
        let values = recording.slice(first: seek, count: frames, length: length, padding: options.padding)
        func window() -> AudioWindow {
            AudioWindow(
                index: windows, start: offset, duration: Double(frames) / SpeechTiming.framesPerSecond,
                mels: recording.mels, frames: length,
                logMel: values, language: language, languageProbability: languageProbability)
        }
        try emit(.inputPrepared(.audio(window())))
        let began = clock.now
        try model.encode(window: window())
        let seconds = (clock.now - began).inSeconds
        encodeSeconds += seconds
        try emit(.encoded(seconds: seconds))
        if language == nil {
            guard let best = try Transcriber.languages(model: model, tokenizer: tokenizer).first else {
                throw GenerationError.missingToken("language")
            }
            language = best.code
            languageProbability = best.probability
            try emit(.inputPrepared(.audio(window())))
        }
    }

    private func previousText() -> [Int] {
        guard options.carriesInitialPrompt else { return Array(context[contextStart...]) }
        let room = max(model.maximumTokens / 2 - 1 - initialPrompt.count, 0)
        return initialPrompt + context[max(initialPrompt.count, contextStart)...].suffix(room)
    }

    private func isSilent(_ text: WindowText) -> Bool {
        guard let threshold = options.noSpeechThreshold, text.noSpeechProbability > threshold else { return false }
        // Text the model is sure of counts for more.
        return !(options.logProbabilityThreshold.map { text.averageLogProbability > $0 } ?? false)
    }

    private func addWords(to cut: inout SegmentBuilder.Cut, rules: WhisperRules, seek: Int, offset: Double, frames: Int)
        throws
    {
        let before = lastSpeech
        let began = clock.now
        try WordTimes(model: model, tokenizer: tokenizer, rules: rules, language: language)
            .add(to: &cut.segments, offset: offset, frames: frames, lastSpeech: &lastSpeech)
        effort.prefillSeconds += (clock.now - began).inSeconds
        let lastWord = cut.segments.last { !($0.words ?? []).isEmpty }?.words?.last?.end ?? cut.segments.last?.end
        if !cut.endsInSilence, let lastWord, lastWord > offset {
            cut.advance = Int((lastWord * SpeechTiming.framesPerSecond).rounded(.toNearestOrEven)) - seek
        }
        if let threshold = options.hallucinationSilenceThreshold {
            let skipped = HallucinationSkip(
                threshold: threshold, windowStart: offset, frames: frames,
                contentDuration: Double(recording.contentFrames) / SpeechTiming.framesPerSecond,
                lastSpeech: before
            ).apply(to: &cut)
            if skipped { lastSpeech = before }
        }
        // The context follows what was said last, also where nothing was kept.
        lastSpeech = cut.segments.last { !($0.words ?? []).isEmpty }?.words?.last?.end ?? lastSpeech
    }

    private func finish(_ draft: DraftSegment, of text: WindowText) throws {
        let written = tokenizer.text(draft.tokens)
        // Instantaneous or empty segments say nothing.
        guard draft.start != draft.end, !written.trimmingWhitespace().isEmpty else { return }
        context += draft.tokens
        // Timestamps may lie in the padding behind the sound.
        func within(_ seconds: Double) -> Double { min(seconds, recording.duration) }
        let words = draft.words?.map {
            TimedWord(text: $0.text, start: within($0.start), end: within($0.end), probability: $0.probability)
        }
        let segment = TranscriptSegment(
            index: segments.count, start: within(draft.start), end: within(draft.end), text: written,
            tokens: draft.tokens,
            temperature: text.temperature,
            averageLogProbability: text.averageLogProbability, compressionRatio: text.compressionRatio,
            noSpeechProbability: text.noSpeechProbability, words: words)
        segments.append(segment)
        try emit(.segment(segment))
    }
}
