import Foundation

/// The vocabulary of a Whisper model without merges and special tokens, as in files of whisper.cpp.
///
/// Adjacent tokens merge if their joined bytes are a token, the lowest id first: the rule of OpenAI's tiktoken. The special
/// tokens follow the text tokens in a fixed order.
package struct WhisperVocabulary: Sendable {
    /// The bytes of each text token, by id.
    private let tokens: [[UInt8]]
    /// All ids of the model, special tokens and timestamps included.
    private let count: Int

    private static let languages = [
        "en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "ca", "nl", "ar", "sv", "it", "id", "hi",
        "fi", "vi", "he", "uk", "el", "ms", "cs", "ro", "da", "hu", "ta", "no", "th", "ur", "hr", "bg", "lt", "la",
        "mi", "ml", "cy", "sk", "te", "fa", "lv", "bn", "sr", "az", "sl", "kn", "et", "mk", "br", "eu", "is", "hy",
        "ne", "mn", "bs", "kk", "sq", "sw", "gl", "mr", "pa", "si", "km", "sn", "yo", "so", "af", "oc", "ka", "be",
        "tg", "sd", "gu", "am", "yi", "lo", "uz", "fo", "ht", "ps", "tk", "nn", "mt", "sa", "lb", "my", "bo", "tl",
        "mg", "as", "tt", "haw", "ln", "ha", "ba", "jw", "su", "yue",
    ]
    private static let start = ["endoftext", "startoftranscript"]
    private static let tasks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    /// From 0 to 30 s in steps of 20 ms.
    private static let timestampCount = 1501

    package init(tokens: [[UInt8]], count: Int) {
        self.tokens = tokens
        self.count = count
    }

    /// Reads a vocabulary of OpenAI's tiktoken: a line for each token, with its bytes in base 64 and its id.
    ///
    /// - Throws: `TokenizationError` for a file that cannot be read, or whose ids are not those from 0 on.
    package init(tiktoken file: URL, count: Int) throws {
        var tokens: [[UInt8]] = []
        for (index, line) in try TokenizerFormat.read(file).split(separator: UInt8(ascii: "\n")).enumerated() {
            let fields = String(decoding: line, as: UTF8.self).split { $0.isWhitespace }
            guard fields.count == 2, let bytes = Data(base64Encoded: String(fields[0])), Int(fields[1]) == index else {
                throw TokenizationError.field(
                    file: file.path, field: "line \(index + 1)", expected: "bytes in base 64 and the id \(index)",
                    actual: fields.count == 2 ? "other fields" : "\(fields.count) fields")
            }
            tokens.append(Array(bytes))
        }
        self.init(tokens: tokens, count: count)
    }

    /// The names of the special tokens, in the order of their ids.
    ///
    /// - Throws: `TokenizationError.field` if the model has another number of them.
    fileprivate func specialNames(file: String) throws -> [String] {
        let others = tokens.count + Self.start.count + Self.tasks.count + Self.timestampCount
        let languages = count - others
        guard (1...Self.languages.count).contains(languages) else {
            throw TokenizationError.field(
                file: file, field: "the vocabulary", expected: "\(others + 1) to \(others + Self.languages.count) ids",
                actual: "\(count)")
        }
        return Self.start + Self.languages.prefix(languages) + Self.tasks
    }

    fileprivate static func timestamp(_ index: Int) -> String {
        let hundredths = 2 * index
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    fileprivate func addedTokens(file: String) throws -> [AddedToken] {
        let special = try specialNames(file: file)
        let names = special + (0..<Self.timestampCount).map(Self.timestamp)
        return names.enumerated().map { index, name in
            AddedToken(
                id: tokens.count + index, content: Array("<|\(name)|>".utf8), isSpecial: index < special.count)
        }
    }

    fileprivate var model: BytePairEncoding {
        let spellings = tokens.map(ByteAlphabet.spelling)
        let vocabulary = Vocabulary(spellings.enumerated().map { ($1, $0) })
        var merges = PairTable(minimumCapacity: tokens.count)
        for (rank, spelling) in spellings.enumerated() {
            for cut in spelling.indices.dropFirst() {
                guard let left = vocabulary.id(Array(spelling[..<cut])),
                    let right = vocabulary.id(Array(spelling[cut...]))
                else { continue }
                merges.set(PairTable.key(left, right), .init(first: Int32(rank), second: Int32(rank)))
            }
        }
        return BytePairEncoding(vocabulary: vocabulary, merges: merges)
    }
}

extension Tokenizer {
    /// Makes a Whisper tokenizer from a vocabulary.
    /// - Parameter file: The file's name, for error messages.
    /// - Throws: `TokenizationError`.
    package convenience init(_ vocabulary: WhisperVocabulary, file: String) throws {
        let added = try vocabulary.addedTokens(file: file)
        func ids(_ names: String...) -> [Int] {
            names.flatMap { name in added.filter { $0.content == Array("<|\(name)|>".utf8) }.map(\.id) }
        }
        self.init(
            preTokenizer: try ByteLevelPreTokenizer(), model: vocabulary.model,
            postProcessor: SurroundingPostProcessor(
                before: ids("startoftranscript", "notimestamps"), after: ids("endoftext")),
            decoder: [ByteLevelStage()], addedTokens: added)
    }
}
