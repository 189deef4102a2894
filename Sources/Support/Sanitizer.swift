/// Makes text from a model, a file or the network safe for a terminal: nothing in it can move the cursor, set a color or
/// a title, or change the direction of writing.
package enum Sanitizer: Sendable {
    /// For cells of a screen. Escape sequences (CSI, OSC, DCS and their 8-bit forms) are dropped; a lone control character
    /// becomes its picture (`␛`, `␇`); a tab becomes four spaces; carriage returns before line feeds are dropped.
    /// Private-use scalars, whose width is unknown, become `\u{…}`.
    case cells
    /// For a stream such as standard output, where every byte stays visible: control characters become `\u{…}`; tabs and
    /// line feeds stay.
    case stream

    /// The text with its line feeds.
    package func text(_ untrusted: String) -> String {
        if untrusted.utf8.allSatisfy({ ($0 >= 0x20 && $0 < 0x7F) || $0 == 0x0A }) { return untrusted }
        var output = String.UnicodeScalarView()
        var scalars = Array(untrusted.unicodeScalars)[...]
        while let scalar = scalars.popFirst() {
            if scalar == "\n" {
                output.append(scalar)
            } else if scalar.properties.generalCategory == .control {
                switch self {
                case .cells: appendControl(scalar, rest: &scalars, to: &output)
                case .stream: if scalar == "\t" { output.append(scalar) } else { Self.spell(scalar, in: &output) }
                }
            } else if isHidden(scalar) {
                Self.spell(scalar, in: &output)
            } else {
                output.append(scalar)
            }
        }
        return String(output)
    }

    /// The text on one line: line feeds become `⏎` in cells; in a stream they and tabs become spaces.
    package func line(_ untrusted: String) -> String {
        let text = text(untrusted)
        switch self {
        case .cells: return text.replacing("\n", with: "⏎")
        case .stream: return String(text.map { $0 == "\n" || $0 == "\t" ? " " : $0 })
        }
    }

    /// Scalars that are invisible or that reorder their neighbors.
    private func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .lineSeparator, .paragraphSeparator: true
        case .format: !Self.neededFormats.contains(scalar.value)
        case .privateUse: self == .cells
        default: self == .cells && scalar.value >= 0xE0000
        }
    }

    /// Format characters that text needs: the two joiners of many scripts and of emoji, and the visible signs of Arabic,
    /// Syriac and Kaithi.
    private static let neededFormats: Set<UInt32> = [
        0x200C, 0x200D, 0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD,
    ]

    private static func spell(_ scalar: Unicode.Scalar, in output: inout String.UnicodeScalarView) {
        output.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
    }
}

// MARK: Control characters in cells

private func appendControl(
    _ scalar: Unicode.Scalar, rest scalars: inout ArraySlice<Unicode.Scalar>, to output: inout String.UnicodeScalarView
) {
    switch scalar.value {
    case 0x0D: if scalars.first?.value != 0x0A { output.append("\n") }
    case 0x09: output.append(contentsOf: "    ".unicodeScalars)
    case 0x1B, 0x9B, 0x90, 0x9D, 0x98, 0x9E, 0x9F:
        if !skipEscapeSequence(&scalars, introducer: scalar.value) { output.append("\u{241B}") }
    case 0x00..<0x20: output.append(Unicode.Scalar(0x2400 + scalar.value)!)  // U+2400…U+241F, the control pictures
    case 0x7F: output.append("\u{2421}")
    default: output.append("\u{FFFD}")
    }
}

/// Drops the rest of an escape sequence.
/// - Returns: false if no sequence follows; then only the introducer is dropped.
private func skipEscapeSequence(_ scalars: inout ArraySlice<Unicode.Scalar>, introducer: UInt32) -> Bool {
    var kind = introducer
    if introducer == 0x1B {
        guard let next = scalars.first?.value else { return false }
        switch next {
        case 0x5B: kind = 0x9B  // [
        case 0x5D: kind = 0x9D  // ]
        case 0x50, 0x58, 0x5E, 0x5F: kind = 0x90  // P X ^ _
        case 0x20...0x2F:  // e.g. ESC ( B: intermediates, then one final byte
            while let value = scalars.first?.value, (0x20...0x2F).contains(value) { scalars.removeFirst() }
            if let value = scalars.first?.value, (0x30...0x7E).contains(value) { scalars.removeFirst() }
            return true
        case 0x30...0x7E:
            scalars.removeFirst()
            return true
        default: return false
        }
        scalars.removeFirst()
    }
    if kind == 0x9B {
        while let value = scalars.first?.value, (0x20...0x3F).contains(value) { scalars.removeFirst() }
        if let value = scalars.first?.value, (0x40...0x7E).contains(value) { scalars.removeFirst() }
        return true
    }
    // A string sequence ends with BEL, ST or ESC \; an unterminated one drops the rest of its line only.
    while let value = scalars.first?.value, value != 0x0A {
        scalars.removeFirst()
        if value == 0x07 || value == 0x9C { return true }
        if value == 0x1B {
            if scalars.first?.value == 0x5C { scalars.removeFirst() }
            return true
        }
    }
    return true
}
