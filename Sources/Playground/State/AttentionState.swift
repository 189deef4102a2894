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

/// The peak of each token's attention. Kept, because the row of words needs those of all tokens in every frame.
struct PeakCache: Sendable {
    private(set) var message = -1
    private var layer: LayerChoice = .all
    private var head: HeadChoice = .mean
    /// Share of the window (0…1) per token; nil without attention.
    private(set) var places: [Double?] = []

    /// Brings the cache up to what is to be shown.
    mutating func follow(_ tokens: [TokenRecord], of message: Int, layer: LayerChoice, head: HeadChoice) {
        if message != self.message || layer != self.layer || head != self.head {
            self = PeakCache(message: message, layer: layer, head: head)
        }
        if places.count > tokens.count { places.removeLast(places.count - tokens.count) }
        for token in tokens[places.count...] { places.append(token.attention.flatMap { Self.peak($0.profile(layer: layer, head: head)) }) }
    }

    /// Tokens from `count` on were replaced.
    mutating func forget(after count: Int) {
        if places.count > count { places.removeLast(places.count - count) }
    }

    /// The peak of a token of the message that was followed last.
    func place(ofToken token: Int) -> Double? { places.indices.contains(token) ? places[token] : nil }

    func place(of place: TokenPlace) -> Double? { place.message == message ? self.place(ofToken: place.token) : nil }

    init() {}

    private init(message: Int, layer: LayerChoice, head: HeadChoice) {
        self.message = message
        self.layer = layer
        self.head = head
    }

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
