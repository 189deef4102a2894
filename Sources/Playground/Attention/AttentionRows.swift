import AttentionAnalysis
import AttentionTypes

/// The attention of each token of one window under a choice of layer and head: kept, because the rows of words need the
/// peaks of all tokens in every frame, sinks and means show only over many tokens, and a place is asked who looked at it.
struct AttentionRows: Sendable {
    /// What the rows are of.
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
    /// Number of the window's first token in its message.
    private(set) var first = 0
    /// Per token from `first` on `[keys]`; nil without attention, and for the oldest of very many.
    private(set) var rows: [[Float]?] = []
    /// Weights held in `rows`, and how many rows from the front were let go.
    private var held = 0
    private var released = 0
    /// The most weights that are held: 32 MB. What the record keeps is not touched.
    private static let mostHeld = 8 << 20
    /// Share of the window (0…1) per token; nil without attention.
    private var peaks: [Double?] = []
    /// Sum of the rows by key, and how many rows have that key.
    private var sums: [Float] = []
    private var counts: [Float] = []

    /// Not all tokens have their rows yet: another call goes on where the last one stopped.
    private(set) var isBehind = false
    /// Weights that are read in one call, a few milliseconds' worth: a long answer's rows under another layer are reckoned
    /// in many calls, so that keys are heard and frames drawn between them.
    static let readAtOnce = 1 << 20

    /// Brings the rows up to what is to be shown, or closer to it.
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

    /// A few tokens tell nothing about what all of them look at.
    private static func sinks(in rows: [[Float]]) -> Set<Int> {
        guard rows.count >= 6, let keys = rows.map(\.count).max(), keys > 0 else { return [] }
        // Among few keys each has a large share: a sink has several times what it would have if all had the same.
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

    /// Tokens of the message from `count` on were replaced.
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

    /// The row of a token of the message that is followed.
    func row(ofToken token: Int) -> [Float]? { rows.indices.contains(token - first) ? rows[token - first] : nil }

    /// The peak of a token of the message that is followed.
    func peak(ofToken token: Int) -> Double? { peaks.indices.contains(token - first) ? peaks[token - first] : nil }

    func peak(of place: TokenPlace) -> Double? { place.message == subject?.message ? peak(ofToken: place.token) : nil }

    /// What a row has beyond the mean over the tokens so far, key by key; 0 where it has less.
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

    /// How much each token from `first` on looked at the keys: their weights summed; nil without attention.
    func looks(at keys: Set<Int>) -> [Float?] {
        rows.map { row in row.map { row in keys.reduce(Float(0)) { $0 + (row.indices.contains($1) ? row[$1] : 0) } } }
    }

    /// The middle of the strongest key, as a share of all keys.
    static func peak(_ profile: [Float]) -> Double? {
        guard let top = profile.max(), top > 0, let key = profile.firstIndex(of: top) else { return nil }
        return (Double(key) + 0.5) / Double(profile.count)
    }
}
