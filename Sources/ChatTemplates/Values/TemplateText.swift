/// One Unicode scalar of a text, marked if it came from the input rather than from the template.
package struct TemplateScalar: Sendable {
    private let bits: UInt32

    init(_ scalar: Unicode.Scalar, isInput: Bool = false) { bits = scalar.value | (isInput ? Self.mark : 0) }

    private static let mark: UInt32 = 1 << 31

    var value: UInt32 { bits & ~Self.mark }
    var scalar: Unicode.Scalar { Unicode.Scalar(value) ?? "\u{FFFD}" }
    var isInput: Bool { bits & Self.mark != 0 }
}

extension TemplateScalar: Hashable, Comparable {
    package static func == (a: Self, b: Self) -> Bool { a.value == b.value }
    package static func < (a: Self, b: Self) -> Bool { a.value < b.value }
    package func hash(into hasher: inout Hasher) { hasher.combine(value) }
}

/// A string as Python has it: a sequence of Unicode scalars, compared scalar by scalar.
///
/// Every scalar keeps its mark through concatenation, slices and the other operations, so the rendered prompt tells what
/// the template wrote from what people wrote: text of people must never become a special token.
package struct TemplateText: Sendable {
    package var scalars: [TemplateScalar]
    /// Set by `safe` and `escape`: adding an ordinary string escapes that string, as Python's `Markup` does.
    var isEscaped = false

    init(_ scalars: some Sequence<TemplateScalar>, isEscaped: Bool = false) {
        self.scalars = Array(scalars)
        self.isEscaped = isEscaped
    }

    package init(_ string: String, isInput: Bool = false) {
        scalars = string.unicodeScalars.map { TemplateScalar($0, isInput: isInput) }
    }

    package var string: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars.lazy.map(\.scalar))
        return String(view)
    }

    /// The text as its longest runs of one origin.
    package var runs: [(text: String, isInput: Bool)] {
        var runs: [(text: String, isInput: Bool)] = []
        var rest = scalars[...]
        while let first = rest.first {
            let run = rest.prefix { $0.isInput == first.isInput }
            runs.append((TemplateText(run).string, first.isInput))
            rest = rest[run.endIndex...]
        }
        return runs
    }

    var count: Int { scalars.count }
    var isEmpty: Bool { scalars.isEmpty }
}

extension TemplateText: Hashable, Comparable, ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self.init(value) }
    package static func == (a: Self, b: Self) -> Bool { a.scalars == b.scalars }
    package static func < (a: Self, b: Self) -> Bool { a.scalars.lexicographicallyPrecedes(b.scalars) }
    package func hash(into hasher: inout Hasher) { hasher.combine(scalars) }
}

// MARK: - Searching and cutting

extension TemplateText {
    typealias Predicate = (TemplateScalar) -> Bool

    /// The text without scalars of a kind at its ends.
    func trimmed(start: Bool = true, end: Bool = true, _ isDropped: Predicate = \.isSpace) -> TemplateText {
        var rest = scalars[...]
        if start { rest = rest.drop(while: isDropped) }
        if end { while let last = rest.last, isDropped(last) { rest.removeLast() } }
        return TemplateText(rest, isEscaped: isEscaped)
    }

    func hasPrefix(_ other: TemplateText) -> Bool { scalars.starts(with: other.scalars) }
    func hasSuffix(_ other: TemplateText) -> Bool { scalars.reversed().starts(with: other.scalars.reversed()) }

    /// Offsets where `needle` begins, without overlaps, at most `limit`. Linear in both lengths (Knuth, Morris, Pratt).
    func offsets(of needle: TemplateText, limit: Int = .max) -> [Int] {
        guard limit > 0 else { return [] }
        guard !needle.isEmpty else { return Array((0...count).prefix(limit)) }
        var fallback = [0]
        fallback.reserveCapacity(needle.count)
        var matched = 0
        for scalar in needle.scalars.dropFirst() {
            while matched > 0, needle.scalars[matched] != scalar { matched = fallback[matched - 1] }
            if needle.scalars[matched] == scalar { matched += 1 }
            fallback.append(matched)
        }
        var offsets: [Int] = []
        matched = 0
        for (offset, scalar) in scalars.enumerated() {
            while matched > 0, needle.scalars[matched] != scalar { matched = fallback[matched - 1] }
            if needle.scalars[matched] == scalar { matched += 1 }
            if matched == needle.count {
                offsets.append(offset + 1 - matched)
                if offsets.count == limit { break }
                matched = 0
            }
        }
        return offsets
    }

    func contains(_ needle: TemplateText) -> Bool { !offsets(of: needle, limit: 1).isEmpty }

    /// The pieces between the first `limit` places of a separator.
    func split(at separator: TemplateText, limit: Int) -> [TemplateText] {
        pieces(between: offsets(of: separator, limit: limit), separator.count)
    }

    /// As `split`, from the end.
    func splitFromEnd(at separator: TemplateText, limit: Int) -> [TemplateText] {
        let reversed = TemplateText(scalars.reversed()).offsets(
            of: TemplateText(separator.scalars.reversed()), limit: limit)
        return pieces(between: reversed.reversed().map { count - $0 - separator.count }, separator.count)
    }

