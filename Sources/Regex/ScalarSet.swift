/// A set of Unicode scalars: the meaning of a bracket expression or an escape.
struct ScalarSet: Sendable {
    private(set) var ranges: [ClosedRange<UInt32>] = []
    private(set) var categories: CharacterClass.Categories = []
    /// Sets inside the brackets that cannot be merged into a union, such as `[^\w]` or `\P{L}`.
    private(set) var nested: [ScalarSet] = []
    /// Operands of `&&`: a member must be in each of them.
    private(set) var intersected: [ScalarSet] = []
    var isNegated = false
    /// Membership of the 128 ASCII scalars, filled by `sealed()`.
    private(set) var low: UInt64 = 0
    private(set) var high: UInt64 = 0

    init() {}

    init(categories: CharacterClass.Categories, negated: Bool = false) {
        self.categories = categories
        isNegated = negated
    }

    mutating func insert(_ range: ClosedRange<UInt32>) { ranges.append(range) }

    mutating func insert(_ set: ScalarSet) {
        if set.isNegated || !set.intersected.isEmpty {
            nested.append(set)
        } else {
            ranges += set.ranges
            categories.formUnion(set.categories)
            nested += set.nested
        }
    }

    mutating func intersect(_ set: ScalarSet) { intersected.append(set) }

    /// Adds the other cases of every scalar in the ranges (simple case folding, with ſ and the Kelvin sign).
    mutating func addOtherCases() {
        for range in ranges where range.count <= 0x400 {
            for value in range {
                guard let scalar = Unicode.Scalar(value) else { continue }
                for mapping in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
                    let scalars = mapping.unicodeScalars
                    if scalars.count == 1, let other = scalars.first, other != scalar {
                        ranges.append(other.value...other.value)
                    }
                }
                if value == 0x73 || value == 0x53 { ranges.append(0x17F...0x17F) }
                if value == 0x6B || value == 0x4B { ranges.append(0x212A...0x212A) }
            }
        }
        for index in nested.indices { nested[index].addOtherCases() }
    }

    /// The complete set with its ASCII table filled in.
    func sealed() -> ScalarSet {
        var set = self
        set.nested = nested.map { $0.sealed() }
        set.intersected = intersected.map { $0.sealed() }
        for scalar in 0..<UInt32(128) where set.slowContains(scalar) {
            if scalar < 64 { set.low |= 1 << UInt64(scalar) } else { set.high |= 1 << UInt64(scalar - 64) }
        }
        return set
    }

    @inline(__always)
    func contains(_ scalar: UInt32) -> Bool {
        if scalar < 64 { return low >> UInt64(scalar) & 1 != 0 }
        if scalar < 128 { return high >> UInt64(scalar - 64) & 1 != 0 }
        return slowContains(scalar)
    }

    private func slowContains(_ scalar: UInt32) -> Bool {
        var inside = !categories.isEmpty && !CharacterClass.of(scalar).isDisjoint(with: categories)
        if !inside { inside = ranges.contains { $0.contains(scalar) } }
        if !inside, !nested.isEmpty { inside = nested.contains { $0.slowContains(scalar) } }
        if inside, !intersected.isEmpty { inside = intersected.allSatisfy { $0.slowContains(scalar) } }
        return inside != isNegated
    }
}

extension ScalarSet {
    /// Sets by their property name, as in `\p{L}`.
    static let named: [String: ScalarSet] = {
        typealias C = CharacterClass.Categories
        let categories: [String: C] = [
            "L": .letter, "Lu": .lu, "Ll": .ll, "Lt": .lt, "Lm": .lm, "Lo": .lo, "M": .mark, "Mn": .mn, "Mc": .mc,
            "Me": .me,
            "N": .number, "Nd": .nd, "Nl": .nl, "No": .no, "P": .punctuation, "Pc": .pc, "Pd": .pd, "Ps": .ps,
            "Pe": .pe,
            "Pi": .pi, "Pf": .pf, "Po": .po, "S": .symbol, "Sm": .sm, "Sc": .sc, "Sk": .sk, "So": .so, "Z": .separator,
            "Zs": .zs, "Zl": .zl, "Zp": .zp, "C": .other, "Cc": .cc, "Cf": .cf, "Cs": .cs, "Co": .co, "Cn": .cn,
            "Letter": .letter, "Mark": .mark, "Number": .number, "Punctuation": .punctuation, "Symbol": .symbol,
            "Separator": .separator, "Alphabetic": .alphabetic, "White_Space": .whitespace,
        ]
        var sets = categories.mapValues { ScalarSet(categories: $0) }
        sets["Han"] = .han
        return sets
    }()

    /// Oniguruma's `\w`, with the superscript digits and fractions of Latin-1.
    static let word: ScalarSet = {
        var set = ScalarSet(categories: .word)
        for range: ClosedRange<UInt32> in [0xB2...0xB3, 0xB9...0xB9, 0xBC...0xBE] { set.insert(range) }
        return set
    }()

    /// Script=Han of Unicode 16.
    private static let han: ScalarSet = {
        var set = ScalarSet()
        let ranges: [ClosedRange<UInt32>] = [
            0x2E80...0x2E99, 0x2E9B...0x2EF3, 0x2F00...0x2FD5, 0x3005...0x3005, 0x3007...0x3007, 0x3021...0x3029,
            0x3038...0x303B,
            0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFA6D, 0xFA70...0xFAD9, 0x16FE2...0x16FE3, 0x16FF0...0x16FF1,
            0x20000...0x2A6DF, 0x2A700...0x2B739, 0x2B740...0x2B81D, 0x2B820...0x2CEA1, 0x2CEB0...0x2EBE0,
            0x2EBF0...0x2EE5D,
            0x2F800...0x2FA1D, 0x30000...0x3134A, 0x31350...0x323AF,
        ]
        for range in ranges { set.insert(range) }
        return set
    }()
}
