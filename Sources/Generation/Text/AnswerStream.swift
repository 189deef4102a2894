import NumberFormats
import Tokenization

/// Turns decided tokens into events: whole characters, without stop strings and without text that may become one.
struct AnswerStream {
    private let tokenizer: Tokenizer
    private let endTokens: Set<Int>
    /// True for the spelling of a special token that is part of answers.
    private let isAnswerText: (String) -> Bool
    private let emit: (GenerationEvent) throws -> Void
    private var text: StreamingDecoder
    private var stops: StopStrings
    /// Tokens that the answer began with, and those reported since.
    private let first: Int
    private(set) var count = 0

    /// - Parameter prefix: tokens the answer starts with, which are not reported.
    init(
        tokenizer: Tokenizer, endTokens: Set<Int>, stopStrings: [String], prefix: [Int],
        isAnswerText: @escaping (String) -> Bool, emit: @escaping (GenerationEvent) throws -> Void
    ) {
        self.tokenizer = tokenizer
        self.endTokens = endTokens
        self.isAnswerText = isAnswerText
        self.emit = emit
        text = StreamingDecoder(tokenizer)
        stops = StopStrings(stopStrings)
        first = prefix.count
        for id in prefix { _ = stops.add(text.append(id, isText: isText(id))) }
    }

    /// True once a stop string has ended the answer.
    var isStopped: Bool { stops.isMet }

    /// Reports a token.
    /// - Parameter isLast: none follows, so that what was held back comes with this one.
    mutating func add(_ token: DecodedToken, isLast: Bool) throws {
        let isEnd = endTokens.contains(token.id)
        let isText = isText(token.id)
        var piece = isEnd ? "" : stops.add(text.append(token.id, isText: isText))
        if isEnd || isLast { piece += stops.add(text.finish()) + stops.finish() }
        try emit(
            .token(
                GeneratedToken(
                    token, index: first + count, text: piece,
                    isSpecial: isEnd || (tokenizer.isSpecial(token.id) && !isText),
                    spelling: spelling)))
        count += 1
    }

    private func isText(_ id: Int) -> Bool { tokenizer.isSpecial(id) && isAnswerText(spelling(id)) }

    private func spelling(_ id: Int) -> String { tokenizer.piece(id) ?? "<\(id)>" }
}
