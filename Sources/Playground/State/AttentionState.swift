import AttentionAnalysis
import AttentionTypes
import Generation
import Terminal

/// What the attention panel shows and how.
package struct AttentionState: Sendable {
    package var layer: LayerChoice = .all
    package var head: HeadChoice = .mean
    package var colorMap: ColorMap = .inferno
    package var scale: HeatScale = .linear
    package var pooling: Pooling = .max
    /// How much the heat covers the picture of the input, in percent.
    package var opacity = 90
    /// All heads of the layer, small, instead of one map.
    package var showsHeads = false
    /// The whole window with its padding, instead of the sound alone.
    package var showsPadding = false
    /// Positions that hold much of every token's attention are left out.
    package var hidesSinks = false
    /// What the token has beyond the mean of the answer's tokens, instead of its weights.
    package var isRelative = false
    /// The token looked back at; nil follows the newest.
    package var selected: TokenPlace?
    /// Which of the views an input has; nil is the first.
    package var view: InputViewKind?
    /// Number of the picture among those of the answer.
    package var picture = 0
    /// Weight on the whole picture once more is blended over the patches, instead of drawn apart.
    package var blendsOverview = false
    /// How many times larger than the panel the picture is drawn: 1, 2, 4 or 8.
    package var zoom = 1
    /// The place asked about: moved by keys or set by a click. Tokens that looked there are shaded in the chat.
    package var probe: Probe?
    /// Arrows move the probe instead of scrubbing.
    package var movesProbe = false
    /// Who looked at the probe.
    var looks: ProbeLooks?
    /// The window's tokens under the present choice of layer and head.
    var rows = AttentionRows()
    /// `Event.catchUp` is on its way, to go on with the rows.
    var isCatchingUp = false
    /// The shown token's attention out of the record.
    var shown: ShownAttention?

    /// Positions with at least this share of the mean attention are sinks.
    static let sinkShare: Float = 0.04
    /// And at least so many times what each would have if attention were even.
    static let sinkTimesEven: Float = 2.5
    static let zooms = [1, 2, 4, 8]
}

/// The ways to look at an input.
package enum InputViewKind: String, Sendable, Hashable, CaseIterable {
    /// The spectrogram with heat over it.
    case sound
    /// The picture with heat over it.
    case picture
    /// The words that are read, shaded.
    case words
    /// Words read against words written.
    case matrix

    var name: String { rawValue }
}

/// A place of the input.
package enum Probe: Sendable, Hashable {
    /// A point of a picture, in shares of width and height.
    case point(picture: Int, x: Double, y: Double)
    /// A stretch of sound, in shares of the window.
    case moment(window: Int, Double)
    /// A word of the source, by its key.
    case word(Int)
}

