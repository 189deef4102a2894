import Compute

/// Rows of an input that replace the embeddings of some tokens: a picture's features.
package struct EmbeddingOverride {
    /// The first row, counted from the pass's first token.
    package let row: Int
    /// `[rows, hiddenSize]`
    package let features: Tensor
    /// Features added to the same rows behind some blocks (DeepStack), by block.
    package let additions: [Int: Tensor]

    package init(row: Int, features: Tensor, additions: [Int: Tensor] = [:]) {
        self.row = row
        self.features = features
        self.additions = additions
    }

    /// The rows that lie in `piece` of a pass: their place in the piece, and in the features.
    func rows(in piece: Range<Int>) -> (place: Range<Int>, features: Range<Int>)? {
        let rows = row..<row + features.rows
        let here = rows.clamped(to: piece)
        guard !here.isEmpty else { return nil }
        return (
            here.lowerBound - piece.lowerBound..<here.upperBound - piece.lowerBound,
            here.lowerBound - row..<here.upperBound - row
        )
    }
}

/// Inputs that stand among a decoder's tokens, such as pictures: placeholders whose embeddings are replaced.
package protocol EmbeddingOverrides: AnyObject {
    /// The token that stands for a row of an input.
    var placeholder: Int { get }
    /// Finds the rows for the placeholders among `tokens`, which run at positions from `start`; placeholders noted from
    /// there on are void.
    /// - Returns: tokens that the embedding can look up, and the rows that replace some of them.
    func resolve(_ tokens: [Int], at start: Int, model: String) throws -> (
        tokens: [Int], overrides: [EmbeddingOverride]
    )
    /// Drops all inputs.
    func removeAll()
}
