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
    private let marks: ThoughtMarks?
    private var thoughts: ThoughtSplitter?
    /// Tokens that the answer began with, and those reported since.
    private let first: Int
    private(set) var count = 0

    /// - Parameters:
    ///   - prefix: tokens the answer starts with, which are not reported.
    ///   - thoughts: tells thoughts from the answer; nil where there are none.
    init(
        tokenizer: Tokenizer, endTokens: Set<Int>, stopStrings: [String], prefix: [Int],
        isAnswerText: @escaping (String) -> Bool, thoughts: TextOptions.Thoughts?,
        emit: @escaping (GenerationEvent) throws -> Void
    ) {
        self.tokenizer = tokenizer
        self.endTokens = endTokens
        self.isAnswerText = isAnswerText
        self.emit = emit
        text = StreamingDecoder(tokenizer)
        stops = StopStrings(stopStrings)
        first = prefix.count
        marks = thoughts?.marks
        self.thoughts = thoughts.map { ThoughtSplitter($0.marks, isThinking: $0.areOpen) }
        for id in prefix {
            let piece = stops.add(text.append(id, isText: isText(id)) + mark(id))
            _ = self.thoughts?.add(piece)
        }
    }

    /// True once a stop string has ended the answer.
    var isStopped: Bool { stops.isMet }

    /// Reports a token.
    /// - Parameter isLast: none follows, so that what was held back comes with this one.
    mutating func add(_ token: DecodedToken, isLast: Bool) throws {
        let isEnd = endTokens.contains(token.id)
        let isText = isText(token.id)
        var piece = isEnd ? "" : stops.add(text.append(token.id, isText: isText) + mark(token.id))
        if isEnd || isLast { piece += stops.add(text.finish()) + stops.finish() }
        var thought = ""
        if var splitter = thoughts {
            (thought, piece) = splitter.add(piece)
            if isEnd || isLast || isStopped {
                let rest = splitter.finish()
                thought += rest.thought
                piece += rest.answer
            }
            thoughts = splitter
        }
        try emit(
            .token(
                GeneratedToken(
                    token, index: first + count, text: piece,
                    isSpecial: isEnd || (tokenizer.isSpecial(token.id) && !isText),
                    thought: thought.isEmpty ? nil : thought, spelling: spelling)))
        count += 1
    }

    /// True for a special token that is part of answers.
    private func isText(_ id: Int) -> Bool { tokenizer.isSpecial(id) && isAnswerText(spelling(id)) }

    /// The text of a special token that begins or ends thoughts; other special tokens have none.
    private func mark(_ id: Int) -> String {
        guard let marks, tokenizer.isSpecial(id), let piece = tokenizer.piece(id) else { return "" }
        return piece == marks.start || piece == marks.end ? piece : ""
    }

    private func spelling(_ id: Int) -> String { tokenizer.piece(id) ?? "<\(id)>" }
}