    private func pieces(between offsets: [Int], _ width: Int) -> [TemplateText] {
        var (pieces, start) = ([TemplateText](), 0)
        for offset in offsets {
            pieces.append(TemplateText(scalars[start..<offset]))
            start = offset + width
        }
        return pieces + [TemplateText(scalars[start...])]
    }

    /// The pieces between runs of white space; what follows the first `limit` runs stays whole.
    func splitAtSpace(limit: Int) -> [TemplateText] {
        var pieces: [TemplateText] = []
        var rest = scalars.drop(while: \.isSpace)
        while !rest.isEmpty {
            if pieces.count == limit {
                pieces.append(TemplateText(rest))
                break
            }
            let piece = rest.prefix { !$0.isSpace }
            pieces.append(TemplateText(piece))
            rest = rest[piece.endIndex...].drop(while: \.isSpace)
        }
        return pieces
    }

    /// The lines, without what ends them unless `keepEnds`.
    func lines(keepEnds: Bool = false) -> [TemplateText] {
        var (lines, start, offset) = ([TemplateText](), 0, 0)
        while offset < count {
            guard scalars[offset].endsLine else {
                offset += 1
                continue
            }
            let isPair = scalars[offset].value == 0x0D && offset + 1 < count && scalars[offset + 1].value == 0x0A
            let next = offset + (isPair ? 2 : 1)
            lines.append(TemplateText(scalars[start..<(keepEnds ? next : offset)]))
            (start, offset) = (next, next)
        }
        if start < count { lines.append(TemplateText(scalars[start...])) }
        return lines
    }

    /// The text with the first `limit` places of `old` written as `new`.
    func replacing(_ old: TemplateText, with new: TemplateText, limit: Int, meter: Meter) throws -> TemplateText {
        let offsets = offsets(of: old, limit: limit)
        let (growth, overflow) = offsets.count.multipliedReportingOverflow(by: new.count)
        try meter.make(overflow ? .max : growth)
        try meter.make(count)
        var (result, start) = ([TemplateScalar](), 0)
        for offset in offsets {
            result += scalars[start..<offset]
            result += new.scalars
            start = offset + old.count
        }
        return TemplateText(result + scalars[start...], isEscaped: isEscaped)
    }
}

// MARK: - Kinds of scalars and letter case

extension TemplateScalar {
    /// White space as Python's `str.isspace` defines it.
    var isSpace: Bool { scalar.properties.isWhitespace || (0x1C...0x1F).contains(value) }
    /// Ends a line for Python's `str.splitlines`.
    var endsLine: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }
    var isLetter: Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }
    var isDigit: Bool {
        switch scalar.properties.numericType {
        case .decimal, .digit: true
        default: false
        }
    }
    /// Written as itself in a Python literal.
    var isPrintable: Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: value == 0x20
        default: true
        }
    }
}

extension TemplateText {
    private func mapped(_ mapping: (Int, TemplateScalar) -> String) -> TemplateText {
        var result: [TemplateScalar] = []
        result.reserveCapacity(count)
        for (offset, scalar) in scalars.enumerated() {
            result += mapping(offset, scalar).unicodeScalars.map { TemplateScalar($0, isInput: scalar.isInput) }
        }
        return TemplateText(result, isEscaped: isEscaped)
    }

    var uppercased: TemplateText { mapped { $1.scalar.properties.uppercaseMapping } }
    var lowercased: TemplateText { mapped { lowercase(at: $0, $1) } }
    /// The first letter upper case, the others lower case.
    var capitalized: TemplateText {
        mapped { $0 == 0 ? $1.scalar.properties.titlecaseMapping : lowercase(at: $0, $1) }
    }
    /// Letters behind anything but a letter upper case, the others lower case: Python's `str.title`.
    var titled: TemplateText {
        mapped { offset, scalar in
            offset > 0 && scalars[offset - 1].scalar.properties.isCased
                ? lowercase(at: offset, scalar) : scalar.scalar.properties.titlecaseMapping
        }
    }

    /// Upper case for lower case and the other way round.
    var caseSwapped: TemplateText {
        mapped { offset, scalar in
            let properties = scalar.scalar.properties
            return properties.isUppercase ? lowercase(at: offset, scalar) : properties.uppercaseMapping
        }
    }

    /// A capital sigma at the end of a word has a lower case of its own.
    private func lowercase(at offset: Int, _ scalar: TemplateScalar) -> String {
        guard scalar.value == 0x3A3 else { return scalar.scalar.properties.lowercaseMapping }
        func isCased(_ part: some Sequence<TemplateScalar>) -> Bool {
            part.first { !$0.scalar.properties.isCaseIgnorable }?.scalar.properties.isCased ?? false
        }
        return isCased(scalars[..<offset].reversed()) && !isCased(scalars[(offset + 1)...]) ? "ς" : "σ"
    }

    /// The text with the characters that HTML reserves written as entities.
    var htmlEscaped: TemplateText {
        var text = mapped { _, scalar in
            switch scalar.scalar {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "'": "&#39;"
            case "\"": "&#34;"
            default: String(Character(scalar.scalar))
            }
        }
        text.isEscaped = true
        return text
    }
}
