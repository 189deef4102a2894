import Compute

extension Reference {
    /// `[heads · queries, keys]`: weights[buckets[first + j − i], h] + mask[j], with weights `[buckets, heads]`.
    package static func relativeBias(
        weights: Matrix, buckets: [Int], first: Int, mask: [Float]?, queries: Int, keys: Int
    ) -> Matrix {
        var out = Matrix(rows: weights.columns * queries, columns: keys)
        for head in 0..<weights.columns {
            for query in 0..<queries {
                for key in 0..<keys {
                    out[head * queries + query, key] = weights[buckets[first + key - query], head] + (mask?[key] ?? 0)
                }
            }
        }
        return out
    }
}
