/// Brings a Jinja template into the normal form of ``ChatTemplate``. Never fails: what it does not understand stays as
/// it is, and is then not recognized. Jinja's rules: jinja.palletsprojects.com, "Template Designer Documentation".
struct TemplateLexer {
    private let source: [Character]
    private var position = 0
    private var output = ""
    /// Whether what was last taken in ended a line.
    private var isAtLineStart = true

    init(_ text: String) {
        // Line ends are one character each, and the last one is dropped, as Jinja does.
        var characters = Array(text.replacing("\r\n", with: "\n"))
        if characters.last == "\n" { characters.removeLast() }
        source = characters
    }

    private func starts(_ text: String, at index: Int) -> Bool {
        source[min(index, source.count)...].starts(with: text)
    }

    func normalForm() -> String {
        var copy = self
        copy.run()
        return copy.output
    }

    private mutating func run() {
        var data: [Character] = []
        while position < source.count {
            let tags: [(open: String, close: String)] = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")]
            guard source[position] == "{", let tag = tags.first(where: { starts($0.open, at: position) }) else {
                data.append(source[position])
                position += 1
                continue
            }
            position += 2
            let sign = position < source.count ? source[position] : " "
            if sign == "-" {
                while data.last?.isWhitespace == true { data.removeLast() }
                position += 1
            } else if sign == "+" {
                position += 1
            } else if tag.open != "{{" {
                Self.stripLineStart(&data, isAtLineStart: isAtLineStart)
            }
            output += String(data)
            data = []
            let (body, removesSpace, keepsNewline) = tag.open == "{#" ? comment() : inside(closing: tag.close)
            if tag.open != "{#" { output += tag.open + body + tag.close }
            let end = position
            if removesSpace {
                while position < source.count, source[position].isWhitespace { position += 1 }
            } else if tag.open != "{{", !keepsNewline, position < source.count, source[position] == "\n" {
                position += 1
            }
            isAtLineStart = position > end && source[position - 1] == "\n"
        }
        output += String(data)
        // Strings that follow one another are one string.
        output = output.replacing("»+«", with: "").replacing("»~«", with: "")
    }

    /// `lstrip_blocks`: blanks between the line's beginning and a tag go.
    private static func stripLineStart(_ data: inout [Character], isAtLineStart: Bool) {
        var end = data.count
        while end > 0, data[end - 1] == " " || data[end - 1] == "\t" { end -= 1 }
        if end == 0 ? isAtLineStart : data[end - 1] == "\n" { data.removeLast(data.count - end) }
    }

    private mutating func comment() -> (String, Bool, Bool) {
        while position < source.count, !starts("#}", at: position) { position += 1 }
        let sign = position > 0 ? source[position - 1] : " "
        position = min(position + 2, source.count)
        return ("", sign == "-", sign == "+")
    }

    /// The inside of a tag in normal form; whether white space behind the tag goes, and whether a line end stays.
    private mutating func inside(closing: String) -> (String, Bool, Bool) {
        var body = ""
        while position < source.count {
            if starts(closing, at: position) {
                position += 2
                return (body.last == " " ? String(body.dropLast()) : body, false, false)
            }
            let character = source[position]
            if character == "-" || character == "+", starts(closing, at: position + 1) {
                position += 3
                return (body.last == " " ? String(body.dropLast()) : body, character == "-", character == "+")
            }
            if character == "'" || character == "\"" {
                if body.last == " " { body.removeLast() }
                body += literal(character)
            } else if character == ".", position + 1 < source.count, source[position + 1].isLetter {
                position += 1
                var name = ""
                while position < source.count,
                    source[position].isLetter || source[position].isNumber || source[position] == "_"
                {
                    name.append(source[position])
                    position += 1
                }
                // A call stays a call.
                body += position < source.count && source[position] == "(" ? ".\(name)" : "[«\(name)»]"
            } else {
                if character.isWhitespace {
                    // Words stay apart.
                    if let last = body.last, last.isLetter || last.isNumber || last == "_" { body += " " }
                } else {
                    if body.last == " ", !(character.isLetter || character.isNumber || character == "_") {
                        body.removeLast()
                    }
                    body.append(character)
                }
                position += 1
            }
        }
        return (body, false, false)
    }

    /// A string with its escapes resolved.
    private mutating func literal(_ quote: Character) -> String {
        position += 1
        var text = ""
        while position < source.count, source[position] != quote {
            if source[position] == "\\", position + 1 < source.count {
                position += 1
                text.append(Self.escapes[source[position]] ?? source[position])
            } else {
                text.append(source[position])
            }
            position += 1
        }
        position += 1
        return "«\(text)»"
    }

    private static let escapes: [Character: Character] = [
        "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", "\"": "\"",
    ]
}
