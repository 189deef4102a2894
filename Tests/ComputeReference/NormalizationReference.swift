import Compute

extension Reference {
    /// (x − mean) / √(variance + ε) · gamma + beta, per row.
    package static func layerNorm(_ x: Matrix, gamma: [Float]?, beta: [Float]?, epsilon: Float) -> Matrix {
        var out = x
        for r in 0..<x.rows {
            let row = (0..<x.columns).map { Double(x[r, $0]) }
            let mean = row.reduce(0, +) / Double(x.columns)
            let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.columns)
            let scale = 1 / (variance + Double(epsilon)).squareRoot()
            for c in 0..<x.columns {
                out[r, c] = Float((row[c] - mean) * scale * Double(gamma?[c] ?? 1) + Double(beta?[c] ?? 0))
            }
        }
        return out
    }

    /// x / √(mean x² + ε) · gamma, per row.
    package static func rmsNorm(_ x: Matrix, gamma: [Float]?, epsilon: Float) -> Matrix {
        var out = x
        for r in 0..<x.rows {
            let row = (0..<x.columns).map { Double(x[r, $0]) }
            let scale = 1 / (row.reduce(0) { $0 + $1 * $1 } / Double(x.columns) + Double(epsilon)).squareRoot()
            for c in 0..<x.columns { out[r, c] = Float(row[c] * scale * Double(gamma?[c] ?? 1)) }
        }
        return out
    }
}
