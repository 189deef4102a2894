import Regex

/// `ByteLevel`: spellings to bytes, bytes to text; invalid bytes become U+FFFD. Emits whole characters only.
struct ByteLevelStage: DecoderStage {
    private var pending: [UInt8] = []
    private var hasBegun = false

    mutating func accept(_ fragment: PieceFragment, emit: (PieceFragment) -> Void) {
        pending += ByteAlphabet.bytes(of: fragment.bytes) ?? fragment.bytes
        release(UTF8Text.wholeCharacters(pending), ends: false, emit)
    }

    mutating func finish(emit: (PieceFragment) -> Void) { release(pending.count, ends: true, emit) }

    private mutating func release(_ count: Int, ends: Bool, _ emit: (PieceFragment) -> Void) {
        guard count > 0 || ends else { return }
        let text = String(decoding: pending[..<count], as: UTF8.self)
        pending.removeFirst(count)
        emit(PieceFragment(bytes: Array(text.utf8), begins: !hasBegun, ends: ends))
        hasBegun = true
    }
}

/// `ByteFallback`: a run of `<0x..>` tokens becomes the text of its bytes, or one U+FFFD per byte if they are not UTF-8. The
/// whole run decides, so its text is emitted at the end of the run.
struct ByteFallbackStage: DecoderStage {
    private var run: [UInt8] = []

    mutating func accept(_ fragment: PieceFragment, emit: (PieceFragment) -> Void) {
        if fragment.begins, fragment.ends, let byte = Self.byte(of: fragment.bytes) {
            run.append(byte)
        } else {
            finish(emit: emit)
            emit(fragment)
        }
    }

    mutating func finish(emit: (PieceFragment) -> Void) {
        guard !run.isEmpty else { return }
        if UTF8Text.isValid(run) {
            emit(PieceFragment(bytes: run))
        } else {
            for _ in run { emit(PieceFragment(bytes: UTF8Text.replacement)) }
        }
        run = []
    }

    /// The byte of a piece like `<0xAB>`.
    static func byte(of piece: [UInt8]) -> UInt8? {
        guard piece.count == 6, piece.starts(with: [0x3C, 0x30, 0x78]), piece[5] == 0x3E else { return nil }
        return UInt8(String(decoding: piece[3..<5], as: UTF8.self), radix: 16)
    }
}

/// `Fuse`: joins all pieces to one for the stages that follow.
struct FuseStage: DecoderStage {
    private var hasBegun = false

    mutating func accept(_ fragment: PieceFragment, emit: (PieceFragment) -> Void) {
        guard !fragment.bytes.isEmpty else { return }
        emit(PieceFragment(bytes: fragment.bytes, begins: !hasBegun, ends: false))
        hasBegun = true
    }

    mutating func finish(emit: (PieceFragment) -> Void) {
        emit(PieceFragment(bytes: [], begins: !hasBegun, ends: true))
    }
}
