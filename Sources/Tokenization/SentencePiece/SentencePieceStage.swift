import Regex

/// SentencePiece's decoding: marks become spaces, the space that encoding adds in front is removed, byte pieces become
/// characters.
struct SentencePieceStage: DecoderStage {
    let stripsPrefix: Bool
    let stripsAllLeading: Bool
    let unknownPiece: [UInt8]
    let unknownSurface: [UInt8]
    let hasBytes: Bool
    private var bytes: [UInt8] = []
    private var hasText = false
    private var isAtStart = true
    private var prefixSeen = false

    init(_ model: SentencePieceModel) {
        stripsPrefix = model.addsDummyPrefix || model.removesExtraWhitespace
        stripsAllLeading = model.removesExtraWhitespace
        unknownPiece = model.unknown.map { model.pieces[$0].text } ?? []
        unknownSurface = model.unknownSurface
        hasBytes = model.pieces.contains { $0.type == .byte }
    }

    mutating func accept(_ fragment: PieceFragment, emit: (PieceFragment) -> Void) {
        if hasBytes, let byte = ByteFallbackStage.byte(of: fragment.bytes) {
            bytes.append(byte)
            release(UTF8Text.wholeCharacters(bytes), emit)
            return
        }
        release(bytes.count, emit)
        if prefixSeen || hasText { isAtStart = false }
        if fragment.bytes == unknownPiece {
            write(unknownSurface, emit)
            return
        }
        var text = fragment.bytes
        if isAtStart, stripsPrefix, text.starts(with: SentencePieceNormalizer.mark) {
            text.removeFirst(SentencePieceNormalizer.mark.count)
            prefixSeen = !stripsAllLeading
        }
        write(UTF8Text.replacing(SentencePieceNormalizer.mark, with: [0x20], in: text), emit)
    }

    mutating func finish(emit: (PieceFragment) -> Void) { release(bytes.count, emit) }

    private mutating func write(_ text: [UInt8], _ emit: (PieceFragment) -> Void) {
        guard !text.isEmpty else { return }
        hasText = true
        emit(PieceFragment(bytes: text))
    }

    /// The first `count` pending bytes as characters; invalid bytes become U+FFFD.
    private mutating func release(_ count: Int, _ emit: (PieceFragment) -> Void) {
        guard count > 0 else { return }
        var text: [UInt8] = []
        var index = 0
        while index < count {
            let length = bytes[..<count].withUnsafeBufferPointer {
                UTF8Text.scalar(UnsafeBufferPointer(rebasing: $0[index...]), at: 0).length
            }
            let character = Array(bytes[index..<min(count, index + length)])
            if UTF8Text.isValid(character) {
                text += character
                index += length
            } else {
                text += UTF8Text.replacement
                index += 1
            }
        }
        bytes.removeFirst(count)
        write(text, emit)
    }
}
