/// The filters of strings. What is no string is printed first.
enum TextFilters {
    static let table: [String: Filters.Filter] = [
        "string": { value, arguments, interpreter in .string(try plain(value, arguments, interpreter)) },
        "upper": { value, arguments, interpreter in .string(try plain(value, arguments, interpreter).uppercased) },
        "lower": { value, arguments, interpreter in .string(try plain(value, arguments, interpreter).lowercased) },
        "capitalize": { value, arguments, interpreter in
            .string(try plain(value, arguments, interpreter).capitalized)
        },
        "title": { value, arguments, interpreter in .string(title(try plain(value, arguments, interpreter))) },
        "safe": { value, arguments, interpreter in
            .string(TemplateText(try plain(value, arguments, interpreter).scalars, isEscaped: true))
        },
        "escape": escape, "e": escape,
        "forceescape": { value, arguments, interpreter in
            .string(try plain(value, arguments, interpreter).htmlEscaped)
        },
        "trim": trim, "replace": replace, "indent": indent, "format": format, "wordcount": wordCount, "center": center,
    ]

    private static func plain(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateText {
        _ = try arguments.bind()
        let text = try value.text(interpreter.meter)
        try interpreter.meter.make(text.count)
        return text
    }

    private static func escape(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let text = try plain(value, arguments, interpreter)
        return .string(text.isEscaped ? text : text.htmlEscaped)
    }

    /// The first letter of every word upper case, the others lower case; words end at blanks, hyphens and open brackets.
    private static func title(_ text: TemplateText) -> TemplateText {
        let separators = Set("-({[<".unicodeScalars.map { TemplateScalar($0) })
        var result: [TemplateScalar] = []
        var isStart = true
        for scalar in text.scalars {
            let isSeparator = scalar.isSpace || separators.contains(scalar)
            let one = TemplateText([scalar])
            result += (isStart && !isSeparator ? one.uppercased : one.lowercased).scalars
            isStart = isSeparator
        }
        return TemplateText(result, isEscaped: text.isEscaped)
    }

    private static func trim(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let characters = try arguments.bind("chars")[0].textIfPresent().map { Set($0.scalars) }
        let text = try value.text(interpreter.meter)
        try interpreter.meter.make(text.count)
        return .string(text.trimmed { characters?.contains($0) ?? $0.isSpace })
    }

    private static func replace(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let meter = interpreter.meter
        let given = try arguments.bind("old", "new", "count", required: 2)
        let limit = given[2]?.isNone ?? true ? -1 : try given[2].integer(-1)
        let (old, new) = (try (given[0] ?? .none).text(meter), try (given[1] ?? .none).text(meter))
        try meter.make(old.count)
        return .string(
            try value.text(meter).replacing(old, with: new, limit: limit < 0 ? .max : limit, meter: meter))
    }

    private static func indent(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let meter = interpreter.meter
        let given = try arguments.bind("width", "first", "blank")
        let (indentsFirst, indentsBlank) = (given[1].isTrue(false), given[2].isTrue(false))
        let indentation: TemplateText
        if case .string(let text) = given[0] {
            indentation = text
        } else {
            indentation = try TemplateText(" ").repeated(given[0].integer(4), meter)
        }
        var text = try value.text(meter)
        try meter.make(text.count)
        text.scalars.append(TemplateScalar("\n"))
        var result: [TemplateScalar] = indentsFirst ? indentation.scalars : []
        for (index, line) in text.lines().enumerated() {
            try meter.make(line.count + indentation.count + 1)
            if index > 0 {
                result.append(TemplateScalar("\n"))
                if indentsBlank || !line.isEmpty { result += indentation.scalars }
            }
            result += line.scalars
        }
        return .string(TemplateText(result, isEscaped: text.isEscaped))
    }

    private static func format(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let meter = interpreter.meter
        let values = try meter.list(arguments.positional, .tuple)
        return .string(try Formatting.percent(value.text(meter), values, meter))
    }

    private static func wordCount(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        // Runs of letters, digits and underscores.
        func isWord(_ scalar: TemplateScalar) -> Bool {
            scalar.isLetter || scalar.value == 0x5F || scalar.scalar.properties.numericType != nil
        }
        let words = try plain(value, arguments, interpreter).scalars.split { !isWord($0) }
        return .integer(words.count)
    }

    private static func center(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let width = try arguments.bind("width")[0].integer(80)
        let text = try value.text(interpreter.meter)
        let padding = max(0, min(width, Int.max / 2) - text.count)
        // Python gives the odd blank to the left where the width is odd.
        let left = padding / 2 + (padding & width & 1)
        let blanks = try TemplateText(" ").repeated(padding, interpreter.meter).scalars
        try interpreter.meter.make(text.count)
        return .string(TemplateText(blanks.prefix(left) + text.scalars + blanks.dropFirst(left)))
    }
}
