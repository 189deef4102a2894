/// The methods of strings.
enum TextMethods {
    static func call(
        _ name: String, _ text: TemplateText, _ arguments: Arguments, _ meter: Meter
    ) throws -> TemplateValue {
        switch name {
        case "upper": return try .string(plain(text.uppercased, arguments))
        case "lower", "casefold": return try .string(plain(text.lowercased, arguments))
        case "title": return try .string(plain(text.titled, arguments))
        case "capitalize": return try .string(plain(text.capitalized, arguments))
        case "swapcase": return try .string(plain(text.caseSwapped, arguments))
        case "strip", "lstrip", "rstrip": return try strip(name, text, arguments)
        case "split", "rsplit": return try split(name, text, arguments, meter)
        case "splitlines":
            let keepEnds = try arguments.bind("keepends")[0].isTrue(false)
            return try meter.list(text.lines(keepEnds: keepEnds).map(TemplateValue.string))
        case "partition", "rpartition": return try partition(name, text, arguments, meter)
        case "startswith", "endswith": return try hasEnd(name, text, arguments, meter)
        case "removeprefix":
            let prefix = try arguments.bind("prefix", required: 1)[0].text()
            return .string(text.hasPrefix(prefix) ? TemplateText(text.scalars.dropFirst(prefix.count)) : text)
        case "removesuffix":
            let suffix = try arguments.bind("suffix", required: 1)[0].text()
            return .string(text.hasSuffix(suffix) ? TemplateText(text.scalars.dropLast(suffix.count)) : text)
        case "find", "index", "rfind", "rindex": return try find(name, text, arguments, meter)
        case "count":
            let needle = try arguments.bind("sub", required: 1)[0].text()
            try meter.make(needle.count)
            return .integer(text.offsets(of: needle).count)
        case "replace":
            let given = try arguments.bind("old", "new", "count", required: 2)
            let limit = try given[2].integer(-1)
            return .string(
                try text.replacing(
                    given[0].text(), with: given[1].text(), limit: limit < 0 ? .max : limit, meter: meter))
        case "join":
            guard let elements = try arguments.bind("iterable", required: 1)[0]?.elements(meter) else { return .none }
            return .string(try text.joining(elements.map { try Optional($0).text() }, meter))
        case "format": return .string(try Formatting.braces(text, arguments, meter))
        case "ljust", "rjust", "zfill": return try pad(name, text, arguments, meter)
        default:
            _ = try arguments.bind()
            return .bool(try isOfKind(name, text))
        }
    }

    private static func plain(_ text: TemplateText, _ arguments: Arguments) throws -> TemplateText {
        _ = try arguments.bind()
        return text
    }

    private static func strip(
        _ name: String, _ text: TemplateText, _ arguments: Arguments
    ) throws -> TemplateValue {
        let characters = try arguments.bind("chars")[0].textIfPresent().map { Set($0.scalars) }
        return .string(
            text.trimmed(start: name != "rstrip", end: name != "lstrip") { characters?.contains($0) ?? $0.isSpace })
    }

    private static func split(
        _ name: String, _ text: TemplateText, _ arguments: Arguments, _ meter: Meter
    ) throws -> TemplateValue {
        let given = try arguments.bind("sep", "maxsplit")
        let maximum = try given[1].integer(-1)
        let limit = maximum < 0 ? Int.max : maximum
        let pieces: [TemplateText]
        if let separator = try given[0].textIfPresent() {
            guard !separator.isEmpty else { throw Fault.problem("the separator is empty") }
            try meter.work(separator.count)
            pieces =
                name == "split"
                ? text.split(at: separator, limit: limit) : text.splitFromEnd(at: separator, limit: limit)
        } else if name == "split" {
            pieces = text.splitAtSpace(limit: limit)
        } else {
            let reversed = TemplateText(text.scalars.reversed()).splitAtSpace(limit: limit)
            pieces = reversed.reversed().map { TemplateText($0.scalars.reversed()) }
        }
        return try meter.list(pieces.map(TemplateValue.string))
    }

    private static func partition(
        _ name: String, _ text: TemplateText, _ arguments: Arguments, _ meter: Meter
    ) throws -> TemplateValue {
        let separator = try arguments.bind("sep", required: 1)[0].text()
        guard !separator.isEmpty else { throw Fault.problem("the separator is empty") }
        let isFirst = name == "partition"
        let parts = isFirst ? text.split(at: separator, limit: 1) : text.splitFromEnd(at: separator, limit: 1)
        let empty = TemplateText("")
        let result =
            parts.count == 2
            ? [parts[0], separator, parts[1]] : isFirst ? [text, empty, empty] : [empty, empty, text]
        return try meter.list(result.map(TemplateValue.string), .tuple)
    }

