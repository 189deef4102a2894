import Regex

/// `Strip`: removes up to a given number of a character from both ends of a piece.
struct StripStage: DecoderStage {
    let content: [UInt8]
    let start: Int
    let stop: Int
    private var leftToStrip: Int
    /// Trailing characters that are held back because they may be the end of the piece.
    private var held = 0

    init(content: [UInt8], start: Int, stop: Int) {
        self.content = content
        self.start = start
        self.stop = stop
        leftToStrip = start
    }

    mutating func accept(_ fragment: PieceFragment, emit: (PieceFragment) -> Void) {
        var bytes = fragment.bytes[...]
        if fragment.begins { (leftToStrip, held) = (start, 0) }
        while leftToStrip > 0, !bytes.isEmpty {
            if bytes.starts(with: content) {
                bytes = bytes.dropFirst(content.count)
                leftToStrip -= 1
            } else {
                leftToStrip = 0
            }
        }
        var trailing = 0
        while bytes.count >= content.count, bytes.suffix(content.count).elementsEqual(content) {
            bytes = bytes.dropLast(content.count)
            trailing += 1
        }
        var output: [UInt8] = []
        func append(_ count: Int) { for _ in 0..<max(0, count) { output += content } }
        if !bytes.isEmpty {
            append(held)
            output += bytes
            held = 0
        }
        held += trailing
        // At most the last `stop` of them are stripped.
        let certain = fragment.ends ? held - min(held, stop) : max(0, held - stop)
        append(certain)
        held = fragment.ends ? 0 : held - certain
        emit(PieceFragment(bytes: output, begins: fragment.begins, ends: fragment.ends))
    }
}

/// `Replace` of a literal. A match may span fragments of one piece, so a possible beginning is held back.
struct ReplaceStage: DecoderStage {
    let pattern: [UInt8]
    let content: [UInt8]
    private var pending: [UInt8] = []

    init(pattern: [UInt8], content: [UInt8]) {
        self.pattern = pattern
        self.content = content
    }

    mutating func accept(_ fragment: PieceFragment, emit: (PieceFragment) -> Void) {
        pending += fragment.bytes
        var output: [UInt8] = []
        var index = 0
        while index < pending.count {
            let rest = pending[index...]
            if rest.starts(with: pattern) {
                output += content
                index += pattern.count
            } else if !fragment.ends, rest.count < pattern.count, pattern.starts(with: rest) {
                break
            } else {
                output.append(pending[index])
                index += 1
            }
        }
        pending.removeFirst(index)
        emit(PieceFragment(bytes: output, begins: fragment.begins, ends: fragment.ends))
    }
}

/// Removes whitespace from both ends of the whole text. Whitespace that may be the end is held back.
struct TrimStage: DecoderStage {
    private var hasText = false
    private var held: [UInt8] = []

    mutating func accept(_ fragment: PieceFragment, emit: (PieceFragment) -> Void) {
        var output: [UInt8] = []
        UTF8Text.forEachScalar(fragment.bytes) { scalar, range in
            if CharacterClass.isWhitespace(scalar) {
                if hasText { held += fragment.bytes[range] }
            } else {
                output += held
                output += fragment.bytes[range]
                held = []
                hasText = true
            }
        }
        emit(PieceFragment(bytes: output, begins: fragment.begins, ends: fragment.ends))
    }
}

/// `Metaspace`: marks become spaces; those of the first piece are removed if encoding adds one.
struct MetaspaceStage: DecoderStage {
    let mark: [UInt8]
    let dropsFirst: Bool
    private var isFirst = true

    init(mark: [UInt8], dropsFirst: Bool) {
        self.mark = mark
        self.dropsFirst = dropsFirst
    }

    mutating func accept(_ fragment: PieceFragment, emit: (PieceFragment) -> Void) {
        let bytes = UTF8Text.replacing(mark, with: isFirst && dropsFirst ? [] : [0x20], in: fragment.bytes)
        if fragment.ends { isFirst = false }
        emit(PieceFragment(bytes: bytes, begins: fragment.begins, ends: fragment.ends))
    }
}

/// `BPEDecoder`: the end-of-word mark becomes a space, and nothing at the end of the text, so one piece is held back.
struct WordSuffixStage: DecoderStage {
    let suffix: [UInt8]
    private var held: [UInt8]?
    private var isOpen = false

    init(suffix: [UInt8]) { self.suffix = suffix }

    mutating func accept(_ fragment: PieceFragment, emit: (PieceFragment) -> Void) {
        if isOpen, !fragment.begins {
            held = (held ?? []) + fragment.bytes
        } else {
            if let held { emit(PieceFragment(bytes: UTF8Text.replacing(suffix, with: [0x20], in: held))) }
            held = fragment.bytes
        }
        isOpen = !fragment.ends
    }

    mutating func finish(emit: (PieceFragment) -> Void) {
        if let held { emit(PieceFragment(bytes: UTF8Text.replacing(suffix, with: [], in: held))) }
        held = nil
    }
}

/// `CTC`: repetitions collapse, blanks are removed, the word delimiter becomes a space.
struct CTCStage: DecoderStage {
    let blank: [UInt8]
    let wordDelimiter: [UInt8]
    let cleansUp: Bool
    private var previous: [UInt8]?

    init(blank: [UInt8], wordDelimiter: [UInt8], cleansUp: Bool) {
        self.blank = blank
        self.wordDelimiter = wordDelimiter
        self.cleansUp = cleansUp
    }

    mutating func accept(_ fragment: PieceFragment, emit: (PieceFragment) -> Void) {
        defer { previous = fragment.bytes }
        guard fragment.bytes != previous else { return }
        var text = UTF8Text.replacing(blank, with: [], in: fragment.bytes)
        if cleansUp { text = UTF8Text.replacing(wordDelimiter, with: [0x20], in: EnglishCleanup.clean(text)) }
        if !text.isEmpty { emit(PieceFragment(bytes: text)) }
    }
}

/// The English spacing rules of WordPiece decoders, applied to each piece.
enum EnglishCleanup {
    private static let rules: [(from: [UInt8], to: [UInt8])] = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"),
        (" 've", "'ve"), (" 're", "'re"),
    ].map { (Array($0.0.utf8), Array($0.1.utf8)) }

    static func clean(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(0x20) else { return text }
        return rules.reduce(text) { UTF8Text.replacing($1.from, with: $1.to, in: $0) }
    }
}
