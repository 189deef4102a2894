import Compute

extension Reference {
    /// table[tokens[r]]·scale + positions[rowPositions[r]].
    package static func embed(_ tokens: [Int], table: Matrix, scale: Float, positions: Matrix?, rowPositions: [Int])
        -> Matrix
    {
        var out = Matrix(rows: tokens.count, columns: table.columns)
        for (r, token) in tokens.enumerated() {
            for c in 0..<table.columns {
                out[r, c] = table[token, c] * scale + (positions.map { $0[rowPositions[r], c] } ?? 0)
            }
        }
        return out
    }
}
