import Foundation

extension Glyph {
    /// The closest ASCII character, for terminals without UTF-8 and for `--ascii`.
    var ascii: Glyph {
        if base < 0x80 { return Glyph(Unicode.Scalar(UInt8(base))) }
        if let scalar = Self.substitutes[base] { return Glyph(scalar) }
        // Latin letters with accents keep the letter.
        if let decomposed = Unicode.Scalar(base).map({
            String($0).decomposedStringWithCanonicalMapping.unicodeScalars.first
        }), let letter = decomposed,
            letter.isASCII
        {
            return Glyph(letter)
        }
        return Glyph("?")
    }

    private static let substitutes: [UInt32: Unicode.Scalar] = {
        let groups: [(String, Unicode.Scalar)] = [
            ("─━╌┄", "-"), ("│┃╎┆", "|"), ("┌┐└┘├┤┬┴┼╭╮╰╯╵╷", "+"), ("█▀▄▇▆▅▊▉▋▌■▓▣▚▞▛▜▙▟▐", "#"),
            ("▃▂▁▎▏▍░▒▘▝▖▗", "."), ("…·•", "."), ("→▸▶›", ">"),
            ("←◂◀‹", "<"), ("↑▲", "^"), ("↓▼", "v"), ("×✗", "x"), ("–—−", "-"), ("’‘", "'"), ("“”", "\""),
            ("●◆♪⏎✓", "*"), ("○◇", "o"), ("⚠", "!"),
        ]
        var table: [UInt32: Unicode.Scalar] = [:]
        for (characters, substitute) in groups {
            for scalar in characters.unicodeScalars { table[scalar.value] = substitute }
        }
        return table
    }()
}
