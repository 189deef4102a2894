/// An analysis of captured attention that is not possible.
package enum AttentionAnalysisError: Error, Sendable, Equatable, CustomStringConvertible {
    /// No captured layer matches the selection.
    case nothingSelected(selection: String, available: String)
    case headOutOfRange(layer: Int, head: Int, heads: Int)
    case queryOutOfRange(layer: Int, query: Int, queries: Int)
    /// Two matrices that must agree in shape do not.
    case shapeMismatch(operation: String, expected: String, actual: String)
    case tokenOutOfRange(index: Int, count: Int)
    /// A token whose attention was dropped (full disk, or the record's bound without a disk to spill to).
    case tokenDropped(index: Int)
    /// Reading or writing captured attention failed.
    case storage(operation: String, path: String, reason: String)

    package var description: String {
        switch self {
        case .nothingSelected(let selection, let available):
            "attention \(selection): nothing captured for it (captured: \(available)); watch that layer and generate again"
        case .headOutOfRange(let layer, let head, let heads):
            "attention of layer \(layer): head \(head) asked for, but it has \(heads) heads (0…\(heads - 1))"
        case .queryOutOfRange(let layer, let query, let queries):
            "attention of layer \(layer): row \(query) asked for, but \(queries) rows were captured"
        case .shapeMismatch(let operation, let expected, let actual):
            "\(operation): expected \(expected), got \(actual)"
        case .tokenOutOfRange(let index, let count):
            "attention record: token \(index) asked for, but \(count) tokens are recorded"
        case .tokenDropped(let index):
            "attention record: the attention of token \(index) was dropped to stay within bounds"
        case .storage(let operation, let path, let reason):
            "attention \(operation) at \(path): \(reason)"
        }
    }
}
