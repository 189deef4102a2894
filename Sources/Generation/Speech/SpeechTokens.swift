import Tokenization

/// Whisper's tokenizer, as transcription sees it.
public struct SpeechTokens: SpeechTokenizer {
    public let tokenizer: Tokenizer
    private let special: WhisperTokens

    /// - Throws: `TokenizationError` when the tokenizer lacks Whisper's special tokens.
    public init(_ tokenizer: Tokenizer) throws {
        self.tokenizer = tokenizer
        special = try WhisperTokens(tokenizer)
    }

    public func encode(_ text: String) throws -> [Int] { tokenizer.encode(text, addSpecialTokens: false) }
    public func bytes(of token: Int) -> [UInt8] { special.isText(token) ? tokenizer.bytes(of: token) ?? [] : [] }

    public func piece(_ token: Int) -> String {
        if let seconds = special.seconds(token) {
            let hundredths = Int((seconds * 100).rounded())
            let fraction = hundredths % 100
            return "<|\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)|>"
        }
        return tokenizer.piece(token) ?? "<\(token)>"
    }

    public var endOfText: Int { special.endOfText }
    public var startOfTranscript: Int { special.startOfTranscript }
    public var transcribe: Int? { special.transcribe }
    public var translate: Int? { special.translate }
    public var startOfLM: Int? { special.startOfLM }
    public var startOfPrevious: Int? { special.startOfPrevious }
    public var noSpeech: Int? { special.noSpeech }
    public var noTimestamps: Int? { special.noTimestamps }
    public var timestampBegin: Int { special.firstTimestamp }
    public var languages: [(code: String, token: Int)] { special.languages.compactMap { code in special.languageID(code).map { (code, $0) } } }
    public var isMultilingual: Bool { !special.isEnglishOnly }
}
