/// The syntax tree of a pattern.
indirect enum PatternNode {
    enum Greed { case greedy, lazy, possessive }

    case empty
    case set(ScalarSet)
    case sequence([PatternNode])
    case alternatives([PatternNode])
    case repetition(PatternNode, minimum: Int, maximum: Int, Greed)
    case look(PatternNode, ahead: Bool, negated: Bool)
    case atomic(PatternNode)
    case textStart, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary

    /// True if the node can match the empty string.
    var canBeEmpty: Bool {
        switch self {
        case .set: false
        case .sequence(let nodes): nodes.allSatisfy(\.canBeEmpty)
        case .alternatives(let nodes): nodes.contains(where: \.canBeEmpty)
        case .repetition(let node, let minimum, _, _): minimum == 0 || node.canBeEmpty
        case .atomic(let node): node.canBeEmpty
        default: true
        }
    }

    /// Characters that a look-behind can go back.
    static let longestFixedLength = 1000

    /// Number of characters in every match, needed by look-behind; nil when it varies or is above `longestFixedLength`.
    var fixedLength: Int? {
        switch self {
        case .set: return 1
        case .sequence(let nodes):
            var sum = 0
            for node in nodes {
                guard let length = node.fixedLength else { return nil }
                sum += length
                guard sum <= Self.longestFixedLength else { return nil }
            }
            return sum
        case .alternatives(let nodes):
            guard let first = nodes.first?.fixedLength, nodes.allSatisfy({ $0.fixedLength == first }) else {
                return nil
            }
            return first
        case .repetition(let node, let minimum, let maximum, _):
            guard minimum == maximum, let length = node.fixedLength else { return nil }
            let (product, overflow) = length.multipliedReportingOverflow(by: minimum)
            return !overflow && product <= Self.longestFixedLength ? product : nil
        case .atomic(let node): return node.fixedLength
        default: return 0
        }
    }
}
