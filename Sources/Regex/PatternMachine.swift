/// A backtracking search: the alternatives not yet tried, and the remaining work.
struct PatternMachine {
    private enum Choice {
        /// Continue at `pc` from `position` with branch `index` or a later one.
        case branch(pc: Int, index: Int, position: Int)
        /// Release characters of a greedy loop, one at a time, down to `floor`.
        case release(pc: Int, position: Int, floor: Int)
        /// Extend a lazy loop by one character.
        case extend(pc: Int, position: Int, taken: Int)
        case restore(mark: Int, value: Int)
    }

    private let program: PatternProgram
    private let text: UnsafeBufferPointer<UInt8>
    private var stack: [Choice] = []
    private var marks: [Int]
    private var fuel: Int

    /// Choices that may wait at once.
    private static let maximumChoices = 4_000_000

    /// True once the bound on work is reached; nothing matches from then on.
    var isExhausted: Bool { fuel <= 0 }

    init(program: PatternProgram, text: UnsafeBufferPointer<UInt8>) {
        self.program = program
        self.text = text
        marks = Array(repeating: 0, count: program.marks)
        // Published patterns need a few steps per byte.
        fuel = 1_000_000 + text.count.multipliedReportingOverflow(by: 2_000).partialValue
    }

    /// End of the match that begins at `start`.
    mutating func match(at start: Int) -> Int? {
        run(pc: 0, at: start)
    }

    private mutating func run(pc startPC: Int, at start: Int) -> Int? {
        let base = stack.count
        defer { stack.removeLast(stack.count - base) }
        var pc = startPC
        var position = start
        while true {
            fuel -= 1
            if stack.count > Self.maximumChoices { fuel = 0 }
            if fuel <= 0 { return nil }
            var failed = false
            switch program.instructions[pc] {
            case .accept: return position
            case .jump(let target): pc = target
            case .set(let set):
                if let next = step(set, position) {
                    position = next
                    pc += 1
                } else {
                    failed = true
                }
            case .repeatSet(let set, let minimum, let maximum, let lazy, let possessive):
                var taken = 0
                var floor = position
                let limit = lazy ? minimum : maximum
                while taken < limit, let next = step(set, position) {
                    position = next
                    taken += 1
                    if taken == minimum { floor = position }
                }
                fuel -= taken
                if taken < minimum {
                    failed = true
                } else {
                    if lazy {
                        if taken < maximum { stack.append(.extend(pc: pc, position: position, taken: taken)) }
                    } else if !possessive, position > floor {
                        stack.append(.release(pc: pc, position: position, floor: floor))
                    }
                    pc += 1
                }
            case .branch:
                if let target = choose(pc: pc, from: 0, at: position) { pc = target } else { failed = true }
            case .look(let ahead, let negated, let length, let end):
                var from: Int? = position
                if !ahead { from = back(length, from: position) }
                let matched = from.flatMap { run(pc: pc + 1, at: $0) } != nil
                if matched != negated { pc = end } else { failed = true }
            case .atomic(let end):
                if let next = run(pc: pc + 1, at: position) {
                    position = next
                    pc = end
                } else {
                    failed = true
                }
            case .mark(let mark):
                stack.append(.restore(mark: mark, value: marks[mark]))
                marks[mark] = position
                pc += 1
            case .progress(let mark):
                if marks[mark] == position { failed = true } else { pc += 1 }
            case .textStart: if position == 0 { pc += 1 } else { failed = true }
            case .textEnd: if position == text.count { pc += 1 } else { failed = true }
            case .lineStart: if position == 0 || text[position - 1] == 0x0A { pc += 1 } else { failed = true }
            case .lineEnd: if position == text.count || text[position] == 0x0A { pc += 1 } else { failed = true }
            case .wordBoundary(let negated):
                let before = position > 0 && Self.isWord(UTF8Text.scalar(text, before: position).value)
                let after = position < text.count && Self.isWord(UTF8Text.scalar(text, at: position).value)
                if (before != after) != negated { pc += 1 } else { failed = true }
            }
            if failed {
                guard let next = backtrack(to: base) else { return nil }
                (pc, position) = next
            }
        }
    }

    private static let word = ScalarSet.word.sealed()
    private static func isWord(_ scalar: UInt32) -> Bool { word.contains(scalar) }

    @inline(__always)
    private func step(_ set: Int, _ position: Int) -> Int? {
        guard position < text.count else { return nil }
        let (scalar, length) = UTF8Text.scalar(text, at: position)
        return program.sets[set].contains(scalar) ? position + length : nil
    }

    private func back(_ count: Int, from position: Int) -> Int? {
        var position = position
        for _ in 0..<count {
            guard position > 0 else { return nil }
            position -= UTF8Text.scalar(text, before: position).length
        }
        return position
    }

    /// The first branch from `index` on that may match here; the others stay on the stack.
    private mutating func choose(pc: Int, from index: Int, at position: Int) -> Int? {
        guard case .branch(let slot) = program.instructions[pc] else { return nil }
        let count = program.branches[slot].count
        var index = index
        while index < count {
            let branch = program.branches[slot][index]
            index += 1
            if !branch.canBeEmpty {
                guard position < text.count else { continue }
                let byte = text[position]
                let possible =
                    byte < 64
                    ? branch.low >> UInt64(byte) & 1 != 0
                    : byte < 128 ? branch.high >> UInt64(byte - 64) & 1 != 0 : branch.beyondASCII
                if !possible { continue }
            }
            if index < count { stack.append(.branch(pc: pc, index: index, position: position)) }
            return branch.target
        }
        return nil
    }

    private mutating func backtrack(to base: Int) -> (pc: Int, position: Int)? {
        while stack.count > base, let choice = stack.popLast() {
            fuel -= 1
            switch choice {
            case .branch(let pc, let index, let position):
                if let target = choose(pc: pc, from: index, at: position) { return (target, position) }
            case .release(let pc, let position, let floor):
                let shorter = position - UTF8Text.scalar(text, before: position).length
                if shorter > floor { stack.append(.release(pc: pc, position: shorter, floor: floor)) }
                return (pc + 1, shorter)
            case .extend(let pc, let position, let taken):
                guard case .repeatSet(let set, _, let maximum, _, _) = program.instructions[pc],
                    let next = step(set, position)
                else { continue }
                if taken + 1 < maximum { stack.append(.extend(pc: pc, position: next, taken: taken + 1)) }
                return (pc + 1, next)
            case .restore(let mark, let value): marks[mark] = value
            }
        }
        return nil
    }
}
