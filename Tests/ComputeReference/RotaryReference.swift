import Compute

extension Reference {
    /// Each row of x `[rows, heads·D]` turned as the position `rowPositions[r]`; `table` as for the kernel.
    package static func rotary(_ x: Matrix, shape: RotaryShape, table: Matrix, rowPositions: [Int]) -> Matrix {
        var out = x
        let half = shape.rotaryDimension / 2
        for (r, position) in rowPositions.enumerated() {
            for head in stride(from: 0, to: x.columns, by: shape.headDimension) {
                for k in 0..<half {
                    let a = head + (shape.isInterleaved ? 2 * k : k)
                    let b = shape.isInterleaved ? a + 1 : a + half
                    let (cosine, sine) = (Double(table[position, k]), Double(table[position, k + half]))
                    out[r, a] = Float(Double(x[r, a]) * cosine - Double(x[r, b]) * sine)
                    out[r, b] = Float(Double(x[r, b]) * cosine + Double(x[r, a]) * sine)
                }
            }
        }
        return out
    }
}
