import Regex

/// A rewriting of text before it is split into words (tokenizer.json `normalizer`).
protocol Normalizer: Sendable {
    func normalize(_ text: [UInt8]) -> [UInt8]
}

/// Normalizers in sequence.
struct SequenceNormalizer: Normalizer {
    let steps: [any Normalizer]
    func normalize(_ text: [UInt8]) -> [UInt8] { steps.reduce(text) { $1.normalize($0) } }
}

/// A normalizer given by a function.
struct FunctionNormalizer: Normalizer {
    let function: @Sendable ([UInt8]) -> [UInt8]
    func normalize(_ text: [UInt8]) -> [UInt8] { function(text) }
}

/// A normalizer that replaces or drops single characters.
struct ScalarNormalizer: Normalizer {
    /// Appends the replacement of a character.
    let rewrite: @Sendable (_ scalar: UInt32, _ output: inout [UInt8]) -> Void

    func normalize(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        UTF8Text.forEachScalar(text) { scalar, _ in rewrite(scalar, &result) }
        return result
    }
}
