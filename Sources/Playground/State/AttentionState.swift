import Attribution
import Terminal

/// What the attention panel shows and how.
public struct AttentionState: Sendable {
    public var layer: LayerChoice = .all
    public var head: HeadChoice = .mean
    public var colorMap: ColorMap = .inferno
    public var scale: HeatScale = .linear
    public var pooling: Pooling = .max
    /// How much the heat covers the picture of the sound, in percent.
    public var opacity = 90
    /// All heads of the layer, one strip each, instead of one map.
    public var showsHeads = false
    /// The whole window with its padding, instead of the sound alone.
    public var showsPadding = false
    /// Positions that hold much of every token's attention are left out.
    public var hidesSinks = false
    /// The token looked back at; nil follows the newest.
    public var selected: TokenPlace?
    /// The window's tokens under the present choice of layer and head.
    var rows = AttentionRows()
    /// The shown token's attention out of the record.
    var shown: ShownAttention?

    /// Positions with at least this share of the mean attention are sinks.
    static let sinkShare: Float = 0.04
}

/// The attention of one token as it came out of the record.
struct ShownAttention: Sendable {
    var record: Int
    /// nil when the record had to let it go.
    var captured: CapturedAttention?
}

/// The attention of each token of one window under a choice of layer and head: kept, because the rows of words need the
/// peaks of all tokens in every frame, and sinks show only over many tokens.
struct AttentionRows: Sendable {
    /// What the rows are of.
    struct Subject: Sendable, Hashable {
        var message: Int
        var window: Int
        var layer: LayerChoice
        var head: HeadChoice
        var hidesSinks: Bool
    }

    private(set) var subject: Subject?
    private(set) var sinks: Set<Int> = []
    /// Number of the window's first token in its message.
    private var first = 0
    /// Per token from `first` on `[keys]`; nil without attention.
    private var rows: [[Float]?] = []
    /// Share of the window (0…1) per token; nil without attention.
    private var peaks: [Double?] = []

    /// Brings the rows up to what is to be shown.
    mutating func follow(_ tokens: [TokenRecord], _ subject: Subject, _ record: AttentionRecord) {
        if subject != self.subject {
            self = AttentionRows()
            self.subject = subject
            first = tokens.firstIndex { $0.window == subject.window } ?? tokens.count
        }
        forget(after: tokens.count)
        let known = rows.count
        while first + rows.count < tokens.count, tokens[first + rows.count].window == subject.window {
            let captured = tokens[first + rows.count].record.flatMap { try? record.attention(ofToken: $0) }.flatMap { CapturedAttention($0) }
            rows.append(captured?.profile(layer: subject.layer, head: subject.head))
        }
        guard rows.count != known else { return }
        if subject.hidesSinks {
            let found = Self.sinks(in: rows.compactMap { $0 })
            if found != sinks {
                sinks = found
                peaks = []
            }
        }
        for row in rows[peaks.count...] { peaks.append(row.flatMap { Self.peak(SinkMask.masking(sinks, in: $0)) }) }
    }

    /// A few tokens tell nothing about what all of them look at.
    private static func sinks(in rows: [[Float]]) -> Set<Int> {
        rows.count < 6 ? [] : SinkMask(threshold: AttentionState.sinkShare).sinks(in: rows)
    }

    /// Tokens of the message from `count` on were replaced.
    mutating func forget(after count: Int) {
        if first > count {
            self = AttentionRows()
        } else if first + rows.count > count {
            rows.removeLast(first + rows.count - count)
            peaks.removeLast(max(0, first + peaks.count - count))
        }
    }

    /// The peak of a token of the message that is followed.
    func peak(ofToken token: Int) -> Double? { peaks.indices.contains(token - first) ? peaks[token - first] : nil }

    func peak(of place: TokenPlace) -> Double? { place.message == subject?.message ? peak(ofToken: place.token) : nil }

    /// The middle of the strongest key, as a share of all keys.
    static func peak(_ profile: [Float]) -> Double? {
        guard let top = profile.max(), top > 0, let key = profile.firstIndex(of: top) else { return nil }
        return (Double(key) + 0.5) / Double(profile.count)
    }
}

extension State {
    /// The token whose attention is shown: the one looked back at, else the newest with attention.
    var shownToken: TokenPlace? {
        if let selected = attention.selected, chat.messages.indices.contains(selected.message),
            chat.messages[selected.message].tokens.indices.contains(selected.token)
        {
            return selected
        }
        guard let message = chat.lastAnswer else { return nil }
        let tokens = chat.messages[message].tokens
        // The newest word rather than the end-of-text token that follows it.
        guard let token = tokens.lastIndex(where: { $0.record != nil && !$0.isSpecial }) ?? tokens.lastIndex(where: { $0.record != nil })
        else { return nil }
        return TokenPlace(message: message, token: token)
    }

    /// The message whose sound is shown.
    var shownMessage: Int? { shownToken?.message ?? chat.lastAnswer }

    /// Takes out of the record what the panels are about to draw, so that drawing never reads a file.
    mutating func followAttention() {
        guard let place = shownToken else {
            attention.shown = nil
            return
        }
        let tokens = chat.messages[place.message].tokens
        if let record = tokens[place.token].record {
            if attention.shown?.record != record {
                attention.shown = ShownAttention(record: record, captured: (try? chat.record.attention(ofToken: record)).flatMap { CapturedAttention($0) })
            }
        } else {
            attention.shown = nil
        }
        attention.rows.follow(
            tokens,
            .init(
                message: place.message, window: tokens[place.token].window, layer: attention.layer, head: attention.head,
                hidesSinks: attention.hidesSinks), chat.record)
    }
}
