import Generation

/// Turns a window's decisions into token events, and keeps count of what still stands when some are given up.
final class TokenStream {
    private let tokenizer: any SpeechTokenizer
    private let emit: (GenerationEvent) throws -> Void
    private let secondsPerTimestamp: Double
    private var window = 0
    private var windowStart = 0.0
    /// Tokens of this answer before the window.
    private var base = 0
    /// Tokens of the window that stand.
    private(set) var count = 0
    private var characters = CharacterAssembler()

    init(tokenizer: any SpeechTokenizer, secondsPerTimestamp: Double, emit: @escaping (GenerationEvent) throws -> Void)
    {
        self.tokenizer = tokenizer
        self.secondsPerTimestamp = secondsPerTimestamp
        self.emit = emit
    }

    func begin(window: Int, start: Double) {
        self.window = window
        windowStart = start
        base += count
        count = 0
        characters = CharacterAssembler()
    }

    /// Marks tokens as consumed without emitting them.
    func skip(_ ids: [Int]) {
        for id in ids where id < tokenizer.endOfText { _ = characters.add(tokenizer.bytes(of: id)) }
        count += ids.count
    }

    func add(_ token: DecodedToken) throws {
        let isSpecial = token.id >= tokenizer.endOfText
        let time =
            token.id >= tokenizer.timestampBegin
            ? windowStart + Double(token.id - tokenizer.timestampBegin) * secondsPerTimestamp : nil
        try emit(
            .token(
                GeneratedToken(
                    token, index: base + count, window: window,
                    text: isSpecial ? "" : characters.add(tokenizer.bytes(of: token.id)), isSpecial: isSpecial,
                    timestamp: time, spelling: tokenizer.piece)))
        count += 1
    }

    /// Gives up the window's tokens after the first `keeping`.
    func discard(keeping: Int, reason: String) throws {
        guard keeping < count else { return }
        count = max(keeping, 0)
        characters = CharacterAssembler()
        try emit(.discarded(keeping: count, reason: reason))
    }
}
