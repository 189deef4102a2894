import Compute
import Foundation

extension Reference {
    /// Attention's outputs and everything on the way.
    package struct AttentionResult: Sendable {
        /// `[Tq, heads·D]`
        package var output: Matrix
        /// `[heads·Tq, Tk]`, after softmax.
        package var weights: Matrix
        /// `[heads·Tq]`
        package var logSumExp: [Float]
    }

    /// softmax(cap(scale·q·kᵀ) + bias)·v for each head; query `[Tq, heads·D]`, key and value `[Tk, keyValueHeads·D]`.
    /// - Parameter bias: added to the score of (head, query, key); at or below -3e38 it excludes the key.
    package static func attention(
        shape: AttentionShape, query: Matrix, key: Matrix, value: Matrix, bias: ((Int, Int, Int) -> Float)? = nil
    ) -> AttentionResult {
        let size = shape.headDimension
        let group = shape.heads / shape.keyValueHeads
        var result = AttentionResult(
            output: Matrix(rows: query.rows, columns: query.columns),
            weights: Matrix(rows: shape.heads * query.rows, columns: key.rows),
            logSumExp: [Float](repeating: 0, count: shape.heads * query.rows))
        for head in 0..<shape.heads {
            for i in 0..<query.rows {
                var scores = [Double](repeating: -.infinity, count: key.rows)
                for j in 0..<key.rows {
                    let position = i + (shape.causalOffset ?? 0)
                    if let end = shape.spanEnd, j >= end { continue }
                    if shape.spanEnd == nil, shape.causalOffset != nil, j > position { continue }
                    if let window = shape.window, j <= position - window { continue }
                    let added = bias?(head, i, j) ?? 0
                    if added <= -3e38 { continue }
                    var dot = 0.0
                    for d in 0..<size {
                        dot += Double(query[i, head * size + d]) * Double(key[j, head / group * size + d])
                    }
                    let score = dot * Double(shape.scale)
                    scores[j] = (shape.scoreCap.map { Double($0) * tanh(score / Double($0)) } ?? score) + Double(added)
                }
                let top = scores.max() ?? 0
                let exponentials = scores.map { $0 == -.infinity ? 0 : exp($0 - top) }
                let sum = exponentials.reduce(0, +)
                let row = head * query.rows + i
                result.logSumExp[row] = Float(top + log(sum))
                guard sum > 0 else { continue }
                for j in 0..<key.rows { result.weights[row, j] = Float(exponentials[j] / sum) }
                for d in 0..<size {
                    var total = 0.0
                    for j in 0..<key.rows { total += exponentials[j] * Double(value[j, head / group * size + d]) }
                    result.output[i, head * size + d] = Float(total / sum)
                }
            }
        }
        return result
    }

    /// The exact softmax rows of chosen queries, `[heads·rows, Tk]`.
    package static func attentionRows(
        _ rows: [Int], shape: AttentionShape, query: Matrix, key: Matrix, bias: ((Int, Int, Int) -> Float)? = nil
    ) -> Matrix {
        let all = attention(shape: shape, query: query, key: key, value: key, bias: bias).weights
        var out = Matrix(rows: shape.heads * rows.count, columns: key.rows)
        for head in 0..<shape.heads {
            for (r, row) in rows.enumerated() {
                for j in 0..<key.rows { out[head * rows.count + r, j] = all[head * query.rows + row, j] }
            }
        }
        return out
    }
}
