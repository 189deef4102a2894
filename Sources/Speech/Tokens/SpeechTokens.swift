import Tokenization

/// A Whisper tokenizer with its special tokens, found by their spelling (Radford et al. 2022).
///
/// English-only and multilingual vocabularies number them differently, large-v3 has one language more, and published
/// files may leave the 1501 timestamps out although the model has them: they then follow `<|notimestamps|>`.
package struct SpeechTokens: SpeechTokenizer {
    package let tokenizer: Tokenizer
    package let endOfText: Int
    package let startOfTranscript: Int
    package let transcribe: Int?
    package let translate: Int?
    package let startOfLM: Int?
    package let startOfPrevious: Int?
    /// `<|nospeech|>`, in older files `<|nocaptions|>`.
    package let noSpeech: Int?
    package let noTimestamps: Int?
    /// The id of `<|0.00|>`.
    package let timestampBegin: Int
    /// Language codes in vocabulary order: `en`, `zh`, … `yue`.
    package let languages: [(code: String, token: Int)]

    /// Timestamps of a window: 0 to 30 s in steps of 20 ms.
    static let timestampCount = 1501

    /// - Throws: `TokenizationError.missingToken` when the vocabulary is not Whisper's.
    package init(_ tokenizer: Tokenizer) throws {
        func missing(_ piece: String) -> TokenizationError {
            .missingToken(file: "the tokenizer", field: "Whisper's special tokens", token: piece)
        }
        func id(_ pieces: String...) throws -> Int {
            for piece in pieces { if let id = tokenizer.id(of: piece) { return id } }
            throw missing(pieces[0])
        }
        self.tokenizer = tokenizer
        endOfText = try id("<|endoftext|>")
        startOfTranscript = try id("<|startoftranscript|>")
        let tasks = (transcribe: try id("<|transcribe|>"), translate: try id("<|translate|>"))
        (transcribe, translate) = tasks
        startOfLM = try id("<|startoflm|>")
        startOfPrevious = try id("<|startofprev|>")
        noSpeech = try id("<|nospeech|>", "<|nocaptions|>")
        let none = try id("<|notimestamps|>")
        noTimestamps = none
        timestampBegin = tokenizer.id(of: "<|0.00|>") ?? none + 1

        // Languages fill the ids between the start of the transcript and the first task token.
        let first = startOfTranscript + 1
        languages = (first..<max(first, min(tasks.transcribe, tasks.translate))).compactMap { id in
            guard let piece = tokenizer.piece(id), piece.hasPrefix("<|"), piece.hasSuffix("|>") else { return nil }
            return (String(piece.dropFirst(2).dropLast(2)), id)
        }
        guard !languages.isEmpty else { throw missing("<|en|>") }
    }

    /// English-only vocabularies keep GPT-2's end of text, 50256; the language and task tokens they also list were never
    /// trained and are left out of the prompt.
    package var isMultilingual: Bool { endOfText != 50256 }

    package func encode(_ text: String) throws -> [Int] { tokenizer.encode(text, addSpecialTokens: false) }
    package func bytes(of token: Int) -> [UInt8] { token < endOfText ? tokenizer.bytes(of: token) ?? [] : [] }

    package func piece(_ token: Int) -> String {
        guard (0..<Self.timestampCount).contains(token - timestampBegin) else {
            return tokenizer.piece(token) ?? "<\(token)>"
        }
        let hundredths = 2 * (token - timestampBegin), fraction = hundredths % 100
        return "<|\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)|>"
    }
}
