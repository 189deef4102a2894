import Regex

/// The treatment of the matches of a split pattern.
enum SplitBehavior: String, Sendable, CaseIterable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"

    /// Emits the pieces into which `matches` (in order, not overlapping) divide a text.
    func cut(_ count: Int, matches: [Range<Int>], inverted: Bool = false, emit: (Range<Int>) -> Void) {
        switch self {
        case .removed:
            Self.forEachPiece(count, matches, inverted) { range, isMatch in if !isMatch { emit(range) } }
        case .isolated:
            Self.forEachPiece(count, matches, inverted) { range, _ in emit(range) }
        case .mergedWithPrevious:
            var pending: Range<Int>?
            var previousWasMatch = false
            Self.forEachPiece(count, matches, inverted) { range, isMatch in
                if isMatch, !previousWasMatch, let open = pending {
                    pending = open.lowerBound..<range.upperBound
                } else {
                    if let open = pending { emit(open) }
                    pending = range
                }
                previousWasMatch = isMatch
            }
            if let open = pending { emit(open) }
        case .mergedWithNext:
            var delimiter: Range<Int>?
            Self.forEachPiece(count, matches, inverted) { range, isMatch in
                if isMatch {
                    if let open = delimiter { emit(open) }
                    delimiter = range
                } else {
                    emit((delimiter ?? range).lowerBound..<range.upperBound)
                    delimiter = nil
                }
            }
            if let open = delimiter { emit(open) }
        case .contiguous:
            var pending: Range<Int>?
            var previousWasMatch = false
            Self.forEachPiece(count, matches, inverted) { range, isMatch in
                if let open = pending, isMatch == previousWasMatch {
                    pending = open.lowerBound..<range.upperBound
                } else {
                    if let open = pending { emit(open) }
                    pending = range
                }
                previousWasMatch = isMatch
            }
            if let open = pending { emit(open) }
        }
    }

    /// Matches and the gaps between them, in order.
    private static func forEachPiece(
        _ count: Int, _ matches: [Range<Int>], _ inverted: Bool, _ body: (Range<Int>, Bool) -> Void
    ) {
        var position = 0
        for match in matches {
            if match.lowerBound > position { body(position..<match.lowerBound, inverted) }
            body(match, !inverted)
            position = match.upperBound
        }
        if position < count { body(position..<count, inverted) }
    }
}

/// The pattern of a split: a literal string or a regular expression.
enum SplitPattern: Sendable {
    case literal([UInt8])
    case regex(Pattern)

    func matches(in text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
        switch self {
        case .regex(let pattern): return pattern.matches(in: text)
        case .literal(let needle):
            guard !needle.isEmpty, text.count >= needle.count else { return [] }
            var result: [Range<Int>] = []
            var position = 0
            while position + needle.count <= text.count {
                if text[position] == needle[0], text[position..<position + needle.count].elementsEqual(needle) {
                    result.append(position..<position + needle.count)
                    position += needle.count
                } else {
                    position += 1
                }
            }
            return result
        }
    }

    /// The text with every match replaced.
    func replacing(with content: [UInt8], in text: [UInt8]) -> [UInt8] {
        switch self {
        case .literal(let needle): return UTF8Text.replacing(needle, with: content, in: text)
        case .regex:
            var result: [UInt8] = []
            var position = 0
            for match in text.withUnsafeBufferPointer({ matches(in: $0) }) {
                result += text[position..<match.lowerBound]
                result += content
                position = match.upperBound
            }
            return result + text[position...]
        }
    }
}

/// `Split`: splits at a pattern.
struct SplitPreTokenizer: PreTokenizer {
    let pattern: SplitPattern
    let behavior: SplitBehavior
    var inverted = false

    func apply(to text: inout PreTokenizedText) {
        text.cutWords { word, emit in
            if case .regex(let pattern) = pattern, behavior == .isolated {
                // The usual case of byte-level tokenizers needs no list of matches.
                var position = 0
                pattern.forEachMatch(in: word) { match in
                    if match.lowerBound > position { emit(position..<match.lowerBound) }
                    emit(match)
                    position = match.upperBound
                }
                if position < word.count { emit(position..<word.count) }
            } else {
                behavior.cut(word.count, matches: pattern.matches(in: word), inverted: inverted, emit: emit)
            }
        }
    }
}

/// Splits at single characters of one kind: whitespace, digits, punctuation, a delimiter.
struct CharacterSplitPreTokenizer: PreTokenizer {
    let behavior: SplitBehavior
    let isDelimiter: @Sendable (UInt32) -> Bool

    func apply(to text: inout PreTokenizedText) {
        text.cutWords { word, emit in
            var matches: [Range<Int>] = []
            var position = 0
            while position < word.count {
                let (scalar, length) = UTF8Text.scalar(word, at: position)
                if isDelimiter(scalar) { matches.append(position..<position + length) }
                position += length
            }
            behavior.cut(word.count, matches: matches, emit: emit)
        }
    }
}

/// `Whitespace`: runs of word characters, and runs of other characters except spaces.
struct WordRunPreTokenizer: PreTokenizer {
    func apply(to text: inout PreTokenizedText) {
        text.cutWords { word, emit in
            var start = 0
            var runKind = 0
            var position = 0
            while position < word.count {
                let (scalar, length) = UTF8Text.scalar(word, at: position)
                let kind = CharacterClass.isWord(scalar) ? 1 : CharacterClass.isWhitespace(scalar) ? 0 : 2
                if kind != runKind {
                    if runKind != 0 { emit(start..<position) }
                    start = position
                    runKind = kind
                }
                position += length
            }
            if runKind != 0 { emit(start..<word.count) }
        }
    }
}

/// `FixedLength`: pieces of a fixed number of characters.
struct FixedLengthPreTokenizer: PreTokenizer {
    let length: Int
    func apply(to text: inout PreTokenizedText) {
        text.cutWords { word, emit in
            var start = 0
            var position = 0
            var count = 0
            while position < word.count {
                position += UTF8Text.scalar(word, at: position).length
                count += 1
                if count == length {
                    emit(start..<position)
                    start = position
                    count = 0
                }
            }
            if start < word.count { emit(start..<word.count) }
        }
    }
}
