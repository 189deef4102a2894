import Regex

/// Classes of older Unicode versions: the tables of reference implementations stay at the version they were written for, and
/// newer characters pass through them as unassigned ones.
extension CharacterClass {
    /// True if the scalar is assigned in that major version of Unicode.
    static func isAssigned(_ scalar: UInt32, byUnicode version: Int) -> Bool {
        guard let age = Unicode.Scalar(scalar)?.properties.age else { return false }
        return age.major <= version
    }

    /// A number by the newest tables, for the pre-tokenizer `Digits`.
    static func isNumber(_ scalar: UInt32) -> Bool {
        if scalar < 0x80 { return !of(scalar).isDisjoint(with: .number) }
        return switch Unicode.Scalar(scalar)?.properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: true
        default: false
        }
    }

    /// A nonspacing mark of Unicode 8; a few characters have changed their category since.
    static func isNonspacingMarkOfUnicode8(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0..<0x300, 0x1885, 0x1886, 0xA9BD, 0x111C9: false
        case 0x1734, 0x1171E: true
        default: of(scalar).contains(.mn) && isAssigned(scalar, byUnicode: 8)
        }
    }

    /// A mark of Unicode 9.
    static func isMarkOfUnicode9(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0..<0x300, 0x111C9: false
        case 0x1CF2, 0x1CF3: true
        default: !of(scalar).isDisjoint(with: .mark) && isAssigned(scalar, byUnicode: 9)
        }
    }

    /// BERT's punctuation: every ASCII character that is neither letter, digit, space nor control, and category P of
    /// Unicode 8.
    static func isBertPunctuation(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E, 0x166D, 0x111C9: true
        case 0..<0x80: false
        default: !of(scalar).isDisjoint(with: .punctuation) && isAssigned(scalar, byUnicode: 8)
        }
    }

    /// The ideograph blocks that BERT surrounds with spaces.
    static func isBertIdeograph(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B81F, 0x2B920...0x2CEAF, 0xF900...0xFAFF,
            0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}
