/// Leaves attention sinks out of a row for display.
///
/// Trained models park attention they have no use for on a few fixed positions (the first token, a bit of silence;
/// Xiao et al., "Efficient Streaming Language Models with Attention Sinks", 2023). Those positions outshine everything
/// else, so that the picture shows nothing; masked, the rest becomes visible. The captured weights stay as they are.
package struct SinkMask: Sendable, Hashable {
    /// Positions that are always masked.
    package var positions: Set<Int>
    /// Positions that hold at least this share of the mean attention over many rows are masked too; nil detects nothing.
    package var threshold: Float?

    package init(positions: Set<Int> = [], threshold: Float? = nil) {
        self.positions = positions
        self.threshold = threshold
    }

    /// The positions whose mean over all `rows` reaches the threshold, besides the fixed ones.
    ///
    /// - Parameter rows: one row per token so far. Rows may differ in length (self-attention grows); a position's mean is
    ///   over the rows that have it.
    package func sinks(in rows: [[Float]]) -> Set<Int> {
        guard let threshold, !rows.isEmpty else { return positions }
        var sums = [Float](), counts = [Float]()
        for row in rows {
            if row.count > sums.count {
                let more = row.count - sums.count
                sums.append(contentsOf: repeatElement(0, count: more))
                counts.append(contentsOf: repeatElement(0, count: more))
            }
            for (key, weight) in row.enumerated() {
                sums[key] += weight
                counts[key] += 1
            }
        }
        // A position seen by a single row is no sink yet: a causal row's newest key would always be one.
        let needed = Swift.min(2, Float(rows.count))
        return positions.union(sums.indices.filter { counts[$0] >= needed && sums[$0] / counts[$0] >= threshold })
    }

    /// `row` with the sinks at 0 and the rest scaled up to the sum it had; unchanged when nothing but sinks would be left.
    package static func masking(_ sinks: Set<Int>, in row: [Float]) -> [Float] {
        var masked = row
        var before: Float = 0, after: Float = 0
        for key in row.indices {
            before += row[key]
            if sinks.contains(key) { masked[key] = 0 } else { after += row[key] }
        }
        guard after > 0 else { return row }
        let scale = before / after
        for key in masked.indices { masked[key] *= scale }
        return masked
    }
}
