/// # Attribution
///
/// What to do with captured attention weights once the engine has handed them over: pure arithmetic over arrays, no
/// device, no model.
///
/// - `Aggregation/`: from many layers and heads to one row for the screen (single head, mean, max, rollout), with
///   attention sinks masked and the result scaled to 0…1.
/// - `Alignment/`: when was each token and word said: dynamic time warping over a speech model's alignment heads.
/// - `Record/`: the captured attention of a whole conversation, kept compactly and within a bound.
/// - `Export/`: writing captured attention as npy and JSON.
package enum AttentionAnalysisError: Error, Sendable, Equatable, CustomStringConvertible {
    /// No captured layer answers the selection.
    case nothingSelected(selection: String, available: String)
    case headOutOfRange(layer: Int, head: Int, heads: Int)
    case queryOutOfRange(layer: Int, query: Int, queries: Int)
    /// Two matrices that must agree do not.
    case shapeMismatch(operation: String, expected: String, actual: String)
    case tokenOutOfRange(index: Int, count: Int)
    /// A token whose attention had to be given up (full disk, or the record's bound without a disk to spill to).
    case tokenDropped(index: Int)
    /// Reading back or writing captured attention failed.
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
