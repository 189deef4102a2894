import Compute

extension Reference {
    /// One new position for each hypothesis: each row of `query` attends over the first `keyCount` rows of its own keys
    /// and values. Returns outputs `[B, heads·D]` and weights `[B·heads, keyCount]`.
    package static func attentionDecode(
        shape: AttentionShape, query: Matrix, keys: [Matrix], values: [Matrix], keyCount: Int,
        bias: ((Int, Int) -> Float)? = nil
    ) -> (output: Matrix, weights: Matrix) {
        var output = Matrix(rows: query.rows, columns: query.columns)
        var weights: [Float] = []
        for b in 0..<query.rows {
            func first(_ matrix: Matrix) -> Matrix {
                Matrix(
                    rows: keyCount, columns: matrix.columns,
                    values: Array(matrix.values.prefix(keyCount * matrix.columns)))
            }
            let row = Matrix(
                rows: 1, columns: query.columns,
                values: Array(query.values[b * query.columns..<(b + 1) * query.columns]))
            var plain = shape
            plain.causalOffset = keyCount - 1
            let result = attention(
                shape: plain, query: row, key: first(keys[b]), value: first(values[b]),
                bias: bias.map { bias in { head, _, key in bias(head, key) } })
            for c in 0..<query.columns { output[b, c] = result.output[0, c] }
            weights += result.weights.values
        }
        return (output, Matrix(rows: query.rows * shape.heads, columns: keyCount, values: weights))
    }
}
