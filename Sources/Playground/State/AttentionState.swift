import Terminal

/// What the attention panel shows and how.
public struct AttentionState: Sendable {
    public var layer: LayerChoice = .all
    public var head: HeadChoice = .mean
    public var colorMap: ColorMap = .inferno
    public var scale: HeatScale = .linear
    public var pooling: Pooling = .max
    /// All heads of the layer, one strip each, instead of one map.
    public var showsHeads = false
    /// The whole window with its padding, instead of the sound alone.
    public var showsPadding = false
    /// The token looked back at; nil follows the newest.
    public var selected: TokenPlace?
    /// Where each token of a message looked most, under the present choice of layer and head.
    var peaks = PeakCache()
}

/// The peak of each token's attention in one window. Kept, because the rows of words need those of all tokens in every frame.
struct PeakCache: Sendable {
    /// What the peaks are of.
    struct Subject: Sendable, Hashable {
        var message: Int
        var window: Int
        var layer: LayerChoice
        var head: HeadChoice
    }

    private(set) var subject: Subject?
    /// Number of the window's first token in its message.
    private var first = 0
    /// Share of the window (0…1) per token from `first` on; nil without attention.
    private var places: [Double?] = []

    /// Brings the cache up to what is to be shown.
    mutating func follow(_ tokens: [TokenRecord], _ subject: Subject) {
        if subject != self.subject {
            self = PeakCache()
            self.subject = subject
            first = tokens.firstIndex { $0.window == subject.window } ?? tokens.count
        }
        forget(after: tokens.count)
        while first + places.count < tokens.count, tokens[first + places.count].window == subject.window {
            places.append(tokens[first + places.count].attention.flatMap { Self.peak($0.profile(layer: subject.layer, head: subject.head)) })
        }
    }

    /// Tokens of the message from `count` on were replaced.
    mutating func forget(after count: Int) {
        if first > count { self = PeakCache() } else if first + places.count > count { places.removeLast(first + places.count - count) }
    }

    /// The peak of a token of the message that is followed.
    func place(ofToken token: Int) -> Double? { places.indices.contains(token - first) ? places[token - first] : nil }

    func place(of place: TokenPlace) -> Double? { place.message == subject?.message ? self.place(ofToken: place.token) : nil }

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
        guard let token = tokens.lastIndex(where: { $0.attention != nil && !$0.isSpecial }) ?? tokens.lastIndex(where: { $0.attention != nil })
        else { return nil }
        return TokenPlace(message: message, token: token)
    }

    /// The message whose sound is shown.
    var shownMessage: Int? { shownToken?.message ?? chat.lastAnswer }
}
