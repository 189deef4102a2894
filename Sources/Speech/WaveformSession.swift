import Compute
import Generation
import Media
import Models
import Tokenization
import Transformer

/// A session that writes transcripts.
package protocol TranscribingSession: ModelSession {
    /// Transcribes a recording.
    /// - Parameter emit: takes every event in order; what it throws ends the run.
    func transcribe(
        _ recording: Recording, options: TranscriptionOptions, isCancelled: @escaping () -> Bool,
        emit: @escaping (GenerationEvent) throws -> Void
    ) throws -> Transcript
}

/// A speech model whose encoder reads the waveform (Moonshine), with its tokenizer. Used from one executor.
///
/// Longer recordings are cut where they are quietest; each piece gives one segment. The vocabulary has no timestamps.
package final class WaveformSession: TranscribingSession {
    private let model: any WaveformReader
    private let tokenizer: Tokenizer
    private let decoder: ModelDecoder
    private let processors: [any LogitsProcessor]
    /// The spectrogram that the screen shows; the model does not read it.
    private let logMel: LogMelSpectrogram

    private static let samplesPerSecond = 16_000
    /// Tokens that a second of speech has at most, as in the reference; more are repetitions.
    private static let tokensPerSecond = 6.5

    package static func serves(_ model: any Model) -> Bool { model.waveformReader != nil }

    package init(
        _ model: any Model, from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void
    ) throws {
        guard let reader = model.waveformReader else {
            throw GenerationError.notASpeechModel(path: files.path, type: try ModelRegistry.modelType(of: files))
        }
        self.model = reader
        tokenizer = try Tokenizer(files)
        processors = try CheckpointRules.processors(files)
        logMel = try LogMelSpectrogram()
        decoder = ModelDecoder(reader)
        try reader.load(from: files, on: device, progress: progress)
        reader.tap?.selection = .cross
    }

    deinit { model.unload() }

    package var bytesPerToken: Int { model.bytesPerToken }
    package var tokensLeft: Int? { model.positionsLeft }

    package func answer(
        _ request: GenerationRequest, isCancelled: @escaping () -> Bool,
        emit: @escaping (GenerationEvent) throws -> Void
    ) throws {
        let sound = try request.requiredSound(family: model.family)
        model.tap?.interventions = request.interventions
        var options = request.speech
        options.answerPrefix = request.text.answerPrefix
        _ = try transcribe(sound, options: options, isCancelled: isCancelled, emit: emit)
    }

    package func transcribe(
        _ recording: Recording, options: TranscriptionOptions, isCancelled: @escaping () -> Bool,
        emit: @escaping (GenerationEvent) throws -> Void
    ) throws -> Transcript {
        try check(options)
        let pieces = QuietCuts.pieces(of: recording.samples, limits: model.sampleLimits)
        if pieces.count > 1, !options.answerPrefix.isEmpty {
            throw GenerationError.invalidOption(
                name: "answer prefix", value: "\(options.answerPrefix.count) tokens",
                allowed: "none for recordings of several pieces: nothing tells which one a token belongs to")
        }
        var transcript = Transcript(language: "en", duration: recording.duration, segments: [])
        var totals = Totals()
        for (index, piece) in pieces.enumerated() where !isCancelled() {
            let samples = Array(recording.samples[piece])
            let start = Double(piece.lowerBound) / Double(Self.samplesPerSecond)
            let end = min(Double(piece.upperBound) / Double(Self.samplesPerSecond), recording.duration)
            let segment = try transcribe(
                samples, index: index, start: start, end: end, options, &totals, isCancelled, emit)
            guard let segment else { continue }
            transcript.segments.append(segment)
            try emit(.segment(segment))
        }
        try emit(.finished(totals.summary(wasCancelled: isCancelled())))
        return transcript
    }

    /// Refuses options for what the vocabulary does not have.
    private func check(_ options: TranscriptionOptions) throws {
        if options.task == .translate { throw GenerationError.monolingual(asked: "translation") }
        if let language = options.language, language != "en" {
            throw GenerationError.monolingual(asked: "language \(language)")
        }
        let refused = [
            ("words", options.words, "word times come from Whisper's timestamps"),
            ("initial prompt", options.initialPrompt != nil, "its decoder takes no text before the recording"),
        ]
        for (name, isGiven, reason) in refused where isGiven {
            throw GenerationError.invalidOption(
                name: name, value: "given", allowed: "none with \(model.family): \(reason)")
        }
    }

    /// Figures of all pieces.
    private struct Totals {
        var tokens = 0
        var (encode, prefill, decode) = (0.0, 0.0, 0.0)
        var (prompt, prefilled) = (0, 0)
        var reason = FinishReason.endOfText

        mutating func add(_ summary: GenerationSummary) {
            tokens += summary.tokens
            encode += summary.encodeSeconds
            prefill += summary.prefillSeconds
            decode += summary.decodeSeconds
            prompt += summary.promptTokens
            prefilled += summary.prefilledTokens
            reason = summary.reason
        }

        func summary(wasCancelled: Bool) -> GenerationSummary {
            GenerationSummary(
                reason: wasCancelled ? .cancelled : reason, tokens: tokens, encodeSeconds: encode,
                prefillSeconds: prefill, decodeSeconds: decode, promptTokens: prompt, prefilledTokens: prefilled)
        }
    }

    /// Transcribes one piece; nil where nothing was said.
    private func transcribe(
        _ samples: [Float], index: Int, start: Double, end: Double, _ options: TranscriptionOptions,
        _ totals: inout Totals, _ isCancelled: @escaping () -> Bool,
        _ emit: @escaping (GenerationEvent) throws -> Void
    ) throws -> TranscriptSegment? {
        let features = logMel.whole(samples)
        try emit(
            .inputPrepared(
                .audio(
                    AudioWindow(
                        index: index, start: start, duration: end - start, mels: features.melCount,
                        frames: features.frameCount, logMel: features.values, language: "en"))))
        let clock = ContinuousClock()
        let began = clock.now
        try model.encode(samples: samples)
        let seconds = (clock.now - began).inSeconds
        try emit(.encoded(seconds: seconds))
        decoder.reset()
        var search = AnswerSearch(decoder: decoder, tokenizer: tokenizer, endTokens: model.endTokens)
        search.processors = processors
        search.encodeSeconds = seconds
        let temperature = options.temperatures.first ?? 0
        let first = totals.tokens
        var text = "", ids: [Int] = [], sum = 0.0, summary: GenerationSummary?
        try search.run(
            prompt: model.startTokens, options: textOptions(options, seconds: end - start, temperature: temperature),
            room: model.contextLength - model.startTokens.count + 1,
            prefilled: { [decoder] in decoder.prefilledTokens }, isCancelled: isCancelled
        ) { event in
            switch event {
            case .token(let token):
                text += token.text
                sum += Double(token.logProbability)
                if !token.isSpecial { ids.append(token.id) }
                try emit(.token(GeneratedToken(token, index: first + token.index, window: index)))
            case .finished(let figures): summary = figures
            default: try emit(event)
            }
        }
        if let summary { totals.add(summary) }
        let words = text.trimmingWhitespace()
        guard !words.isEmpty else { return nil }
        return TranscriptSegment(
            index: index, start: start, end: end, text: " " + words, tokens: ids, temperature: temperature,
            averageLogProbability: Float(sum / Double(max(ids.count, 1))),
            compressionRatio: CompressionRatio.of(words), noSpeechProbability: 0)
    }

    private func textOptions(_ options: TranscriptionOptions, seconds: Double, temperature: Float) -> TextOptions {
        var text = TextOptions()
        text.sampling.temperature = temperature
        text.sampling.seed = options.seed
        text.beams = temperature == 0 ? options.beamSize ?? 1 : 1
        text.alternatives = options.alternatives
        text.answerPrefix = options.answerPrefix
        text.maximumTokens =
            options.maximumTokensPerWindow ?? max(4, Int((seconds * Self.tokensPerSecond).rounded(.up)))
        return text
    }
}

