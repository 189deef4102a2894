import Compute

/// Tokens → the input of the first block: embeddings times a scale, positions, and perhaps a norm.
package struct TokenEmbedding {
    /// `[vocabulary, hiddenSize]`
    let table: Parameter
    private let scale: Float
    private let positions: PositionTable?
    private let norm: (any Normalization)?
    private let padding: Int?

    /// - Parameter padding: the token that has no position and is not counted, in models whose positions skip padding.
    package init(
        _ table: Parameter, scale: Float = 1, positions: PositionTable? = nil, norm: (any Normalization)? = nil,
        padding: Int? = nil
    ) {
        self.table = table
        self.scale = scale
        self.positions = positions
        self.norm = norm
        self.padding = padding
    }

    /// Embeds tokens `[1, count]` at positions from `firstPosition`, into x `[count, hiddenSize]`; `ids` are the same tokens
    /// on the host.
    /// - Parameter features: `[rows, hiddenSize]`, which stand before the tokens and take the first positions; x has their
    ///   rows too.
    func callAsFunction(
        _ tokens: Tensor, ids: ArraySlice<Int>, firstPosition: Int, after features: Tensor? = nil, into x: Tensor,
        on stream: CommandStream
    ) throws {
        try embed(
            tokens, ids: ids, firstPosition: firstPosition + (features?.rows ?? 0),
            into: x.rows((features?.rows ?? 0)..<x.rows), on: stream)
        if let features {
            let place = x.rows(0..<features.rows)
            if let positions = positions?.rows.rows(firstPosition..<firstPosition + features.rows) {
                try stream.add(features, positions, into: place)
            } else {
                try stream.convert(features, into: place)
            }
        }
        try norm?(x, into: x, on: stream)
    }

    private func embed(
        _ tokens: Tensor, ids: ArraySlice<Int>, firstPosition: Int, into x: Tensor, on stream: CommandStream
    ) throws {
        var position = firstPosition
        for (rows, isPadding) in runs(of: Array(ids)) {
            try stream.embed(
                tokens: tokens.columns(rows), firstPosition: isPadding ? 0 : position, table: table.matrix,
                scale: scale, positions: isPadding ? nil : positions?.rows, into: x.rows(rows))
            if !isPadding { position += rows.count }
        }
    }

    /// Runs of tokens that all are padding, or all not.
    private func runs(of ids: [Int]) -> [(rows: Range<Int>, isPadding: Bool)] {
        guard let padding, ids.contains(padding) else { return [(0..<ids.count, false)] }
        var runs: [(rows: Range<Int>, isPadding: Bool)] = []
        for (row, id) in ids.enumerated() {
            if let last = runs.last, last.isPadding == (id == padding) {
                runs[runs.count - 1].rows = last.rows.lowerBound..<row + 1
            } else {
                runs.append((row..<row + 1, id == padding))
            }
        }
        return runs
    }

    /// Embeds the tokens of a decode step, into x `[hypotheses, hiddenSize]`.
    func callAsFunction(_ step: StepBuffer, into x: Tensor, on stream: CommandStream) throws {
        try stream.embed(
            step: step, rows: x.rows, table: table.matrix, scale: scale, positions: positions?.rows, into: x)
        try norm?(x, into: x, on: stream)
    }
}
