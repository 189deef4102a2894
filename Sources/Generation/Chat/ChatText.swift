import ChatTemplates
import Tokenization

/// The text a model is given for a conversation, in pieces: what the format writes (which may spell special tokens), and
/// what users and models wrote (which must never become one).
package struct ChatText: Sendable, Hashable {
    package struct Segment: Sendable, Hashable {
        package var text: String
        /// Written by the format: special tokens spelled in it are meant.
        package var isMarkup: Bool

        package init(text: String, isMarkup: Bool) {
            self.text = text
            self.isMarkup = isMarkup
        }
    }

    package private(set) var segments: [Segment] = []

    package init() {}

    /// A rendered template: its input is content.
    init(_ text: TemplateText) {
        segments = text.runs.map { Segment(text: $0.text, isMarkup: !$0.isInput) }
    }

    /// The pieces joined.
    package var string: String { segments.map(\.text).joined() }

    mutating func markup(_ text: String) { append(Segment(text: text, isMarkup: true)) }
    mutating func content(_ text: String) { append(Segment(text: text, isMarkup: false)) }

    private mutating func append(_ segment: Segment) {
        if segment.text.isEmpty { return }
        if let last = segments.last, last.isMarkup == segment.isMarkup {
            segments[segments.count - 1].text += segment.text
        } else {
            segments.append(segment)
        }
    }

    /// The tokens of the text. What people wrote never becomes a special token; the tokenizer's own begin of text is added
    /// unless the format has written one.
    package func tokens(_ tokenizer: Tokenizer) -> [Int] {
        let pieces = segments.map { (text: $0.text, isMarkup: $0.isMarkup) }
        let plain = tokenizer.encode(pieces, addSpecialTokens: false)
        // The tokens around every text: the begin of text, and for some tokenizers an end, which a prompt must not have.
        guard let begin = tokenizer.encode("a").first, tokenizer.isSpecial(begin), begin != plain.first else {
            return plain
        }
        return [begin] + plain
    }
}
