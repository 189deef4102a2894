/// The text a model is given for a conversation, in pieces: what the format writes (which may spell special tokens), and
/// what people and models said (which must never become one).
package struct ChatText: Sendable, Hashable {
    package struct Segment: Sendable, Hashable {
        package var text: String
        /// Written by the format: special tokens spelt in it are meant.
        package var isMarkup: Bool

        package init(text: String, isMarkup: Bool) {
            self.text = text
            self.isMarkup = isMarkup
        }
    }

    package private(set) var segments: [Segment] = []

    package init() {}

    /// The pieces joined.
    package var string: String { segments.map(\.text).joined() }

    mutating func markup(_ text: String) { append(Segment(text: text, isMarkup: true)) }
    mutating func content(_ text: String) { append(Segment(text: text, isMarkup: false)) }
    mutating func append(_ text: ChatText) { text.segments.forEach { append($0) } }

    private mutating func append(_ segment: Segment) {
        if segment.text.isEmpty { return }
        if let last = segments.last, last.isMarkup == segment.isMarkup {
            segments[segments.count - 1].text += segment.text
        } else {
            segments.append(segment)
        }
    }

    /// The text without white space at its ends.
    func stripped() -> ChatText {
        var pieces = segments
        while let first = pieces.first {
            let text = first.text.strippedStart
            if !text.isEmpty {
                pieces[0].text = text
                break
            }
            pieces.removeFirst()
        }
        while let last = pieces.last {
            let text = last.text.strippedEnd
            if !text.isEmpty {
                pieces[pieces.count - 1].text = text
                break
            }
            pieces.removeLast()
        }
        var result = ChatText()
        pieces.forEach { result.append($0) }
        return result
    }
}

extension String {
    /// The text without what templates count as white space (Python's `str.strip`) at its ends.
    var stripped: String { strippedStart.strippedEnd }

    /// By scalars: a combining mark behind a space must not hide it.
    fileprivate var strippedStart: String {
        String(String.UnicodeScalarView(unicodeScalars.drop(while: Self.isTemplateSpace)))
    }

    fileprivate var strippedEnd: String {
        var scalars = unicodeScalars
        while let last = scalars.last, Self.isTemplateSpace(last) { scalars.removeLast() }
        return String(scalars)
    }

    /// White space, and the separators U+001C to U+001F that Python counts in.
    private static func isTemplateSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || (0x1c...0x1f).contains(scalar.value)
    }
}
