/// Words out of Whisper tokens, for word timestamps: the published model's splitting, punctuation not yet merged.
extension WhisperTokens {
    /// A word with the tokens that spell it.
    package struct Word: Sendable, Equatable {
        package var text: String
        package var tokens: [Int]

        package init(text: String, tokens: [Int]) {
            self.text = text
            self.tokens = tokens
        }
    }

    /// Languages written without spaces between words: split after every whole character instead.
    package static let languagesWithoutSpaces: Set<String> = ["zh", "ja", "th", "lo", "my", "yue"]

    /// Splits at spaces, or at characters for a language written without them.
    package func words(_ ids: [Int], language: String?) -> [Word] {
        if let language, Self.languagesWithoutSpaces.contains(language.lowercased()) { return wordsByCharacter(ids) }
        return wordsBySpace(ids)
    }

    /// The shortest runs of tokens that spell whole characters. A run may hold a U+FFFD only where the whole text has one.
    package func wordsByCharacter(_ ids: [Int]) -> [Word] {
        let whole = Array(decodeWithTimestamps(ids).unicodeScalars)
        let replacement: Unicode.Scalar = "\u{FFFD}"
        var words: [Word] = []
        var run: [Int] = []
        var offset = 0
        for id in ids {
            run.append(id)
            let text = decodeWithTimestamps(run)
            let scalars = Array(text.unicodeScalars)
            if let place = scalars.firstIndex(of: replacement) {
                let there = offset + place
                guard there < whole.count, whole[there] == replacement else { continue }
            }
            words.append(Word(text: text, tokens: run))
            run = []
            offset += scalars.count
        }
        return words
    }

    /// Runs of whole characters joined until a space, a punctuation mark or a special token begins the next word.
    package func wordsBySpace(_ ids: [Int]) -> [Word] {
        var words: [Word] = []
        for part in wordsByCharacter(ids) {
            let isSpecial = (part.tokens.first ?? 0) >= endOfText
            let startsWord = part.text.unicodeScalars.first == " "
            if words.isEmpty || isSpecial || startsWord || Self.isPunctuation(part.text) {
                words.append(part)
            } else {
                words[words.count - 1].text += part.text
                words[words.count - 1].tokens += part.tokens
            }
        }
        return words
    }

    private static let punctuation = Array(##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##.utf8)

    /// Whether the text without outer whitespace is a stretch of the ASCII punctuation in its order, or nothing
    /// (the published code asks `text.strip() in string.punctuation`).
    private static func isPunctuation(_ text: String) -> Bool {
        // Python's `strip` also takes the four separators U+001C…U+001F.
        func isSpace(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
        }
        var scalars = text.unicodeScalars.drop(while: isSpace)
        while let last = scalars.last, isSpace(last) { scalars.removeLast() }
        let needle = Array(String(scalars).utf8)
        guard needle.count <= punctuation.count else { return false }
        return (0...punctuation.count - needle.count).contains { punctuation[$0...].starts(with: needle) }
    }
}
