import Generation

/// A tokenizer as transcription uses it: text as bytes, and Whisper's special tokens by id.
package protocol SpeechTokenizer {
    /// Ids of plain text; nothing in it is read as a special token.
    func encode(_ text: String) throws -> [Int]
    /// The bytes a text token stands for, possibly a part of a character; empty for special tokens and unknown ids.
    func bytes(of token: Int) -> [UInt8]
    /// The token as the vocabulary spells it.
    func piece(_ token: Int) -> String
    /// `<|endoftext|>`: all text tokens have smaller ids, all special ones this or greater.
    var endOfText: Int { get }
    var startOfTranscript: Int { get }
    var transcribe: Int? { get }
    var translate: Int? { get }
    var startOfLM: Int? { get }
    var startOfPrevious: Int? { get }
    var noSpeech: Int? { get }
    var noTimestamps: Int? { get }
    /// `<|0.00|>`; later times follow in steps of 20 ms to the end of the vocabulary.
    var timestampBegin: Int { get }
    /// Codes such as "en" and their tokens.
    var languages: [(code: String, token: Int)] { get }
    /// English-only models are prompted without language and task.
    var isMultilingual: Bool { get }
}

extension SpeechTokenizer {
    /// The decoder's first tokens: start of transcript, and for multilingual models language and task.
    /// - Throws: ``GenerationError/unknownLanguage(_:known:)``; ``GenerationError/missingToken(_:)``.
    package func startSequence(language: String?, task: SpeechTask) throws -> [Int] {
        guard isMultilingual else { return [startOfTranscript] }
        guard let code = language, let entry = languages.first(where: { $0.code == code }) else {
            throw GenerationError.unknownLanguage(language ?? "?", known: languages.map(\.code))
        }
        let word = task == .transcribe ? transcribe : translate
        return [startOfTranscript, entry.token, try required(word, "<|\(task.rawValue)|>")]
    }

    /// The token that turns timestamps off.
    package func requiredNoTimestamps() throws -> Int { try required(noTimestamps, "<|notimestamps|>") }

    /// - Throws: ``GenerationError/missingToken(_:)`` for an absent token.
    func required(_ token: Int?, _ piece: String) throws -> Int {
        guard let token else { throw GenerationError.missingToken(piece) }
        return token
    }

    /// The text of text tokens, special ones left out; incomplete characters become U+FFFD.
    package func text(_ tokens: some Sequence<Int>) -> String {
        String(decoding: tokens.filter { $0 < endOfText }.flatMap(bytes(of:)), as: UTF8.self)
    }

    /// The symbols and annotations that the published Whisper never writes: speaker tags, notes, brackets, and a hyphen or
    /// quote at a word's beginning.
    package func nonSpeechTokens() throws -> [Int] {
        let marks = "\"#()*+/:;<=>@[\\]^_`{|}~「」『』".map(String.init)
        let runs = [
            "<<", ">>", "<<<", ">>>", "--", "---", "-(", "-[", "('", "(\"", "((", "))", "(((", ")))", "[[", "]]", "{{",
            "}}", "♪♪", "♪♪♪",
        ]
        // The signs for notes take several tokens and share the first, which no spoken text has.
        let notes = ["♩", "♪", "♫", "♬", "♭", "♮", "♯"]
        var found = Set(try [" -", " '"].compactMap { try encode($0).first })
        for symbol in marks + runs + notes {
            for form in [symbol, " " + symbol] {
                let ids = try encode(form)
                if let first = ids.first, ids.count == 1 || notes.contains(symbol) { found.insert(first) }
            }
        }
        return found.sorted()
    }
}
