/// Splits a text's tokens into words, as the published Whisper does: at spaces and punctuation, or at every character in
/// languages written without spaces.
struct WordSplitter {
    let tokenizer: any SpeechTokenizer
    let language: String?

    private static let spaceless: Set<String> = ["zh", "ja", "th", "lo", "my", "yue"]
    private static let punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

    func words(_ tokens: [Int]) -> [WordTokens] {
        let pieces = characters(tokens)
        if let language, WordSplitter.spaceless.contains(language) { return pieces }
        var words: [WordTokens] = []
        for piece in pieces {
            let isSpecial = piece.tokens.first.map { $0 >= tokenizer.endOfText } ?? false
            let isPunctuation = WordTiming.isPart(piece.text.trimmingWhitespace(), of: WordSplitter.punctuation)
            if isSpecial || piece.text.unicodeScalars.first == " " || isPunctuation || words.isEmpty {
                words.append(piece)
            } else {
                let last = words.removeLast()
                words.append(WordTokens(text: last.text + piece.text, tokens: last.tokens + piece.tokens))
            }
        }
        return words
    }

    /// The shortest runs of tokens that decode to whole characters. A replacement character that is in the text itself
    /// counts as whole.
    private func characters(_ tokens: [Int]) -> [WordTokens] {
        let whole = Array(decoded(tokens).unicodeScalars)
        var runs: [WordTokens] = []
        var current: [Int] = []
        var offset = 0
        for token in tokens {
            current.append(token)
            let text = decoded(current)
            let scalars = Array(text.unicodeScalars)
            let broken = scalars.firstIndex(of: "\u{fffd}")
            if broken.map({ offset + $0 < whole.count && whole[offset + $0] == "\u{fffd}" }) ?? true {
                runs.append(WordTokens(text: text, tokens: current))
                current = []
                offset += scalars.count
            }
        }
        // Bytes that never became a character still belong to the text's last word.
        if !current.isEmpty { runs.append(WordTokens(text: decoded(current), tokens: current)) }
        return runs
    }

    private func decoded(_ tokens: [Int]) -> String {
        String(
            decoding: tokens.flatMap {
                $0 < tokenizer.endOfText ? tokenizer.bytes(of: $0) : Array(tokenizer.piece($0).utf8)
            }, as: UTF8.self)
    }
}
