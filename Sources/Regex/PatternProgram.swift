/// A pattern compiled for ``PatternMachine``.
struct PatternProgram: Sendable {
    enum Instruction: Sendable {
        /// One character of the set.
        case set(Int)
        /// Between `minimum` and `maximum` characters of the set: the loop of nearly every split pattern.
        case repeatSet(Int, minimum: Int, maximum: Int, lazy: Bool, possessive: Bool)
        /// Try the branches of `branches[i]` in order.
        case branch(Int)
        case jump(Int)
        /// The body follows and ends with `accept`; execution continues at `end`.
        case look(ahead: Bool, negated: Bool, length: Int, end: Int)
        case atomic(end: Int)
        /// Stores the position at the start of a loop whose body may match nothing; `progress` fails if the body matched nothing.
        case mark(Int)
        case progress(Int)
        case textStart, textEnd, lineStart, lineEnd
        case wordBoundary(negated: Bool)
        case accept
    }

    /// An alternative, and the first bytes with which it can match.
    struct Branch: Sendable {
        var target: Int
        var low: UInt64 = .max
        var high: UInt64 = .max
        var beyondASCII = true
        /// May match at the end of the text or consume nothing.
        var canBeEmpty = true
    }

    static let maximumSize = 50_000
    /// Nodes that may be emitted: more than instructions, because some have none.
    private static let maximumEmissions = 4 * maximumSize
    private var emissions = 0

    private(set) var instructions: [Instruction] = []
    private(set) var sets: [ScalarSet] = []
    private(set) var branches: [[Branch]] = []
    private(set) var marks = 0

    init(_ node: PatternNode) throws {
        try emit(node)
        instructions.append(.accept)
    }

    private mutating func append(_ instruction: Instruction) throws {
        guard instructions.count < Self.maximumSize else { throw PatternError(reason: "it is too large") }
        instructions.append(instruction)
    }

    private mutating func add(_ set: ScalarSet) -> Int {
        sets.append(set)
        return sets.count - 1
    }

    private mutating func emit(_ node: PatternNode) throws {
        emissions += 1
        guard emissions < Self.maximumEmissions else { throw PatternError(reason: "it is too large") }
        switch node {
        case .empty: break
        case .set(let set): try append(.set(add(set)))
        case .sequence(let nodes): for node in nodes { try emit(node) }
        case .alternatives(let nodes): try emit(alternatives: nodes)
        case .repetition(let node, let minimum, let maximum, let greed):
            try emit(repeating: node, minimum: minimum, maximum: maximum, greed)
        case .look(let node, let ahead, let negated):
            let start = instructions.count
            try append(.accept)
            try emit(node)
            try append(.accept)
            instructions[start] = .look(
                ahead: ahead, negated: negated, length: node.fixedLength ?? 0, end: instructions.count)
        case .atomic(let node):
            let start = instructions.count
            try append(.accept)
            try emit(node)
            try append(.accept)
            instructions[start] = .atomic(end: instructions.count)
        case .textStart: try append(.textStart)
        case .textEnd: try append(.textEnd)
        case .lineStart: try append(.lineStart)
        case .lineEnd: try append(.lineEnd)
        case .wordBoundary: try append(.wordBoundary(negated: false))
        case .notWordBoundary: try append(.wordBoundary(negated: true))
        }
    }

    private mutating func emit(alternatives nodes: [PatternNode]) throws {
        let slot = branches.count
        branches.append([])
        try append(.branch(slot))
        var made: [Branch] = []
        var exits: [Int] = []
        for node in nodes {
            made.append(Self.branch(to: instructions.count, for: node))
            try emit(node)
            exits.append(instructions.count)
            try append(.accept)
        }
        for exit in exits { instructions[exit] = .jump(instructions.count) }
        branches[slot] = made
    }

    private mutating func emit(repeating node: PatternNode, minimum: Int, maximum: Int, _ greed: PatternNode.Greed)
        throws
    {
        if case .set(let set) = node {
            try append(
                .repeatSet(
                    add(set), minimum: minimum, maximum: maximum, lazy: greed == .lazy, possessive: greed == .possessive
                ))
            return
        }
        if greed == .possessive {
            try emit(.atomic(.repetition(node, minimum: minimum, maximum: maximum, .greedy)))
            return
        }
        for _ in 0..<minimum { try emit(node) }
        if maximum == .max {
            // loop: branch(body, out); body; jump loop
            let slot = branches.count
            branches.append([])
            let loop = instructions.count
            try append(.branch(slot))
            let body = instructions.count
            let mark = node.canBeEmpty ? marks : nil
            if let mark {
                marks += 1
                try append(.mark(mark))
            }
            try emit(node)
            if let mark { try append(.progress(mark)) }
            try append(.jump(loop))
            let into = Branch(target: body), out = Branch(target: instructions.count)
            branches[slot] = greed == .lazy ? [out, into] : [into, out]
        } else {
            var slots: [(slot: Int, body: Int)] = []
            for _ in minimum..<maximum {
                slots.append((branches.count, instructions.count + 1))
                branches.append([])
                try append(.branch(branches.count - 1))
                try emit(node)
            }
            for (slot, body) in slots {
                let into = Branch(target: body), out = Branch(target: instructions.count)
                branches[slot] = greed == .lazy ? [out, into] : [into, out]
            }
        }
    }

    /// A branch with the set of bytes that its node can begin with.
    private static func branch(to target: Int, for node: PatternNode) -> Branch {
        guard let first = firsts(of: node) else { return Branch(target: target) }
        var branch = Branch(target: target, low: 0, high: 0, beyondASCII: true, canBeEmpty: false)
        for set in first {
            branch.low |= set.low
            branch.high |= set.high
        }
        return branch
    }

    /// Sets whose union has the first character of every match; nil when unknown.
    private static func firsts(of node: PatternNode) -> [ScalarSet]? {
        switch node {
        case .set(let set): return [set]
        case .repetition(let inner, let minimum, _, _) where minimum > 0: return firsts(of: inner)
        case .atomic(let inner): return firsts(of: inner)
        case .alternatives(let nodes):
            var all: [ScalarSet] = []
            for node in nodes {
                guard let some = firsts(of: node) else { return nil }
                all += some
            }
            return all
        case .sequence(let nodes):
            var all: [ScalarSet] = []
            for node in nodes {
                if case .repetition(let inner, 0, _, _) = node {
                    guard let some = firsts(of: inner) else { return nil }
                    all += some
                    continue
                }
                guard let some = firsts(of: node) else { return nil }
                return all + some
            }
            return nil
        default: return nil
        }
    }
}
