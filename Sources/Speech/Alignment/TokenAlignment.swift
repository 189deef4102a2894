import AttentionAnalysis
import AttentionTypes

/// The cross-attention of a speech model's alignment heads, `[heads, tokens, positions]`.
package struct AlignmentWeights: Sendable, Hashable {
    package let heads: Int
    package let tokens: Int
    /// Encoder positions, 20 ms each in Whisper.
    package let positions: Int
    /// `[heads, tokens, positions]`, row-major.
    package let values: [Float]

    package init(heads: Int, tokens: Int, positions: Int, values: [Float]) {
        precondition(
            values.count == heads * tokens * positions, "alignment weights do not fit [heads, tokens, positions]")
        self.heads = heads
        self.tokens = tokens
        self.positions = positions
        self.values = values
    }

    /// Picks the alignment heads out of captured cross-attention.
    ///
    /// - Parameters:
    ///   - steps: one entry per decoding step (or one for a whole pass), each the captured layers `[heads, queries, keys]`;
    ///     the queries of all steps follow each other.
    ///   - heads: which heads of which decoder layers.
    /// - Throws: ``AttentionAnalysisError`` when a layer or head was not captured in a step, or the layers' shapes differ.
    package init(collecting heads: [AttentionHead], from steps: [[AttentionWeights]]) throws {
        var rows = [[Float]](repeating: [], count: heads.count)
        var tokens = 0, positions: Int?
        for step in steps {
            var queries: Int?
            for (index, head) in heads.enumerated() {
                guard let weights = step.first(where: { $0.kind == .cross && $0.layer == head.layer }) else {
                    let captured = step.filter { $0.kind == .cross }.map { "\($0.layer)" }.joined(separator: ", ")
                    throw AttentionAnalysisError.nothingSelected(
                        selection: "layer \(head.layer) head \(head.head) (alignment)",
                        available: "cross layers [\(captured)]")
                }
                guard head.head >= 0, head.head < weights.heads else {
                    throw AttentionAnalysisError.headOutOfRange(
                        layer: head.layer, head: head.head, heads: weights.heads)
                }
                guard weights.queries == queries ?? weights.queries, weights.keys == positions ?? weights.keys else {
                    throw AttentionAnalysisError.shapeMismatch(
                        operation: "alignment, layer \(head.layer)",
                        expected: "[\(queries ?? weights.queries), \(positions ?? weights.keys)]",
                        actual: "[\(weights.queries), \(weights.keys)]")
                }
                queries = weights.queries
                positions = weights.keys
                let start = head.head * weights.queries * weights.keys
                rows[index].append(contentsOf: weights.values[start..<start + weights.queries * weights.keys])
            }
            tokens += queries ?? 0
        }
        self.init(heads: heads.count, tokens: tokens, positions: positions ?? 0, values: rows.flatMap { $0 })
    }
}

/// From alignment heads to times (Whisper's `timing.py` and transformers' `_extract_token_timestamps`).
package enum TokenAlignment {
    package struct Options: Sendable, Hashable {
        /// Width of the median filter over time, in positions.
        package var medianWidth = 7
        /// Only the first so many positions belong to sound; nil keeps all. Half the number of mel frames.
        package var positions: Int?
        /// Scale each cropped row to sum to 1 again. Whisper takes the softmax after cropping, which is the same;
        /// transformers crops the finished weights and does not.
        package var renormalizes = false

        package init(medianWidth: Int = 7, positions: Int? = nil, renormalizes: Bool = false) {
            self.medianWidth = medianWidth
            self.positions = positions
            self.renormalizes = renormalizes
        }
    }

    /// Crops, normalizes over the tokens (z-score per head and position), smooths over time and averages the heads.
    ///
    /// - Returns: `[tokens, positions]` and the number of positions left.
    package static func evidence(_ weights: AlignmentWeights, options: Options) -> (values: [Float], positions: Int) {
        let positions = Swift.max(0, Swift.min(options.positions ?? weights.positions, weights.positions))
        var mean = [Float](repeating: 0, count: weights.tokens * positions)
        guard weights.heads > 0, weights.tokens > 0, positions > 0 else { return (mean, positions) }
        for head in 0..<weights.heads {
            var rows = cropped(weights, head: head, positions: positions)
            if options.renormalizes { renormalize(&rows, columns: positions) }
            standardize(&rows, columns: positions)
            rows = MedianFilter.filter(rows, columns: positions, width: options.medianWidth)
            mean.withUnsafeMutableBufferPointer { mean in
                rows.withUnsafeBufferPointer { rows in
                    for index in 0..<mean.count { mean[index] += rows[index] }
                }
            }
        }
        let heads = Float(weights.heads)
        for index in mean.indices { mean[index] /= heads }
        return (mean, positions)
    }

    /// The path that spends the most evidence: pairs of token and position.
    package static func path(_ weights: AlignmentWeights, options: Options, tokens: Range<Int>? = nil)
        -> DynamicTimeWarping.Path
    {
        let (evidence, positions) = evidence(weights, options: options)
        let range = (tokens ?? 0..<weights.tokens).clamped(to: 0..<weights.tokens)
        let cost = evidence[range.lowerBound * positions..<range.upperBound * positions].map { -$0 }
        return DynamicTimeWarping.path(cost: cost, rows: range.count, columns: positions)
    }

    private static func cropped(_ weights: AlignmentWeights, head: Int, positions: Int) -> [Float] {
        var rows: [Float] = []
        rows.reserveCapacity(weights.tokens * positions)
        for token in 0..<weights.tokens {
            let start = (head * weights.tokens + token) * weights.positions
            rows.append(contentsOf: weights.values[start..<start + positions])
        }
        return rows
    }

    private static func renormalize(_ rows: inout [Float], columns: Int) {
        rows.withUnsafeMutableBufferPointer { rows in
            var start = 0
            while start < rows.count {
                var sum: Float = 0
                for column in 0..<columns { sum += rows[start + column] }
                if sum > 0 { for column in 0..<columns { rows[start + column] /= sum } }
                start += columns
            }
        }
    }

    /// Subtracts each column's mean over the tokens and divides by its (population) standard deviation. A column without
    /// spread tells nothing about time and becomes 0.
    private static func standardize(_ rows: inout [Float], columns: Int) {
        let tokens = rows.count / columns
        var mean = [Double](repeating: 0, count: columns), square = mean
        rows.withUnsafeMutableBufferPointer { rows in
            mean.withUnsafeMutableBufferPointer { mean in
                square.withUnsafeMutableBufferPointer { square in
                    for token in 0..<tokens {
                        for column in 0..<columns { mean[column] += Double(rows[token * columns + column]) }
                    }
                    for column in 0..<columns { mean[column] /= Double(tokens) }
                    for token in 0..<tokens {
                        for column in 0..<columns {
                            let distance = Double(rows[token * columns + column]) - mean[column]
                            square[column] += distance * distance
                        }
                    }
                    for column in 0..<columns { square[column] = (square[column] / Double(tokens)).squareRoot() }
                    for token in 0..<tokens {
                        for column in 0..<columns {
                            let index = token * columns + column
                            rows[index] =
                                square[column] > 0 ? Float((Double(rows[index]) - mean[column]) / square[column]) : 0
                        }
                    }
                }
            }
        }
    }
}
