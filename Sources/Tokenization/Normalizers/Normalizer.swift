import Regex

/// Rewrites text before it is cut into words (tokenizer.json `normalizer`).
protocol Normalizer: Sendable {
    func normalize(_ text: [UInt8]) -> [UInt8]
}

/// One after the other.
struct SequenceNormalizer: Normalizer {
    let steps: [any Normalizer]
    func normalize(_ text: [UInt8]) -> [UInt8] { steps.reduce(text) { $1.normalize($0) } }
}

/// Applies a function to the text.
struct FunctionNormalizer: Normalizer {
    let function: @Sendable ([UInt8]) -> [UInt8]
    func normalize(_ text: [UInt8]) -> [UInt8] { function(text) }
}

/// Rewrites or drops every character on its own.
struct ScalarNormalizer: Normalizer {
    /// Appends what the character becomes.
    let rewrite: @Sendable (_ scalar: UInt32, _ output: inout [UInt8]) -> Void

    func normalize(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        UTF8Text.forEachScalar(text) { scalar, _ in rewrite(scalar, &result) }
        return result
    }
}
