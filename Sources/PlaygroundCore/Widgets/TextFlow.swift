import Terminal

/// Text in one style, possibly part of a token.
struct Span: Hashable {
    var text: String
    var style: Style
    var place: TokenPlace?
    /// The attention key of this span, in the view of source words.
    var key: Int?
}

/// One line of the chat.
struct FlowLine: Hashable {
    /// Empty columns before the spans.
    var indent = 0
    var spans: [Span] = []

    /// The token under a column.
    func place(atColumn column: Int) -> TokenPlace? { span(atColumn: column)?.place }

    func span(atColumn column: Int) -> Span? {
        var start = indent
        for span in spans {
            let end = start + TextWidth.width(of: span.text)
            if column >= start && column < end { return span }
            start = end
        }
        return nil
    }
}

/// Breaks spans into lines at blanks. Words longer than a line break anywhere, and so do wide (CJK) glyphs.
struct TextFlow {
    private(set) var lines: [FlowLine] = []
    private let width: Int
    private let indent: Int
    private var line: FlowLine
    private var used = 0
    private var word: [Span] = []
    private var wordWidth = 0

    init(width: Int, indent: Int = 0) {
        self.width = max(4, width)
        self.indent = indent
        line = FlowLine(indent: indent)
    }

    mutating func append(_ span: Span) {
        for character in span.text {
            if character == "\n" { breakLine(); continue }
            let text = String(character)
            let glyphWidth = TextWidth.width(of: text)
            if character == " " {
                endWord()
                if used > 0 && used < width - indent {
                    add(Span(text: " ", style: span.style, place: span.place, key: span.key), 1)
                }
            } else if glyphWidth == 2 {
                endWord()
                if used + 2 > width - indent { wrap() }
                add(Span(text: text, style: span.style, place: span.place, key: span.key), 2)
            } else {
                if wordWidth + glyphWidth > width - indent { endWord() }
                Self.join(Span(text: text, style: span.style, place: span.place, key: span.key), onto: &word)
                wordWidth += glyphWidth
            }
        }
    }

    /// Appends one glyph outside of words, as pictures need it.
    mutating func append(glyph: Glyph, style: Style) {
        endWord()
        if used + 1 > width - indent { wrap() }
        add(Span(text: glyph.text, style: style), 1)
    }

    /// Ends the line even if it is empty.
    mutating func breakLine() {
        endWord()
        wrap()
    }

    /// Starts a line with `label` in its margin; an empty line is reused.
    mutating func start(label: Span) {
        endWord()
        if used > 0 { wrap() }
        line.indent = 0
        let padding = max(0, indent - TextWidth.width(of: label.text))
        line.spans = [label, Span(text: String(repeating: " ", count: padding), style: .plain)]
    }

    mutating func finish() -> [FlowLine] {
        endWord()
        if used > 0 || !line.spans.isEmpty { lines.append(line) }
        line = FlowLine(indent: indent)
        used = 0
        return lines
    }

    private mutating func endWord() {
        guard !word.isEmpty else { return }
        if used > 0 && used + wordWidth > width - indent { wrap() }
        for span in word { Self.join(span, onto: &line.spans) }
        used += wordWidth
        word = []
        wordWidth = 0
    }

    private mutating func add(_ span: Span, _ columns: Int) {
        Self.join(span, onto: &line.spans)
        used += columns
    }

    private mutating func wrap() {
        lines.append(line)
        line = FlowLine(indent: indent)
        used = 0
    }

    private static func join(_ span: Span, onto spans: inout [Span]) {
        if let last = spans.last, last.style == span.style, last.place == span.place, last.key == span.key {
            spans[spans.count - 1].text += span.text
        } else {
            spans.append(span)
        }
    }
}
