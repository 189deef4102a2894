import Foundation

/// The special tokens of a Whisper vocabulary (Radford et al. 2022), found by their spelling in the tokenizer itself.
///
/// English-only and multilingual vocabularies number them differently, large-v3 has one language more, and published
/// files may leave the 1501 timestamps out although the model has them: they then follow `<|notimestamps|>`.
package struct WhisperTokens: Sendable {
    package let tokenizer: Tokenizer
    package let endOfText: Int
    package let startOfTranscript: Int
    package let transcribe: Int
    package let translate: Int
    package let startOfLM: Int
    package let startOfPrevious: Int
    /// `<|nospeech|>`, in older files `<|nocaptions|>`.
    package let noSpeech: Int
    package let noTimestamps: Int
    /// The id of `<|0.00|>`.
    package let firstTimestamp: Int
    /// Language codes in vocabulary order, as in `en`, `zh`, … `yue`.
    package let languages: [String]
    private let languageIDs: [String: Int]
    private let languageCodes: [Int: String]

    /// Timestamps go from 0 to 30 s.
    package static let timestampCount = 1501
    /// Seconds from one timestamp to the next.
    package static let timestampStep = 0.02

    /// - Throws: `TokenizationError.missingToken` when the vocabulary is not Whisper's.
    package init(_ tokenizer: Tokenizer) throws {
        func id(_ pieces: String...) throws -> Int {
            for piece in pieces { if let id = tokenizer.id(of: piece) { return id } }
            throw TokenizationError.missingToken(
                file: "the tokenizer", field: "Whisper's special tokens", token: pieces[0])
        }
        self.tokenizer = tokenizer
        endOfText = try id("<|endoftext|>")
        startOfTranscript = try id("<|startoftranscript|>")
        transcribe = try id("<|transcribe|>")
        translate = try id("<|translate|>")
        startOfLM = try id("<|startoflm|>")
        startOfPrevious = try id("<|startofprev|>")
        noSpeech = try id("<|nospeech|>", "<|nocaptions|>")
        noTimestamps = try id("<|notimestamps|>")
        firstTimestamp = tokenizer.id(of: "<|0.00|>") ?? noTimestamps + 1

        // Languages fill the ids between the start of the transcript and the first task token.
        var languages: [String] = []
        var ids: [String: Int] = [:]
        var codes: [Int: String] = [:]
        let end = min(transcribe, translate)
        if startOfTranscript < end {
            for id in startOfTranscript + 1..<end {
                guard let piece = tokenizer.piece(id), piece.hasPrefix("<|"), piece.hasSuffix("|>") else { continue }
                let code = String(piece.dropFirst(2).dropLast(2))
                languages.append(code)
                ids[code] = id
                codes[id] = code
            }
        }
        guard !languages.isEmpty else {
            throw TokenizationError.missingToken(
                file: "the tokenizer", field: "Whisper's special tokens", token: "<|en|>")
        }
        self.languages = languages
        languageIDs = ids
        languageCodes = codes
    }

    /// Whether the model was trained on English alone. Those vocabularies keep GPT-2's own end of text, 50256; the language
    /// and task tokens they also list were never trained and are left out of the prompt.
    package var isEnglishOnly: Bool { endOfText == 50256 }

    package func languageID(_ code: String) -> Int? { languageIDs[code.lowercased()] }
    package func language(_ id: Int) -> String? { languageCodes[id] }
    package var languageTokenIDs: [Int] { languages.compactMap { languageIDs[$0] } }

    // MARK: Timestamps

    package func isTimestamp(_ id: Int) -> Bool { id >= firstTimestamp && id < firstTimestamp + Self.timestampCount }

    /// Seconds since the start of the 30 s window.
    package func seconds(_ id: Int) -> Double? { isTimestamp(id) ? Double(id - firstTimestamp) / 50 : nil }

    /// The timestamp nearest to so many seconds, within 0…30.
    package func timestamp(_ seconds: Double) -> Int {
        guard seconds.isFinite else { return firstTimestamp }
        return firstTimestamp + Int((min(max(seconds, 0), 30) * 50).rounded())
    }

    // MARK: Prompt

    package enum Task: String, Sendable { case transcribe, translate }

    /// What decoding starts with: start of transcript, and for multilingual models language and task.
    package func startSequence(language: String? = nil, task: Task = .transcribe, withTimestamps: Bool) -> [Int] {
        var ids = [startOfTranscript]
        if !isEnglishOnly {
            if let id = language.flatMap(languageID) { ids.append(id) }
            ids.append(task == .transcribe ? transcribe : translate)
        }
        if !withTimestamps { ids.append(noTimestamps) }
        return ids
    }

    /// Ordinary text tokens end where the special ones begin.
    package func isText(_ id: Int) -> Bool { id < endOfText }

    /// The text of ids; timestamps are spelt as in `<|1.08|>`, other special tokens as in the vocabulary.
    package func decodeWithTimestamps(_ ids: some Sequence<Int>) -> String {
        var text = ""
        var run: [Int] = []
        for id in ids {
            if let seconds = seconds(id) {
                text += tokenizer.decode(run, skipSpecialTokens: false)
                run = []
                text += "<|\(String(format: "%.2f", seconds))|>"
            } else {
                run.append(id)
            }
        }
        return text + tokenizer.decode(run, skipSpecialTokens: false)
    }

    /// The text alone: special tokens and timestamps left out.
    package func decodeText(_ ids: some Sequence<Int>) -> String {
        tokenizer.decode(ids.filter(isText), skipSpecialTokens: true)
    }
}