/// The attention of one token as it came out of the record.
struct ShownAttention: Sendable {
    var record: Int
    var kind: AttentionKind
    /// nil when the record had to let it go, or holds none of that kind.
    var captured: CapturedAttention?
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
        // A picture's map stays on the last thing that was named, not on the full stop behind it.
        if chat.messages[message].progress != .streaming, !chat.messages[message].pictures.isEmpty,
            let token = tokens.lastIndex(where: {
                $0.record != nil && !$0.isSpecial && $0.text.contains { $0.isLetter || $0.isNumber }
            })
        {
            return TokenPlace(message: message, token: token)
        }
        // The newest word rather than the end-of-text token that follows it.
        guard
            let token = tokens.lastIndex(where: { $0.record != nil && !$0.isSpecial })
                ?? tokens.lastIndex(where: { $0.record != nil })
        else { return nil }
        return TokenPlace(message: message, token: token)
    }

    /// The message whose input is shown.
    var shownMessage: Int? { shownToken?.message ?? chat.lastAnswer }

    /// The views the shown message's input has, the natural one first.
    var offeredViews: [InputViewKind] {
        guard let message = shownMessage.map({ chat.messages[$0] }) else { return [] }
        var views: [InputViewKind] = []
        if !message.windows.isEmpty { views.append(.sound) }
        if !message.pictures.isEmpty { views.append(.picture) }
        if message.source != nil { views += [.words, .matrix] }
        return views
    }

    var shownView: InputViewKind? {
        let offered = offeredViews
        return attention.view.flatMap { offered.contains($0) ? $0 : nil } ?? offered.first
    }

    var shownPictureCount: Int { shownMessage.map { chat.messages[$0].pictures.count } ?? 0 }

    /// The picture on show.
    var shownPicture: PictureView? {
        guard let pictures = shownMessage.map({ chat.messages[$0].pictures }), !pictures.isEmpty else { return nil }
        return pictures[min(max(0, attention.picture), pictures.count - 1)]
    }

    /// The kind of attention that falls on what is shown.
    var shownKind: AttentionKind {
        guard let index = shownMessage else { return .cross }
        let message = chat.messages[index]
        switch shownView {
        case .picture: return shownPicture?.kind ?? .cross
        // Beside pictures the words are the decoder's own; a source alone is an encoder's, if there is cross-attention.
        case .words, .matrix:
            return message.pictures.isEmpty && message.capturedKinds.contains(.cross) ? .cross : .selfAttention
        case .sound, nil: return .cross
        }
    }

    var shownLayers: LayerChoice { layers(of: shownKind) }

    /// The choice of layers, where it is one for a kind of attention: aligned heads are of one kind alone.
    func layers(of kind: AttentionKind) -> LayerChoice {
        guard case .aligned = attention.layer, let own = engine.abilities?.shownAttention, own != kind else {
            return attention.layer
        }
        return .all
    }

    /// A model is there: its makers' choice of heads is shown first, where they made one.
    mutating func learn(_ abilities: ModelAbilities?) -> [Effect] {
        engine.abilities = abilities
        if let heads = abilities?.alignmentHeads, !heads.isEmpty {
            attention.layer = .aligned(heads)
        } else if case .aligned = attention.layer {
            attention.layer = .all
        }
        return []
    }

    /// Takes out of the record what the panels are about to draw, so that drawing never reads a file.
    mutating func followAttention() {
        guard let place = shownToken else {
            attention.shown = nil
            return
        }
        let tokens = chat.messages[place.message].tokens, kind = shownKind,
            rollout = chat.messages[place.message].source?.rollout ?? []
        if let record = tokens[place.token].record {
            if attention.shown?.record != record || attention.shown?.kind != kind {
                attention.shown = ShownAttention(
                    record: record, kind: kind,
                    captured: (try? chat.record.attention(ofToken: record)).flatMap {
                        CapturedAttention($0, kind, rollout: rollout)
                    })
            }
        } else {
            attention.shown = nil
        }
        attention.rows.follow(
            tokens,
            .init(
                message: place.message, window: tokens[place.token].window, kind: kind, layer: shownLayers,
                head: attention.head,
                hidesSinks: attention.hidesSinks), chat.record, rollout: rollout)
        followProbe()
    }

    /// Whether what is shown was read by an encoder whose attention can be followed back.
    var canRollOut: Bool {
        shownKind == .cross && shownMessage.map { !(chat.messages[$0].source?.rollout ?? []).isEmpty } ?? false
    }

    /// The ways to bring heads together, those there are now.
    var aggregations: [HeadChoice] { canRollOut ? [.mean, .max, .rollout] : [.mean, .max] }

    /// The shown token's weights under the choice of layer and head, `[keys]`: sinks left out and the mean taken off where
    /// that is asked for; nil when there are none.
    var shownRow: [Float]? {
        guard let row = attention.shown?.captured?.profile(layer: shownLayers, head: attention.head) else { return nil }
        return treated(row)
    }

    /// Sinks and mean, as asked for. The mean is that of the chosen heads.
    func treated(_ row: [Float]) -> [Float] {
        let relative = attention.isRelative ? attention.rows.beyondMean(row) : row
        return attention.hidesSinks ? SinkMask.masking(attention.rows.sinks, in: relative) : relative
    }
}
