import AttentionTypes

/// Reduction of several heads to one row.
package enum HeadReduction: String, Sendable, Hashable, Codable, CaseIterable {
    case mean, max
}

/// Selection of heads and layers, and their reduction to one row.
package enum HeadSelection: Sendable, Hashable {
    /// One head of one layer, exactly as the model used it.
    case single(AttentionHead)
    /// All heads of one layer.
    case layer(Int, HeadReduction)
    /// All heads of all captured layers.
    case all(HeadReduction)
    /// A chosen set, e.g. a speech model's alignment heads.
    case heads([AttentionHead], HeadReduction)
}

extension HeadSelection: CustomStringConvertible {
    package var description: String {
        switch self {
        case .single(let head): "layer \(head.layer) head \(head.head)"
        case .layer(let layer, let reduction): "\(reduction.rawValue) of layer \(layer)"
        case .all(let reduction): "\(reduction.rawValue) of all layers"
        case .heads(let heads, let reduction): "\(reduction.rawValue) of \(heads.count) heads"
        }
    }
}

extension HeadSelection {
    /// Reduces the captured layers of one step to one row.
    ///
    /// - Parameters:
    ///   - captured: the layers of one step, each `[heads, queries, keys]`.
    ///   - kind: layers of another kind are left out.
    ///   - query: the row of each layer; nil is the last one.
    /// - Returns: `[keys]`. With `.mean` it sums to 1, since each row does; with `.max` it need not.
    /// - Throws: ``AttentionAnalysisError`` where nothing was captured for the selection, or the rows differ in length.
    package func row(of captured: [AttentionWeights], kind: AttentionKind, query: Int? = nil) throws -> [Float] {
        let layers = captured.filter { $0.kind == kind }
        var rows: [ArraySlice<Float>] = []
        var reduction = HeadReduction.mean
        func take(_ weights: AttentionWeights, head: Int) throws {
            guard head >= 0, head < weights.heads else {
                throw AttentionAnalysisError.headOutOfRange(layer: weights.layer, head: head, heads: weights.heads)
            }
            let index = query ?? weights.queries - 1
            guard index >= 0, index < weights.queries else {
                throw AttentionAnalysisError.queryOutOfRange(
                    layer: weights.layer, query: index, queries: weights.queries)
            }
            rows.append(weights.row(head: head, query: index))
        }
        switch self {
        case .single(let wanted):
            for weights in layers where weights.layer == wanted.layer { try take(weights, head: wanted.head) }
        case .layer(let layer, let how):
            reduction = how
            for weights in layers where weights.layer == layer {
                for head in 0..<weights.heads { try take(weights, head: head) }
            }
        case .all(let how):
            reduction = how
            for weights in layers {
                for head in 0..<weights.heads { try take(weights, head: head) }
            }
        case .heads(let heads, let how):
            reduction = how
            for wanted in heads {
                for weights in layers where weights.layer == wanted.layer { try take(weights, head: wanted.head) }
            }
        }
        guard let first = rows.first else {
            let available = layers.map { "\($0.layer)" }.joined(separator: ", ")
            throw AttentionAnalysisError.nothingSelected(
                selection: description,
                available: available.isEmpty ? "no \(kind.rawValue) layer" : "\(kind.rawValue) layers \(available)")
        }
        for row in rows where row.count != first.count {
            throw AttentionAnalysisError.shapeMismatch(
                operation: "attention \(description)", expected: "rows of \(first.count) keys",
                actual: "one of \(row.count)")
        }
        return HeadSelection.reduce(rows, by: reduction, width: first.count)
    }

    static func reduce(_ rows: [ArraySlice<Float>], by reduction: HeadReduction, width: Int) -> [Float] {
        guard rows.count > 1 else { return rows.first.map(Array.init) ?? [] }
        var result = [Float](repeating: 0, count: width)
        result.withUnsafeMutableBufferPointer { result in
            for row in rows {
                row.withUnsafeBufferPointer { row in
                    switch reduction {
                    case .mean: for key in 0..<width { result[key] += row[key] }
                    case .max: for key in 0..<width { result[key] = Swift.max(result[key], row[key]) }
                    }
                }
            }
            if reduction == .mean {
                let scale = 1 / Float(rows.count)
                for key in 0..<width { result[key] *= scale }
            }
        }
        return result
    }
}
