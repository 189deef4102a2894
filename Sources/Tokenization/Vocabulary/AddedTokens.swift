import Regex

/// A token that is found in the text before the model sees it (tokenizer.json `added_tokens`).
struct AddedToken: Sendable {
    var id: Int
    var content: [UInt8]
    /// Only where no word character stands beside it.
    var singleWord = false
    /// Takes the whitespace before it along.
    var stripsLeft = false
    /// Takes the whitespace after it along.
    var stripsRight = false
    /// Is looked for in the normalized text rather than in the text as given.
    var isNormalized = false
    /// Can be left out when decoding.
    var isSpecial = false
    /// Whether it is looked for in texts at all.
    var isSearched = true
    /// The content as the normalizer leaves it, which is what a normalized token is looked for by and decodes to.
    fileprivate(set) var normalizedContent: [UInt8] = []
}

/// All added tokens of a tokenizer, and the search for them.
struct AddedTokens: Sendable {
    private(set) var tokens: [AddedToken]
    private let indexOfID: [Int: Int]
    private let idOfContent: [[UInt8]: Int]
    /// Values are indices into `tokens`.
    private var plain = ByteTrie()
    private var normalized = ByteTrie()
    /// All special tokens that are looked for, by their content as given.
    private var special = ByteTrie()

    /// A stretch of text, or an added token in its place.
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

    /// Cuts text at the tokens that are looked for in the text as given.
    func splitPlain(_ text: [UInt8], parsesSpecial: Bool) -> [Segment] { split(text, plain, parsesSpecial) }
    /// Cuts normalized text at the tokens that are looked for there.
    func splitNormalized(_ text: [UInt8], parsesSpecial: Bool) -> [Segment] { split(text, normalized, parsesSpecial) }

    /// Cuts text at the special tokens that lie within one of `ranges`, which ascend.
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

    /// Leftmost, longest.
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
                // One byte on, not behind it: what is meant may begin within what is not.
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