    private static func hasEnd(
        _ name: String, _ text: TemplateText, _ arguments: Arguments, _ meter: Meter
    ) throws -> TemplateValue {
        let given = try arguments.bind("prefix", "start", "end", required: 1)
        let part = try slice(text, given[1], given[2])
        var candidates = [given[0]]
        if case .list(let list) = given[0], list.kind == .tuple { candidates = list.elements }
        return .bool(
            try candidates.contains { candidate in
                let end = try candidate.text()
                try meter.work(end.count)
                return name == "startswith" ? part.hasPrefix(end) : part.hasSuffix(end)
            })
    }

    /// The part between two offsets, which count from the end where they are negative.
    private static func slice(
        _ text: TemplateText, _ start: TemplateValue?, _ end: TemplateValue?
    ) throws -> TemplateText {
        func place(_ value: TemplateValue?, _ fallback: Int) throws -> Int {
            if value?.isNone ?? true { return fallback }
            let offset = try value.integer(0)
            return offset < 0 ? max(0, text.count + max(offset, -text.count)) : min(offset, text.count)
        }
        let (first, last) = (try place(start, 0), try place(end, text.count))
        return first <= last ? TemplateText(text.scalars[first..<last]) : ""
    }

    private static func find(
        _ name: String, _ text: TemplateText, _ arguments: Arguments, _ meter: Meter
    ) throws -> TemplateValue {
        let given = try arguments.bind("sub", "start", "end", required: 1)
        let (needle, part) = (try given[0].text(), try slice(text, given[1], given[2]))
        try meter.make(needle.count)
        let isFirst = name == "find" || name == "index"
        let before = try given[1].map { $0.isNone ? 0 : try text.count - slice(text, $0, nil).count } ?? 0
        let reversed = TemplateText(needle.scalars.reversed())
        let offset =
            isFirst
            ? part.offsets(of: needle, limit: 1).first
            : TemplateText(part.scalars.reversed()).offsets(of: reversed, limit: 1).first.map {
                part.count - $0 - needle.count
            }
        if let offset { return .integer(before + offset) }
        guard name.hasSuffix("find") else { throw Fault.problem("the text is not found") }
        return .integer(-1)
    }

    private static func pad(
        _ name: String, _ text: TemplateText, _ arguments: Arguments, _ meter: Meter
    ) throws -> TemplateValue {
        let given = try arguments.bind("width", "fillchar", required: 1)
        let filler = name == "zfill" ? "0" : try given[1].text(" ")
        guard filler.count == 1 else { throw Fault.problem("the filling is one character") }
        let width = try given[0].integer(0)
        let filling = try filler.repeated(max(0, min(width, Int.max / 2) - text.count), meter)
        if name == "ljust" { return .string(TemplateText(text.scalars + filling.scalars)) }
        let sign = name == "zfill" ? text.scalars.prefix(1).filter { [0x2B, 0x2D].contains($0.value) } : []
        return .string(TemplateText(sign + filling.scalars + text.scalars.dropFirst(sign.count)))
    }

    private static func isOfKind(_ name: String, _ text: TemplateText) throws -> Bool {
        let cased = text.scalars.lazy.map(\.scalar.properties).filter(\.isCased)
        switch name {
        case "isascii": return text.scalars.allSatisfy { $0.value < 0x80 }
        case "islower": return !cased.isEmpty && cased.allSatisfy(\.isLowercase)
        case "isupper": return !cased.isEmpty && cased.allSatisfy(\.isUppercase)
        case "istitle": return !cased.isEmpty && text == text.titled
        default:
            let isMember: (TemplateScalar) -> Bool =
                switch name {
                case "isdigit": \.isDigit
                case "isdecimal": { $0.scalar.properties.numericType == .decimal }
                case "isnumeric": { $0.scalar.properties.numericType != nil }
                case "isalpha": \.isLetter
                case "isspace": \.isSpace
                default: { $0.isLetter || $0.scalar.properties.numericType != nil }
                }
            return !text.isEmpty && text.scalars.allSatisfy(isMember)
        }
    }
}

extension TemplateText {
    /// The texts with this one between them.
    func joining(_ parts: [TemplateText], _ meter: Meter) throws -> TemplateText {
        var result: [TemplateScalar] = []
        for (index, part) in parts.enumerated() {
            try meter.make(part.count + (index > 0 ? count : 0))
            if index > 0 { result += scalars }
            result += part.scalars
        }
        return TemplateText(result)
    }
}
