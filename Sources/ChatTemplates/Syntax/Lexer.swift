/// Cuts a template into tokens, with Jinja's rules for white space as transformers sets them: `trim_blocks` removes the
/// line end behind a block or comment, `lstrip_blocks` the blanks before one on its own line.
struct Lexer {
    private let source: [Unicode.Scalar]
    private var position = 0
    private var line = 1
    private var tokens: [Token] = []
    /// Set where the last tag ended with a line end.
    private var isAtLineStart = true

    /// The tokens of a template, the last one `end`.
    static func tokens(_ source: String) throws(TemplateError) -> [Token] {
        guard source.utf8.count <= TemplateLimits.source else {
            throw TemplateError(
                kind: .limit, line: 1, construct: "template",
                problem: "\(source.utf8.count) bytes; at most \(TemplateLimits.source) are read")
        }
        var lexer = Lexer(source)
        try lexer.read()
        return lexer.tokens
    }

    private init(_ text: String) {
        var scalars: [Unicode.Scalar] = []
        for scalar in text.unicodeScalars {
            // All line ends become "\n".
            if scalar == "\n", scalars.last == "\r" { scalars.removeLast() }
            if scalars.last == "\r" { scalars[scalars.count - 1] = "\n" }
            scalars.append(scalar)
        }
        if scalars.last == "\r" { scalars[scalars.count - 1] = "\n" }
        // One line end at the very end does not count.
        if scalars.last == "\n" { scalars.removeLast() }
        source = scalars
    }

    // MARK: Text and tags

    private enum Tag { case output, block, comment }

    private mutating func read() throws(TemplateError) {
        while let (start, tag) = nextTag() {
            let text = position..<start
            position = start + 2
            add(text: text.lowerBound..<takeSign(endOf: text, isBlock: tag != .output))
            line += newlines(text)
            switch tag {
            case .comment: try skipComment()
            case .output: try readTag(closing: "}", from: .outputStart, to: .outputEnd)
            case .block:
                if try readRaw() { continue }
                try readTag(closing: "%", from: .blockStart, to: .blockEnd)
            }
        }
        add(text: position..<source.count)
        line += newlines(position..<source.count)
        tokens.append(Token(form: .end, line: line))
    }

    private func nextTag() -> (Int, Tag)? {
        var offset = position
        while offset + 1 < source.count {
            if source[offset] == "{" {
                switch source[offset + 1] {
                case "{": return (offset, .output)
                case "%": return (offset, .block)
                case "#": return (offset, .comment)
                default: break
                }
            }
            offset += 1
        }
        return nil
    }

    private func character(_ ahead: Int) -> Unicode.Scalar? {
        position + ahead < source.count ? source[position + ahead] : nil
    }

    private func isAt(_ text: String, ahead: Int = 0) -> Bool {
        var offset = ahead
        for scalar in text.unicodeScalars {
            guard character(offset) == scalar else { return false }
            offset += 1
        }
        return true
    }

    private mutating func add(text range: Range<Int>) {
        if range.isEmpty { return }
        tokens.append(Token(form: .text(string(range)), line: line))
    }

    private func string(_ range: Range<Int>) -> String { String(String.UnicodeScalarView(source[range])) }
    private func newlines(_ range: Range<Int>) -> Int { source[range].count { $0 == "\n" } }
    private func isSpace(_ scalar: Unicode.Scalar) -> Bool { TemplateScalar(scalar).isSpace }

    private func trimmedEnd(_ range: Range<Int>) -> Int {
        range.last { !isSpace(source[$0]) }.map { $0 + 1 } ?? range.lowerBound
    }

    /// The end of a text before a block, without blanks that are alone on the block's line.
    private func withoutIndent(_ range: Range<Int>) -> Int {
        let lineStart = range.last { source[$0] == "\n" }.map { $0 + 1 }
        guard lineStart != nil || isAtLineStart else { return range.upperBound }
        let start = lineStart ?? range.lowerBound
        return source[start..<range.upperBound].allSatisfy(isSpace) ? start : range.upperBound
    }

    /// Moves over the sign behind a tag's opening mark.
    /// - Returns: the end of the text before the tag, without the white space that the sign or the tag removes.
    private mutating func takeSign(endOf text: Range<Int>, isBlock: Bool) -> Int {
        switch character(0) {
        case "-":
            position += 1
            return trimmedEnd(text)
        case "+":
            position += 1
            return text.upperBound
        default:
            return isBlock ? withoutIndent(text) : text.upperBound
        }
    }

    /// Moves behind the end of a block or comment, whose mark is two characters with an optional sign before them.
    /// - Returns: false where the tag does not end here.
    private mutating func skipEnd(_ closing: String, trimsLine: Bool) -> Bool {
        let sign = character(0)
        let isSigned = (sign == "-" || (sign == "+" && trimsLine)) && isAt(closing, ahead: 1)
        guard isSigned || isAt(closing) else { return false }
        position += isSigned ? 3 : 2
        let start = position
        if isSigned, sign == "-" {
            while let scalar = character(0), isSpace(scalar) { position += 1 }
        } else if !isSigned, trimsLine, character(0) == "\n" {
            position += 1
        }
        line += newlines(start..<position)
        isAtLineStart = position > start && source[position - 1] == "\n"
        return true
    }

    private mutating func skipComment() throws(TemplateError) {
        let start = line
        while position < source.count {
            if skipEnd("#}", trimsLine: true) { return }
            if source[position] == "\n" { line += 1 }
            position += 1
        }
        throw TemplateError(kind: .syntax, line: start, construct: "comment", problem: "“#}” is missing")
    }

