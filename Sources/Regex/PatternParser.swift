/// An error in a pattern, such as "a group does not end".
package struct PatternError: Error {
    package let reason: String
}

/// A parser for the regular expressions of tokenizer files: the common core of Oniguruma's and ICU's syntax, without
/// backreferences. Any other construct is an error, never a guess.
struct PatternParser {
    private let pattern: [Unicode.Scalar]
    private var index = 0
    private var ignoresCase = false
    private static let maximumDepth = 64
    /// Bound on m and n of `{m,n}`, which is expanded.
    static let maximumRepetition = 1000

    static func parse(_ pattern: String) throws -> PatternNode {
        var parser = PatternParser(pattern: Array(pattern.unicodeScalars))
        let node = try parser.alternatives(depth: 0)
        guard parser.index == parser.pattern.count else {
            throw PatternError(reason: "a closing parenthesis has no opening one")
        }
        return node
    }

    private init(pattern: [Unicode.Scalar]) { self.pattern = pattern }

    private var current: Unicode.Scalar? { index < pattern.count ? pattern[index] : nil }

    private mutating func take(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        guard pattern[index...].starts(with: scalars) else { return false }
        index += scalars.count
        return true
    }

    private mutating func alternatives(depth: Int) throws -> PatternNode {
        guard depth < Self.maximumDepth else { throw PatternError(reason: "groups are nested too deeply") }
        var branches = [try sequence(depth: depth)]
        while take("|") { branches.append(try sequence(depth: depth)) }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence(depth: Int) throws -> PatternNode {
        var nodes: [PatternNode] = []
        while let scalar = current, scalar != "|", scalar != ")" {
            let atom = try atom(depth: depth)
            nodes.append(try quantified(atom))
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private mutating func quantified(_ atom: PatternNode) throws -> PatternNode {
        var node = atom
        var depth = 0
        while let scalar = current {
            let minimum: Int
            let maximum: Int
            switch scalar {
            case "*": (minimum, maximum) = (0, .max); index += 1
            case "+": (minimum, maximum) = (1, .max); index += 1
            case "?": (minimum, maximum) = (0, 1); index += 1
            case "{":
                guard let bounds = try braces() else { return node }
                (minimum, maximum) = bounds
            default: return node
            }
            depth += 1
            guard depth < Self.maximumDepth else { throw PatternError(reason: "quantifiers are stacked too deeply") }
            let greed: PatternNode.Greed = take("+") ? .possessive : take("?") ? .lazy : .greedy
            node = .repetition(node, minimum: minimum, maximum: maximum, greed)
        }
        return node
    }

    /// The bounds of `{3}`, `{1,3}`, `{2,}` or `{,4}`; nil, with nothing consumed, when the brace is a plain character.
    private mutating func braces() throws -> (Int, Int)? {
        let start = index
        index += 1
        let low = digits()
        var high = low
        var open = false
        if take(",") {
            high = digits()
            open = high == nil
        }
        guard take("}"), low != nil || high != nil else {
            index = start
            return nil
        }
        let minimum = low ?? 0
        let maximum = open ? Int.max : high ?? minimum
        guard minimum <= maximum, minimum <= Self.maximumRepetition, open || maximum <= Self.maximumRepetition else {
            throw PatternError(reason: "a repetition count is out of range")
        }
        return (minimum, maximum)
    }

    private mutating func digits() -> Int? {
        var number: Int?
        while let scalar = current, let digit = Character(scalar).wholeNumberValue, scalar.isASCII,
            (number ?? 0) < 1_000_000
        {
            number = (number ?? 0) * 10 + digit
            index += 1
        }
        return number
    }

    private mutating func atom(depth: Int) throws -> PatternNode {
        guard let scalar = current else { throw PatternError(reason: "it ends too early") }
        index += 1
        switch scalar {
        case "(": return try group(depth: depth)
        case "[": return .set(try bracket(depth: depth).sealed())
        case ".":
            var set = ScalarSet()
            set.insert(0x0A...0x0A)
            set.isNegated = true
            return .set(set.sealed())
        case "^": return .lineStart
        case "$": return .lineEnd
        case "\\": return try escape()
        case "*", "+", "?": throw PatternError(reason: "a quantifier has nothing to repeat")
        default: return literal(scalar)
        }
    }

    private func literal(_ scalar: Unicode.Scalar) -> PatternNode {
        var set = ScalarSet()
        set.insert(scalar.value...scalar.value)
        if ignoresCase { set.addOtherCases() }
        return .set(set.sealed())
    }

    private mutating func group(depth: Int) throws -> PatternNode {
        let outer = ignoresCase
        var wrap: (PatternNode) throws -> PatternNode = { $0 }
        if take("?:") {
        } else if take("?=") {
            wrap = { .look($0, ahead: true, negated: false) }
        } else if take("?!") {
            wrap = { .look($0, ahead: true, negated: true) }
        } else if take("?<=") {
            wrap = { .look(try Self.behind($0), ahead: false, negated: false) }
        } else if take("?<!") {
            wrap = { .look(try Self.behind($0), ahead: false, negated: true) }
        } else if take("?>") {
            wrap = { .atomic($0) }
        } else if take("?i:") {
            ignoresCase = true
        } else if take("?-i:") {
            ignoresCase = false
        } else if take("?i)") {
            // Applies to the rest of the enclosing group.
            ignoresCase = true
            let rest = try alternatives(depth: depth + 1)
            ignoresCase = outer
            return rest
        } else if current == "?" {
            throw PatternError(reason: "this kind of group is not supported")
        }
        let inner = try alternatives(depth: depth + 1)
        guard take(")") else { throw PatternError(reason: "a group does not end") }
        ignoresCase = outer
        return try wrap(inner)
    }

    private static func behind(_ node: PatternNode) throws -> PatternNode {
        guard node.fixedLength != nil else {
            throw PatternError(
                reason: "look-behind must have a fixed length of at most \(PatternNode.longestFixedLength)")
        }
        return node
    }

    private mutating func escape() throws -> PatternNode {
        guard let scalar = current else { throw PatternError(reason: "it ends with a backslash") }
        switch scalar {
        case "A": index += 1; return .textStart
        case "z", "Z": index += 1; return .textEnd
        case "b": index += 1; return .wordBoundary
        case "B": index += 1; return .notWordBoundary
        default:
            var set = try escapedSet()
            if ignoresCase { set.addOtherCases() }
            return .set(set.sealed())
        }
    }

    /// A class or character after a backslash, inside or outside brackets.
    private mutating func escapedSet() throws -> ScalarSet {
        guard let scalar = current else { throw PatternError(reason: "it ends with a backslash") }
        index += 1
        switch scalar {
        case "s": return ScalarSet(categories: .whitespace)
        case "S": return ScalarSet(categories: .whitespace, negated: true)
        case "d": return ScalarSet(categories: .nd)
        case "D": return ScalarSet(categories: .nd, negated: true)
        case "w": return .word
        case "W":
            var set = ScalarSet.word
            set.isNegated = true
            return set
        case "p", "P": return try property(negated: scalar == "P")
        case "n": return single(0x0A)
        case "r": return single(0x0D)
        case "t": return single(0x09)
        case "f": return single(0x0C)
        case "v": return single(0x0B)
        case "a": return single(0x07)
        case "e": return single(0x1B)
        case "0": return single(0)
        case "x":
            if take("{") { return single(try hexadecimal(upTo: 8, closing: true)) }
            return single(try hexadecimal(upTo: 2, closing: false))
        case "u": return single(try hexadecimal(upTo: 4, closing: false))
        default:
            let isWord = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            guard !isWord else { throw PatternError(reason: "the escape \\\(scalar) is not supported") }
            return single(scalar.value)
        }
    }

    private func single(_ value: UInt32) -> ScalarSet {
        var set = ScalarSet()
        set.insert(value...value)
        return set
    }

    private mutating func hexadecimal(upTo limit: Int, closing: Bool) throws -> UInt32 {
        var value: UInt32 = 0
        var count = 0
        while count < limit, let scalar = current, let digit = Character(scalar).hexDigitValue {
            value = value << 4 | UInt32(digit)
            count += 1
            index += 1
        }
        guard count > 0, !closing || take("}"), value <= 0x10FFFF else {
            throw PatternError(reason: "a hexadecimal escape is invalid")
        }
        return value
    }

    private mutating func property(negated: Bool) throws -> ScalarSet {
        var name = ""
        if take("{") {
            while let scalar = current, scalar != "}" {
                name.unicodeScalars.append(scalar)
                index += 1
            }
            guard take("}") else { throw PatternError(reason: "a property does not end") }
        } else if let scalar = current {
            name.unicodeScalars.append(scalar)
            index += 1
        }
        var negated = negated
        if name.hasPrefix("^") {
            name.removeFirst()
            negated.toggle()
        }
        guard var set = ScalarSet.named[name] else {
            throw PatternError(reason: "the property \"\(name)\" is not supported")
        }
        set.isNegated = negated
        return set
    }

    private mutating func bracket(depth: Int) throws -> ScalarSet {
        guard depth < Self.maximumDepth else { throw PatternError(reason: "brackets are nested too deeply") }
        let negated = take("^")
        var set = ScalarSet()
        var isFirst = true
        while true {
            guard let scalar = current else { throw PatternError(reason: "a bracket does not end") }
            if scalar == "]", !isFirst {
                index += 1
                break
            }
            isFirst = false
            if take("&&") {
                // The rest of the bracket is the other operand.
                let other = try bracket(depth: depth + 1)
                set.intersect(other)
                break
            }
            if take("[:") { throw PatternError(reason: "POSIX bracket classes are not supported") }
            if take("[") {
                set.insert(try bracket(depth: depth + 1))
                continue
            }
            index += 1
            let low: ScalarSet = scalar == "\\" ? try escapedSet() : single(scalar.value)
            guard let start = low.ranges.first?.lowerBound, low.ranges.count == 1, low.ranges[0].count == 1,
                low.categories.isEmpty,
                current == "-", index + 1 < pattern.count, pattern[index + 1] != "]", pattern[index + 1] != "["
            else {
                set.insert(low)
                continue
            }
            index += 1
            guard let last = current else { throw PatternError(reason: "a bracket does not end") }
            index += 1
            let high: ScalarSet = last == "\\" ? try escapedSet() : single(last.value)
            guard let end = high.ranges.first?.lowerBound, high.categories.isEmpty, start <= end else {
                throw PatternError(reason: "a range in brackets is reversed")
            }
            set.insert(start...end)
        }
        if ignoresCase { set.addOtherCases() }
        set.isNegated = negated
        return set
    }
}
