import Regex

/// A token that is matched in the text before the model's tokenization (tokenizer.json `added_tokens`).
struct AddedToken: Sendable {
    var id: Int
    var content: [UInt8]
    /// Matches only without a word character on either side.
    var singleWord = false
    /// The match includes the whitespace before it.
    var stripsLeft = false
    /// The match includes the whitespace after it.
    var stripsRight = false
    /// Matched in the normalized text instead of the original.
    var isNormalized = false
    /// Left out by decoding on request.
    var isSpecial = false
    /// False for a token that is never matched in texts.
    var isSearched = true
    /// The normalized content: the spelling that a normalized token is matched by and decodes to.
    fileprivate(set) var normalizedContent: [UInt8] = []
}

/// The added tokens of a tokenizer and the search for them.
struct AddedTokens: Sendable {
    private(set) var tokens: [AddedToken]
    private let indexOfID: [Int: Int]
    private let idOfContent: [[UInt8]: Int]
    /// Values are indices into `tokens`.
    private var plain = ByteTrie()
    private var normalized = ByteTrie()
    /// All matchable special tokens, by their original content.
    private var special = ByteTrie()

    /// A range of text, or an added token in its place.
    enum Segment {
        case text(Range<Int>)
        case token(Int)
    }

    init(_ tokens: [AddedToken], normalizer: (any Normalizer)?) {
        self.tokens = tokens
        var indexOfID: [Int: Int] = [:]
        var idOfContent: [[UInt8]: Int] = [:]
        for index in tokens.indices {
            var token = tokens[index]
            token.normalizedContent =
                token.isNormalized ? normalizer?.normalize(token.content) ?? token.content : token.content
            self.tokens[index] = token
            indexOfID[token.id] = index
            idOfContent[token.content] = token.id
            guard token.isSearched else { continue }
            if token.isSpecial { special.insert(token.content, value: Int32(index)) }
            if token.isNormalized {
                normalized.insert(token.normalizedContent, value: Int32(index))
            } else {
                plain.insert(token.content, value: Int32(index))
            }
        }
        self.indexOfID = indexOfID
        self.idOfContent = idOfContent
    }

    func token(_ id: Int) -> AddedToken? { indexOfID[id].map { tokens[$0] } }
    func id(_ content: [UInt8]) -> Int? { idOfContent[content] }

    /// Splits the original text at the tokens that are matched there.
    func splitPlain(_ text: [UInt8], parsesSpecial: Bool) -> [Segment] { split(text, plain, parsesSpecial) }
    /// Splits normalized text at the tokens that are matched there.
    func splitNormalized(_ text: [UInt8], parsesSpecial: Bool) -> [Segment] { split(text, normalized, parsesSpecial) }

    /// Splits text at the special tokens that lie inside one of `ranges`, which are in ascending order.
    func splitSpecial(_ text: [UInt8], within ranges: [Range<Int>]) -> [Segment] {
        split(text, special, true) { match in
            // The last range that begins at or before the match.
            var (low, high) = (0, ranges.count)
            while low < high {
                let middle = (low + high) / 2
                if ranges[middle].lowerBound <= match.lowerBound { low = middle + 1 } else { high = middle }
            }
            return low > 0 && ranges[low - 1].upperBound >= match.upperBound
        }
    }

    /// Finds the leftmost match, the longest of several.
    private func split(
        _ text: [UInt8], _ trie: ByteTrie, _ parsesSpecial: Bool, isAllowed: (Range<Int>) -> Bool = { _ in true }
    ) -> [Segment] {
        guard !text.isEmpty else { return [] }
        guard !trie.isEmpty else { return [.text(0..<text.count)] }
        return text.withUnsafeBufferPointer { buffer in
            var segments: [Segment] = []
            var textStart = 0
            var position = 0
            while position < buffer.count {
                guard let match = trie.longest(in: buffer, at: position) else {
                    position += 1
                    continue
                }
                let token = tokens[Int(match.value)]
                var start = position
                var end = match.end
                position = match.end
                if token.isSpecial, !parsesSpecial { continue }
                // The search continues one byte later: another match may begin inside this one.
                if !isAllowed(start..<end) {
                    position = start + 1
                    continue
                }
                if token.singleWord {
                    let wordBefore = start > 0 && CharacterClass.isWord(UTF8Text.scalar(buffer, before: start).value)
                    let wordAfter = end < buffer.count && CharacterClass.isWord(UTF8Text.scalar(buffer, at: end).value)
                    if wordBefore || wordAfter { continue }
                }
                if token.stripsLeft {
                    while start > textStart {
                        let (scalar, length) = UTF8Text.scalar(buffer, before: start)
                        guard CharacterClass.isWhitespace(scalar) else { break }
                        start -= length
                    }
                }
                if token.stripsRight {
                    while end < buffer.count {
                        let (scalar, length) = UTF8Text.scalar(buffer, at: end)
                        guard CharacterClass.isWhitespace(scalar) else { break }
                        end += length
                    }
                }
                if textStart < start { segments.append(.text(textStart..<start)) }
                segments.append(.token(token.id))
                textStart = end
            }
            if textStart < buffer.count { segments.append(.text(textStart..<buffer.count)) }
            return segments
        }
    }
}
