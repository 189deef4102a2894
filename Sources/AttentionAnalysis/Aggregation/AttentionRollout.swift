import AttentionTypes

/// Attention rollout: how much of each input position reaches each output position through a stack of
/// self-attention layers, the residual path counted as half (Abnar and Zuidema, "Quantifying Attention Flow in
/// Transformers", 2020): the product over the layers of `0.5·A + 0.5·I`, A the mean over heads.
package enum AttentionRollout {
    /// Rolls out square self-attention matrices.
    ///
    /// - Parameters:
    ///   - layers: the first layer first, each `[heads, n, n]`, of one stack (causal or not).
    ///   - residual: the share of the residual path, 0.5 in the paper.
    /// - Returns: `[n, n]`, row-major; each row sums to 1.
    /// - Throws: ``AttentionAnalysisError/shapeMismatch(operation:expected:actual:)`` when a matrix is not square or they differ,
    ///   ``AttentionAnalysisError/nothingSelected(selection:available:)`` when there are none.
    package static func rollOut(_ layers: [AttentionWeights], residual: Float = 0.5) throws -> [Float] {
        guard let first = layers.first else {
            throw AttentionAnalysisError.nothingSelected(selection: "rollout", available: "no layer")
        }
        let n = first.keys
        var result: [Float] = []
        for weights in layers {
            guard weights.queries == n, weights.keys == n else {
                throw AttentionAnalysisError.shapeMismatch(
                    operation: "attention rollout, layer \(weights.layer)", expected: "[\(n), \(n)]",
                    actual: "[\(weights.queries), \(weights.keys)]")
            }
            let step = mixed(weights, residual: residual)
            result = result.isEmpty ? step : product(step, result, n)
        }
        return result
    }

    /// `(1 - residual)·mean over heads + residual·I`, `[n, n]`.
    private static func mixed(_ weights: AttentionWeights, residual: Float) -> [Float] {
        let n = weights.keys
        var mixed = [Float](repeating: 0, count: n * n)
        let scale = (1 - residual) / Float(Swift.max(weights.heads, 1))
        weights.values.withUnsafeBufferPointer { values in
            mixed.withUnsafeMutableBufferPointer { mixed in
                for head in 0..<weights.heads {
                    let base = head * n * n
                    for index in 0..<n * n { mixed[index] += values[base + index] * scale }
                }
                for index in 0..<n { mixed[index * n + index] += residual }
            }
        }
        return mixed
    }

    /// `a · b`, both `[n, n]`; the zeros of causal matrices are skipped.
    private static func product(_ a: [Float], _ b: [Float], _ n: Int) -> [Float] {
        var result = [Float](repeating: 0, count: n * n)
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                result.withUnsafeMutableBufferPointer { result in
                    for row in 0..<n {
                        for inner in 0..<n {
                            let factor = a[row * n + inner]
                            if factor == 0 { continue }
                            for column in 0..<n { result[row * n + column] += factor * b[inner * n + column] }
                        }
                    }
                }
            }
        }
        return result
    }
}
