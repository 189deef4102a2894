/// Task of a speech model.
package enum SpeechTask: String, Sendable, Hashable, Codable, CaseIterable {
    /// The words in the language they were spoken in.
    case transcribe
    /// In English.
    case translate
}

/// Padding of a window that the recording does not fill.
package enum WindowPadding: String, Sendable, Hashable, Codable {
    /// The rest of a short window is 0 in log-mel space, as in the published `transcribe`.
    case zeros
    /// The rest is what the recording's log-mel holds behind the sound (computed from zero samples), as the feature
    /// extractors of `detect_language` and transformers do; its lowest value where the array ends.
    case silence
}

/// Options of transcription; the defaults are the published ones.
package struct TranscriptionOptions: Sendable, Hashable, Codable {
    package var task = SpeechTask.transcribe
    /// A code such as "en"; nil detects it from the first window.
    package var language: String?
    package var timestamps = true
    /// Times of words; costs one more decoder pass for each window.
    package var words = false
    /// Text before the first window, to set names, spelling and style.
    package var initialPrompt: String?
    /// Put the initial prompt before every window.
    package var carriesInitialPrompt = false
    /// Show the model the text of the windows before.
    package var conditionsOnPreviousText = true

    /// Tried in turn until a window's text passes the thresholds.
    package var temperatures: [Float] = [0, 0.2, 0.4, 0.6, 0.8, 1]
    /// Samples above temperature 0, of which the likeliest is taken.
    package var bestOf = 1
    /// Beam search at temperature 0; nil is greedy.
    package var beamSize: Int?
    package var patience = 1.0
    /// nil ranks by mean log-probability; 0…1 is the exponent of the longer penalty.
    package var lengthPenalty: Double?
    package var seed: UInt64?

    /// Text that compresses better than this repeats itself: try the next temperature. nil turns the test off, here and below.
    package var compressionRatioThreshold: Float? = 2.4
    /// A mean log-probability below this has failed too.
    package var logProbabilityThreshold: Float? = -1
    /// A window is silent when `<|nospeech|>` is likelier than this and the text is below the log-probability threshold.
    package var noSpeechThreshold: Float? = 0.6
    /// With words: silences longer than this (seconds) around doubtful words are skipped.
    package var hallucinationSilenceThreshold: Double?

    /// nil is the published list of non-speech tokens; special tokens are always suppressed.
    package var suppressedTokens: [Int]?
    /// Tokens that may not come first besides the end; nil is the blank.
    package var beginSuppressedTokens: [Int]?
    /// The latest first timestamp, seconds.
    package var maximumInitialTimestamp: Double? = 1
    /// Tokens for a window at most; nil is half of the model's room.
    package var maximumTokensPerWindow: Int?
    package var padding = WindowPadding.zeros
    /// Tokens that the first window's text starts with, as if the model had generated them; they are not emitted. Only for
    /// recordings of one window.
    package var answerPrefix: [Int] = []
    /// Alternatives kept for each token.
    package var alternatives = 5

    package init() {}

    /// - Throws: ``GenerationError/invalidOption(name:value:allowed:)``.
    package func validate(maximumHypotheses: Int) throws {
        func check(_ holds: Bool, _ name: String, _ value: some Any, _ allowed: String) throws {
            if !holds { throw GenerationError.invalidOption(name: name, value: "\(value)", allowed: allowed) }
        }
        try check(
            !temperatures.isEmpty && temperatures.allSatisfy { $0 >= 0 && $0.isFinite }, "temperatures", temperatures,
            "at least one, each 0 or more")
        try check(
            (1...maximumHypotheses).contains(bestOf), "best of", bestOf, "1 to \(maximumHypotheses) with this model")
        try check(
            beamSize.map { (1...maximumHypotheses).contains($0) } ?? true, "beam size", beamSize ?? 0,
            "1 to \(maximumHypotheses) with this model")
        try check(patience > 0 && patience.isFinite, "patience", patience, "above 0")
        try check(lengthPenalty.map { (0...1).contains($0) } ?? true, "length penalty", lengthPenalty ?? 0, "0 to 1")
        try check(
            maximumInitialTimestamp.map { $0 >= 0 && $0 <= 30 } ?? true, "maximum initial timestamp",
            maximumInitialTimestamp ?? 0, "0 to 30 s")
        try check(
            maximumTokensPerWindow.map { $0 > 0 } ?? true, "tokens per window", maximumTokensPerWindow ?? 0, "1 or more"
        )
        try check(alternatives >= 0, "alternatives", alternatives, "0 or more")
    }
}
