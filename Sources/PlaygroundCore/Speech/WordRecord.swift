import Foundation
import Generation
import Support

/// A word of a transcript with its time.
package struct WordRecord: Sendable, Hashable {
    package var text: String
    /// Seconds from the start of the recording.
    package var start: Double
    package var end: Double
    /// The message's tokens that spell it.
    package var tokens: Range<Int>
}

extension Message {
    /// The timed word a token belongs to.
    func word(ofToken token: Int) -> WordRecord? { words.first { $0.tokens.contains(token) } }

    /// Finds the segment's tokens in the message and adds its timed words.
    mutating func addWords(of segment: TranscriptSegment) {
        guard let timed = segment.words, !timed.isEmpty, !segment.tokens.isEmpty else { return }
        let from = words.last?.tokens.upperBound ?? 0, count = segment.tokens.count
        guard tokens.count - count >= from,
            let first = (from...tokens.count - count).first(where: { start in
                segment.tokens.indices.allSatisfy { tokens[start + $0].id == segment.tokens[$0] }
            })
        else { return }
        // Words follow the tokens' text; blanks are ignored because words may lack them.
        func letters(_ text: String) -> Int { text.reduce(0) { $1.isWhitespace ? $0 : $0 + 1 } }
        var next = first, spelled = 0, wanted = 0
        for word in timed {
            let text = Sanitizer.cells.line(word.text)
            wanted += letters(text)
            let start = next
            while next < first + count, spelled < wanted {
                if !tokens[next].isSpecial { spelled += letters(tokens[next].text) }
                next += 1
            }
            guard next > start else { continue }
            // The timestamp before a word is not part of it.
            let own = (start..<next).first { !tokens[$0].isSpecial } ?? start
            words.append(
                WordRecord(
                    text: text.trimmingCharacters(in: .whitespaces), start: word.start, end: word.end,
                    tokens: own..<next))
        }
    }
}
