import Compute

/// Tokens → the input of the first block: embeddings times a scale, positions, and perhaps a norm.
package struct TokenEmbedding {
    /// `[vocabulary, hiddenSize]`
    let table: Parameter
    private let scale: Float
    private let positions: PositionTable?
    private let norm: (any Normalization)?

    package init(
        _ table: Parameter, scale: Float = 1, positions: PositionTable? = nil, norm: (any Normalization)? = nil
    ) {
        self.table = table
        self.scale = scale
        self.positions = positions
        self.norm = norm
    }

    /// Embeds tokens `[1, count]` at positions from `firstPosition`, into x `[count, hiddenSize]`.
    func callAsFunction(_ tokens: Tensor, firstPosition: Int, into x: Tensor, on stream: CommandStream) throws {
        try stream.embed(
            tokens: tokens, firstPosition: firstPosition, table: table.matrix, scale: scale, positions: positions?.rows,
            into: x)
        try norm?(x, into: x, on: stream)
    }

    /// Embeds the tokens of a decode step, into x `[hypotheses, hiddenSize]`.
    func callAsFunction(_ step: StepBuffer, into x: Tensor, on stream: CommandStream) throws {
        try stream.embed(
            step: step, rows: x.rows, table: table.matrix, scale: scale, positions: positions?.rows, into: x)
        try norm?(x, into: x, on: stream)
    }
}
