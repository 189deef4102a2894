import Compute

/// Rows of an input that replace the embeddings of some tokens: a picture's features.
package struct EmbeddingOverride {
    /// The first row, counted from the pass's first token.
    package let row: Int
    /// `[rows, hiddenSize]`
    package let features: Tensor
    /// Features added to the same rows behind some blocks (DeepStack), by block.
    package let additions: [Int: Tensor]
    /// The rows attend to each other both ways (Gemma 3's pictures).
    package let attendsBothWays: Bool
    /// Rows and columns that the features stand in, where positions have axes (`RotaryPositions.Axes`).
    package let grid: (rows: Int, columns: Int)?

    package init(
        row: Int, features: Tensor, additions: [Int: Tensor] = [:], attendsBothWays: Bool = false,
        grid: (rows: Int, columns: Int)? = nil
    ) {
        self.row = row
        self.features = features
        self.additions = additions
        self.attendsBothWays = attendsBothWays
        self.grid = grid
    }

    /// All rows of the pass.
    var span: Range<Int> { row..<row + features.rows }

    /// The rows that lie in `piece` of a pass: their place in the piece, and in the features.
    func rows(in piece: Range<Int>) -> (place: Range<Int>, features: Range<Int>)? {
        let here = span.clamped(to: piece)
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