/// Cuts of a long recording at its quietest moments.
enum QuietCuts {
    /// Samples over which loudness is measured: 0.1 s.
    private static let window = 1600
    /// Samples before the longest piece's end in which a cut is looked for: 5 s.
    private static let searched = 80_000

    /// Pieces of at most the limit, in order, without gaps. What is shorter than the lower limit joins the piece before, or is
    /// left out.
    /// - Parameter limits: samples that a piece may have.
    static func pieces(of samples: [Float], limits: ClosedRange<Int>) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = 0
        while samples.count - start > limits.upperBound {
            let end = start + limits.upperBound
            // Room for the last piece to be long enough.
            let latest = min(end, samples.count - limits.lowerBound)
            let earliest = max(start + limits.lowerBound, latest - searched)
            let cut = quietest(in: samples, from: earliest, to: latest)
            pieces.append(start..<cut)
            start = cut
        }
        if samples.count - start >= limits.lowerBound { pieces.append(start..<samples.count) }
        return pieces
    }

    /// The middle of the quietest window between two places.
    private static func quietest(in samples: [Float], from earliest: Int, to latest: Int) -> Int {
        guard latest - earliest > window else { return max(earliest, min(latest, samples.count)) }
        var best = latest, least = Float.infinity
        for start in stride(from: earliest, through: latest - window, by: window / 2) {
            let energy = samples[start..<start + window].reduce(Float(0)) { $0 + $1 * $1 }
            // Of equally quiet places the last one: longer pieces know more.
            if energy <= least { (best, least) = (start + window / 2, energy) }
        }
        return best
    }
}