    /// Reads `{% raw %}…{% endraw %}` as text, if the block that begins here is one.
    private mutating func readRaw() throws(TemplateError) -> Bool {
        let before = (position, line, isAtLineStart)
        guard skipWord("raw"), skipEnd("%}", trimsLine: false) else {
            (position, line, isAtLineStart) = before
            return false
        }
        let body = position
        while let (start, tag) = nextTag() {
            position = start + 2
            guard tag == .block else { continue }
            let end = takeSign(endOf: body..<start, isBlock: true)
            guard skipWord("endraw"), skipEnd("%}", trimsLine: true) else { continue }
            add(text: body..<end)
            line += newlines(body..<start)
            return true
        }
        throw TemplateError(kind: .syntax, line: before.1, construct: "raw", problem: "“{% endraw %}” is missing")
    }

    /// Moves over a word with white space around it.
    private mutating func skipWord(_ word: String) -> Bool {
        while let scalar = character(0), isSpace(scalar) { position += 1 }
        guard isAt(word) else { return false }
        position += word.unicodeScalars.count
        while let scalar = character(0), isSpace(scalar) { position += 1 }
        return true
    }

    // MARK: Within a tag

    private static let symbols = [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=",
        ".", ":", "|", ",", ";",
    ]
    private static let pairs: [String: String] = ["(": ")", "[": "]", "{": "}"]

    private mutating func readTag(
        closing: String, from opening: Token.Form, to end: Token.Form
    ) throws(TemplateError) {
        let start = line
        tokens.append(Token(form: opening, line: line))
        /// Brackets that are open, by what closes them.
        var open: [String] = []
        while let scalar = character(0) {
            if open.isEmpty {
                let endLine = line
                if skipEnd(closing + "}", trimsLine: closing == "%") {
                    tokens.append(Token(form: end, line: endLine))
                    return
                }
            }
            if isSpace(scalar) {
                if scalar == "\n" { line += 1 }
                position += 1
            } else if scalar.isDigit {
                try readNumber()
            } else if scalar.isNameStart {
                let name = takeWhile(\.isNamePart)
                tokens.append(Token(form: .name(name), line: line))
            } else if scalar == "'" || scalar == "\"" {
                try readString(quote: scalar)
            } else if let symbol = Self.symbols.first(where: { isAt($0) }) {
                if let closer = Self.pairs[symbol] {
                    open.append(closer)
                } else if ")]}".contains(symbol), open.popLast() != symbol {
                    throw syntax("“\(symbol)” closes nothing")
                }
                tokens.append(Token(form: .symbol(symbol), line: line))
                position += symbol.unicodeScalars.count
            } else {
                throw syntax("unexpected character “\(scalar)”")
            }
        }
        throw TemplateError(
            kind: .syntax, line: start, construct: "tag",
            problem: open.last.map { "“\($0)” is missing" } ?? "“\(closing)}” is missing")
    }

    private func syntax(_ problem: String) -> TemplateError {
        TemplateError(kind: .syntax, line: line, construct: "tag", problem: problem)
    }

    private mutating func takeWhile(_ isTaken: (Unicode.Scalar) -> Bool) -> String {
        let start = position
        while let scalar = character(0), isTaken(scalar) { position += 1 }
        return string(start..<position)
    }

    private mutating func readNumber() throws(TemplateError) {
        func isNumberPart(_ scalar: Unicode.Scalar) -> Bool { scalar.isDigit || scalar == "_" }
        var text = takeWhile(isNumberPart)
        var isFloat = false
        // `x.0.1` is two indices, not a number.
        let isIndex = tokens.last?.form == .symbol(".")
        if !isIndex, character(0) == ".", character(1)?.isDigit == true {
            isFloat = true
            position += 1
            text += "." + takeWhile(isNumberPart)
        }
        if !isIndex, character(0) == "e" || character(0) == "E" {
            let isSigned = character(1) == "+" || character(1) == "-"
            if character(isSigned ? 2 : 1)?.isDigit == true {
                isFloat = true
                position += 1
                text += "e"
                if isSigned, let sign = character(0) {
                    text.unicodeScalars.append(sign)
                    position += 1
                }
                text += takeWhile(isNumberPart)
            }
        }
        text = text.filter { $0 != "_" }
        if let value = isFloat ? Double(text).map(Token.Form.float) : Int(text).map(Token.Form.integer) {
            tokens.append(Token(form: value, line: line))
        } else {
            throw syntax("the number \(text.prefix(40)) is too large")
        }
    }

    private mutating func readString(quote: Unicode.Scalar) throws(TemplateError) {
        let start = (position: position + 1, line: line)
        position += 1
        while let scalar = character(0), scalar != quote {
            if scalar == "\n" || (scalar == "\\" && character(1) == "\n") { line += 1 }
            position += scalar == "\\" ? 2 : 1
        }
        guard position < source.count else {
            throw TemplateError(kind: .syntax, line: start.line, construct: "string", problem: "the string has no end")
        }
        guard let text = StringEscapes.resolved(source[start.position..<position]) else {
            throw TemplateError(
                kind: .syntax, line: start.line, construct: "string", problem: "an escape sequence is damaged")
        }
        tokens.append(Token(form: .string(text), line: start.line))
        position += 1
    }
}

extension Unicode.Scalar {
    fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
    fileprivate var isNameStart: Bool { self == "_" || properties.isXIDStart }
    fileprivate var isNamePart: Bool { self == "_" || properties.isXIDContinue }
}
