/// A regular expression over UTF-8 with Oniguruma's semantics: the leftmost match, the first alternative, greedy loops.
///
/// Split patterns of tokenizers decide token boundaries, so the character classes must be exact: `\s` is White_Space, `\p{…}`
/// a general category. `NSRegularExpression` defines `\s` differently and needs UTF-16. This matcher works on the bytes, never
/// recurses over the text, and bounds the work of a search, so that no file can hang it.
package struct Pattern: Sendable {
    private let program: PatternProgram

    /// - Throws: ``PatternError`` for a pattern that is invalid or uses an unsupported construct.
    package init(_ source: String) throws {
        program = try PatternProgram(PatternParser.parse(source))
    }

    /// All matches, left to right, without overlap. An empty match directly after another match is left out.
    package func matches(in text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
        var result: [Range<Int>] = []
        forEachMatch(in: text) { result.append($0) }
        return result
    }

    /// Calls `body` with each of ``matches(in:)``.
    package func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        var machine = PatternMachine(program: program, text: text)
        var position = 0
        var lastEnd = -1
        while position <= text.count {
            let end = machine.match(at: position)
            if machine.isExhausted { return }
            if let end, end > position {
                body(position..<end)
                position = end
                lastEnd = end
            } else {
                if end != nil, lastEnd != position {
                    body(position..<position)
                    lastEnd = position
                }
                guard position < text.count else { return }
                position += UTF8Text.scalar(text, at: position).length
            }
        }
    }
}
