import AttentionAnalysis
import AttentionTypes

/// The attention row of each token of one window for one choice of layer and head. It is cached because the word rows
/// need all peaks in every frame, and sinks, means and probes need the rows of all tokens.
struct AttentionRows: Sendable {
    /// The subject of the rows.
    struct Subject: Sendable, Hashable {
        var message: Int
        var window: Int
        var kind: AttentionKind
        var layer: LayerChoice
        var head: HeadChoice
        var hidesSinks: Bool
    }

    private(set) var subject: Subject?
    private(set) var sinks: Set<Int> = []
    /// Index of the window's first token in its message.
    private(set) var first = 0
    /// Per token from `first` on, `[keys]`; nil without attention, and for the oldest rows of a very long answer.
    private(set) var rows: [[Float]?] = []
    /// Number of weights in `rows`, and of rows released from the front.
    private var held = 0
    private var released = 0
    /// The limit of weights in memory: 32 MB. The record keeps its own.
    private static let mostHeld = 8 << 20
    /// Share of the window (0…1) per token; nil without attention.
    private var peaks: [Double?] = []
    /// Sums of the rows by key, and the number of rows with that key.
    private var sums: [Float] = []
    private var counts: [Float] = []

    /// True if tokens still lack rows; the next call continues.
    private(set) var isBehind = false
    /// Weights read per call, a few milliseconds of work. The rows of a long answer for another layer take several
    /// calls, so that keys and frames are handled in between.
    static let readAtOnce = 1 << 20

    /// Updates the rows for the subject, at most `readAtOnce` weights per call.
    /// - Parameter rollout: of the message's encoder, if it has one.
    mutating func follow(_ tokens: [TokenRecord], _ subject: Subject, _ record: AttentionRecord, rollout: [Float] = [])
    {
        if subject != self.subject {
            self = AttentionRows()
            self.subject = subject
            first = tokens.firstIndex { $0.window == subject.window } ?? tokens.count
        }
        forget(after: tokens.count)
        let known = rows.count
        var read = 0
        while read < Self.readAtOnce, first + rows.count < tokens.count,
            tokens[first + rows.count].window == subject.window
        {
            let weights = tokens[first + rows.count].record.flatMap { number in
                try? record.attention(ofToken: number) { kind, layer in
                    kind == subject.kind && subject.layer.includes(layer)
                }
            }
            read += weights?.reduce(0) { $0 + $1.values.count } ?? 0
            let row = weights.flatMap { CapturedAttention($0, subject.kind, rollout: rollout) }?.profile(
                layer: subject.layer, head: subject.head)
            rows.append(row)
            if let row {
                count(row)
                held += row.count
            }
            while held > Self.mostHeld, released < rows.count - 1 {
                held -= rows[released]?.count ?? 0
                rows[released] = nil
                released += 1
            }
        }
        isBehind = first + rows.count < tokens.count && tokens[first + rows.count].window == subject.window
        guard rows.count != known else { return }
        if subject.hidesSinks {
            let found = Self.sinks(in: rows.compactMap { $0 })
            if found != sinks {
                sinks = found
                peaks = []
            }
        }
        for row in rows[min(peaks.count, rows.count)...] {
            peaks.append(row.flatMap { Self.peak(SinkMask.masking(sinks, in: $0)) })
        }
    }

    /// Sinks of the rows; a few tokens are not enough to find them.
    private static func sinks(in rows: [[Float]]) -> Set<Int> {
        guard rows.count >= 6, let keys = rows.map(\.count).max(), keys > 0 else { return [] }
        // Among few keys each has a large share, so a sink must have several times the uniform weight.
        return SinkMask(threshold: max(AttentionState.sinkShare, AttentionState.sinkTimesEven / Float(keys))).sinks(
            in: rows)
    }

    private mutating func count(_ row: [Float]) {
        if row.count > sums.count {
            sums.append(contentsOf: repeatElement(0, count: row.count - sums.count))
            counts.append(contentsOf: repeatElement(0, count: row.count - counts.count))
        }
        sums.withUnsafeMutableBufferPointer { sums in
            counts.withUnsafeMutableBufferPointer { counts in
                for (key, weight) in row.enumerated() where weight.isFinite {
                    sums[key] += weight
                    counts[key] += 1
                }
            }
        }
    }

    /// Discards the rows of tokens from `count` on, which were replaced.
    mutating func forget(after count: Int) {
        if first > count {
            self = AttentionRows()
        } else if first + rows.count > count {
            for row in rows.suffix(first + rows.count - count) { held -= row?.count ?? 0 }
            rows.removeLast(first + rows.count - count)
            released = min(released, rows.count)
            peaks.removeLast(max(0, first + peaks.count - count))
            (sums, counts) = ([], [])
            for case let row? in rows { self.count(row) }
        }
    }

    /// The row of a token of the subject's message.
    func row(ofToken token: Int) -> [Float]? { rows.indices.contains(token - first) ? rows[token - first] : nil }

    /// The peak of a token of the subject's message.
    func peak(ofToken token: Int) -> Double? { peaks.indices.contains(token - first) ? peaks[token - first] : nil }

    func peak(of place: TokenPlace) -> Double? { place.message == subject?.message ? peak(ofToken: place.token) : nil }

    /// The row minus the mean over the tokens so far, clamped at 0.
    func beyondMean(_ row: [Float]) -> [Float] {
        row.enumerated().map { key, weight in
            guard key < sums.count, counts[key] > 0 else { return weight }
            return max(0, weight - sums[key] / counts[key])
        }
    }

    /// A row without the sinks.
    func withoutSinks(_ row: [Float]) -> [Float] { SinkMask.masking(sinks, in: row) }

    /// Tokens that have a row.
    var tokensWithRows: Int { rows.reduce(0) { $0 + ($1 == nil ? 0 : 1) } }

    /// Each token's summed weight on the keys, from `first` on; nil without attention.
    func looks(at keys: Set<Int>) -> [Float?] {
        rows.map { row in row.map { row in keys.reduce(Float(0)) { $0 + (row.indices.contains($1) ? row[$1] : 0) } } }
    }

    /// The middle of the strongest key, as a share of all keys.
    static func peak(_ profile: [Float]) -> Double? {
        guard let top = profile.max(), top > 0, let key = profile.firstIndex(of: top) else { return nil }
        return (Double(key) + 0.5) / Double(profile.count)
    }
}
