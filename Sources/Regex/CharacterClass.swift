/// Classes of Unicode scalars by the tables of the Swift standard library, cached for scalars below U+3100.
///
/// Characters newer than Unicode 16 count as unassigned, as in Oniguruma, whose splits are the reference.
package enum CharacterClass {
    /// A set of general categories, one bit each.
    package struct Categories: OptionSet, Sendable {
        package let rawValue: UInt32

        @inlinable
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let lu = Self(rawValue: 1 << 0), ll = Self(rawValue: 1 << 1), lt = Self(rawValue: 1 << 2)
        package static let lm = Self(rawValue: 1 << 3), lo = Self(rawValue: 1 << 4)
        package static let mn = Self(rawValue: 1 << 5), mc = Self(rawValue: 1 << 6), me = Self(rawValue: 1 << 7)
        package static let nd = Self(rawValue: 1 << 8), nl = Self(rawValue: 1 << 9), no = Self(rawValue: 1 << 10)
        package static let pc = Self(rawValue: 1 << 11), pd = Self(rawValue: 1 << 12), ps = Self(rawValue: 1 << 13),
            pe = Self(rawValue: 1 << 14)
        package static let pi = Self(rawValue: 1 << 15), pf = Self(rawValue: 1 << 16), po = Self(rawValue: 1 << 17)
        package static let sm = Self(rawValue: 1 << 18), sc = Self(rawValue: 1 << 19), sk = Self(rawValue: 1 << 20),
            so = Self(rawValue: 1 << 21)
        package static let zs = Self(rawValue: 1 << 22), zl = Self(rawValue: 1 << 23), zp = Self(rawValue: 1 << 24)
        package static let cc = Self(rawValue: 1 << 25), cf = Self(rawValue: 1 << 26), cs = Self(rawValue: 1 << 27),
            co = Self(rawValue: 1 << 28), cn = Self(rawValue: 1 << 29)
        /// The properties White_Space and Alphabetic, which are not categories.
        package static let whitespace = Self(rawValue: 1 << 30), alphabetic = Self(rawValue: 1 << 31)

        package static let letter: Self = [.lu, .ll, .lt, .lm, .lo]
        package static let mark: Self = [.mn, .mc, .me]
        package static let number: Self = [.nd, .nl, .no]
        package static let punctuation: Self = [.pc, .pd, .ps, .pe, .pi, .pf, .po]
        package static let symbol: Self = [.sm, .sc, .sk, .so]
        package static let separator: Self = [.zs, .zl, .zp]
        package static let other: Self = [.cc, .cf, .cs, .co, .cn]
        /// `\w` of UTS #18: Alphabetic, marks, decimal digits, connector punctuation.
        package static let word: Self = [.alphabetic, .mn, .mc, .me, .nd, .pc]
    }

    @usableFromInline static let tableSize: UInt32 = 0x3100
    @usableFromInline static let table: [UInt32] = (0..<tableSize).map { lookUp($0).rawValue }

    /// The category of the scalar, with the White_Space and Alphabetic bits.
    @inlinable @inline(__always)
    package static func of(_ scalar: UInt32) -> Categories {
        if scalar < tableSize { return Categories(rawValue: table[Int(scalar)]) }
        return lookUp(scalar)
    }

    @usableFromInline
    static func lookUp(_ value: UInt32) -> Categories {
        guard let scalar = Unicode.Scalar(value) else { return .cs }
        let properties = scalar.properties
        if let age = properties.age, age.major > 16 { return .cn }
        // Unicode 17 moved this letter from lowercase to other.
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

    package static func isWhitespace(_ scalar: UInt32) -> Bool { of(scalar).contains(.whitespace) }
    package static func isWord(_ scalar: UInt32) -> Bool {
        !of(scalar).isDisjoint(with: .word) || scalar == 0x200C || scalar == 0x200D
    }
}
