import Tokenization

/// Whisper's tokenizer, as transcription sees it.
package struct SpeechTokens: SpeechTokenizer {
    package let tokenizer: Tokenizer
    private let special: WhisperTokens

    /// - Throws: `TokenizationError` when the tokenizer lacks Whisper's special tokens.
    package init(_ tokenizer: Tokenizer) throws {
        self.tokenizer = tokenizer
        special = try WhisperTokens(tokenizer)
    }

    package func encode(_ text: String) throws -> [Int] { tokenizer.encode(text, addSpecialTokens: false) }
    package func bytes(of token: Int) -> [UInt8] { special.isText(token) ? tokenizer.bytes(of: token) ?? [] : [] }

    package func piece(_ token: Int) -> String {
        if let seconds = special.seconds(token) {
            let hundredths = Int((seconds * 100).rounded())
            let fraction = hundredths % 100
            return "<|\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)|>"
        }
        return tokenizer.piece(token) ?? "<\(token)>"
    }

    package var endOfText: Int { special.endOfText }
    package var startOfTranscript: Int { special.startOfTranscript }
    package var transcribe: Int? { special.transcribe }
    package var translate: Int? { special.translate }
    package var startOfLM: Int? { special.startOfLM }
    package var startOfPrevious: Int? { special.startOfPrevious }
    package var noSpeech: Int? { special.noSpeech }
    package var noTimestamps: Int? { special.noTimestamps }
    package var timestampBegin: Int { special.firstTimestamp }
    package var languages: [(code: String, token: Int)] {
        special.languages.compactMap { code in special.languageID(code).map { (code, $0) } }
    }
    package var isMultilingual: Bool { !special.isEnglishOnly }
}
