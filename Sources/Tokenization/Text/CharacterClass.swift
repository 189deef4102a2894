/// What a scalar is, by the Unicode tables of the Swift standard library. Small scalars come from a table made once.
///
/// Characters newer than Unicode 16 count as unassigned, as in the regular expression library whose splits are the reference.
enum CharacterClass {
    /// A set of general categories, one bit each.
    struct Categories: OptionSet, Sendable {
        let rawValue: UInt32

        static let lu = Self(rawValue: 1 << 0), ll = Self(rawValue: 1 << 1), lt = Self(rawValue: 1 << 2)
        static let lm = Self(rawValue: 1 << 3), lo = Self(rawValue: 1 << 4)
        static let mn = Self(rawValue: 1 << 5), mc = Self(rawValue: 1 << 6), me = Self(rawValue: 1 << 7)
        static let nd = Self(rawValue: 1 << 8), nl = Self(rawValue: 1 << 9), no = Self(rawValue: 1 << 10)
        static let pc = Self(rawValue: 1 << 11), pd = Self(rawValue: 1 << 12), ps = Self(rawValue: 1 << 13),
            pe = Self(rawValue: 1 << 14)
        static let pi = Self(rawValue: 1 << 15), pf = Self(rawValue: 1 << 16), po = Self(rawValue: 1 << 17)
        static let sm = Self(rawValue: 1 << 18), sc = Self(rawValue: 1 << 19), sk = Self(rawValue: 1 << 20),
            so = Self(rawValue: 1 << 21)
        static let zs = Self(rawValue: 1 << 22), zl = Self(rawValue: 1 << 23), zp = Self(rawValue: 1 << 24)
        static let cc = Self(rawValue: 1 << 25), cf = Self(rawValue: 1 << 26), cs = Self(rawValue: 1 << 27),
            co = Self(rawValue: 1 << 28), cn = Self(rawValue: 1 << 29)
        /// Not a category but kept beside them: White_Space and Alphabetic.
        static let whitespace = Self(rawValue: 1 << 30), alphabetic = Self(rawValue: 1 << 31)

        static let letter: Self = [.lu, .ll, .lt, .lm, .lo]
        static let mark: Self = [.mn, .mc, .me]
        static let number: Self = [.nd, .nl, .no]
        static let punctuation: Self = [.pc, .pd, .ps, .pe, .pi, .pf, .po]
        static let symbol: Self = [.sm, .sc, .sk, .so]
        static let separator: Self = [.zs, .zl, .zp]
        static let other: Self = [.cc, .cf, .cs, .co, .cn]
        /// `\w` of UTS #18: Alphabetic, marks, decimal digits, connector punctuation.
        static let word: Self = [.alphabetic, .mn, .mc, .me, .nd, .pc]
    }

    private static let tableSize: UInt32 = 0x3100
    private static let table: [UInt32] = (0..<tableSize).map { lookUp($0).rawValue }

    /// The category of the scalar, with the White_Space and Alphabetic bits.
    @inline(__always)
    static func of(_ scalar: UInt32) -> Categories {
        if scalar < tableSize { return Categories(rawValue: table[Int(scalar)]) }
        return lookUp(scalar)
    }

    private static func lookUp(_ value: UInt32) -> Categories {
        guard let scalar = Unicode.Scalar(value) else { return .cs }
        let properties = scalar.properties
        if let age = properties.age, age.major > 16 { return .cn }
        // A letter that Unicode 17 moved from lowercase to other.
        if value == 0x295 { return [.ll, .alphabetic] }
        var result: Categories =
            switch properties.generalCategory {
            case .uppercaseLetter: .lu
            case .lowercaseLetter: .ll
            case .titlecaseLetter: .lt
            case .modifierLetter: .lm
            case .otherLetter: .lo
            case .nonspacingMark: .mn
            case .spacingMark: .mc
            case .enclosingMark: .me
            case .decimalNumber: .nd
            case .letterNumber: .nl
            case .otherNumber: .no
            case .connectorPunctuation: .pc
            case .dashPunctuation: .pd
            case .openPunctuation: .ps
            case .closePunctuation: .pe
            case .initialPunctuation: .pi
            case .finalPunctuation: .pf
            case .otherPunctuation: .po
            case .mathSymbol: .sm
            case .currencySymbol: .sc
            case .modifierSymbol: .sk
            case .otherSymbol: .so
            case .spaceSeparator: .zs
            case .lineSeparator: .zl
            case .paragraphSeparator: .zp
            case .control: .cc
            case .format: .cf
            case .surrogate: .cs
            case .privateUse: .co
            case .unassigned: .cn
            @unknown default: .cn
            }
        if properties.isWhitespace { result.insert(.whitespace) }
        if properties.isAlphabetic { result.insert(.alphabetic) }
        return result
    }

    static func isWhitespace(_ scalar: UInt32) -> Bool { of(scalar).contains(.whitespace) }
    static func isWord(_ scalar: UInt32) -> Bool {
        !of(scalar).isDisjoint(with: .word) || scalar == 0x200C || scalar == 0x200D
    }

    /// Whether the scalar was assigned in that version of Unicode. Some tables of the field are that old, and new characters
    /// pass through them as unassigned ones.
    static func isAssigned(_ scalar: UInt32, byUnicode version: Int) -> Bool {
        guard let age = Unicode.Scalar(scalar)?.properties.age else { return false }
        return age.major <= version
    }

    /// Numeric by the newest tables, for `Digits`.
    static func isNumber(_ scalar: UInt32) -> Bool {
        if scalar < tableSize { return !of(scalar).isDisjoint(with: .number) }
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

    /// Punctuation as BERT has it: every ASCII character that is neither letter, digit, space nor control, and category P
    /// (of Unicode 8, as in the reference implementation's tables).
    static func isBertPunctuation(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E, 0x166D, 0x111C9: true
        case 0..<0x80: false
        default: !of(scalar).isDisjoint(with: .punctuation) && isAssigned(scalar, byUnicode: 8)
        }
    }

    /// The ideograph blocks that BERT sets apart with spaces.
    static func isBertIdeograph(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B81F, 0x2B920...0x2CEAF, 0xF900...0xFAFF,
            0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}
