/// Makes text from a model, a file or the network safe to show: nothing in it can move the cursor, set a color or a
/// title, or reorder the line.
///
/// Escape sequences (CSI, OSC, DCS and their 8-bit forms) vanish whole; a lone control character becomes its picture
/// (`␛`, `␇`); tabs become four spaces; line feeds stay, carriage returns before them go; bidirectional overrides, zero
/// width spaces and private-use scalars become `\u{…}`.
package func sanitize(_ untrusted: String) -> String {
    if untrusted.utf8.allSatisfy({ ($0 >= 0x20 && $0 < 0x7F) || $0 == 0x0A }) { return untrusted }
    var output = String.UnicodeScalarView()
    var scalars = Array(untrusted.unicodeScalars)[...]
    while let scalar = scalars.popFirst() {
        switch scalar.value {
        case 0x0A: output.append(scalar)
        case 0x0D: if scalars.first?.value != 0x0A { output.append("\n") }
        case 0x09: output.append(contentsOf: "    ".unicodeScalars)
        case 0x1B, 0x9B, 0x90, 0x9D, 0x98, 0x9E, 0x9F:
            if !skipEscapeSequence(&scalars, introducer: scalar.value) { output.append("\u{241B}") }
        case 0x00..<0x20: output.append(Unicode.Scalar(0x2400 + scalar.value)!)  // U+2400…U+241F, the control pictures
        case 0x7F: output.append("\u{2421}")
        case 0x80..<0xA0: output.append("\u{FFFD}")
        case 0x00AD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A...0x202E, 0x2060...0x206F, 0xFEFF,
            0xFFF9...0xFFFB,
            0xE000...0xF8FF, 0xE0000...0x10FFFF:
            output.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
        default: output.append(scalar)
        }
    }
    return String(output)
}

/// Text for one line: sanitized, with line feeds shown as `⏎`.
package func sanitizedLine(_ untrusted: String) -> String {
    let text = sanitize(untrusted)
    return text.contains("\n")
        ? text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "⏎") : text
}

/// Drops the rest of an escape sequence. False when what follows is none (then only the introducer goes).
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
    // A string sequence runs to BEL, ST or ESC \; without an end it swallows the line, no more.
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
