import AttentionAnalysis
import AttentionTypes
import Generation

extension State {
    /// The token whose attention is shown: the selected one, else the newest with attention.
    var shownToken: TokenPlace? {
        if let selected = attention.selected, chat.messages.indices.contains(selected.message),
            chat.messages[selected.message].tokens.indices.contains(selected.token)
        {
            return selected
        }
        guard let message = chat.lastAnswer else { return nil }
        let tokens = chat.messages[message].tokens
        // A picture's map stays on the last word, not on the full stop after it.
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

    /// The views of the shown message's input, the default first.
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

    /// The shown picture.
    var shownPicture: PictureView? {
        guard let pictures = shownMessage.map({ chat.messages[$0].pictures }), !pictures.isEmpty else { return nil }
        return pictures[min(max(0, attention.picture), pictures.count - 1)]
    }

    /// The kind of attention over the shown input.
    var shownKind: AttentionKind {
        guard let index = shownMessage else { return .cross }
        let message = chat.messages[index]
        switch shownView {
        case .picture: return shownPicture?.kind ?? .cross
        // With pictures the words are the decoder's prompt; a source alone is read by an encoder if there is
        // cross-attention.
        case .words, .matrix:
            return message.pictures.isEmpty && message.capturedKinds.contains(.cross) ? .cross : .selfAttention
        case .sound, nil: return .cross
        }
    }

    package var shownLayers: LayerChoice { layers(of: shownKind) }

    /// The selected layers for a kind of attention: alignment heads exist for one kind only.
    package func layers(of kind: AttentionKind) -> LayerChoice {
        guard case .aligned = attention.layer, let own = engine.abilities?.shownAttention, own != kind else {
            return attention.layer
        }
        return .all
    }

    /// Stores the model's abilities and selects its alignment heads, if it has any.
    mutating func didReadAbilities(_ abilities: ModelAbilities?) -> [Effect] {
        engine.abilities = abilities
        if let heads = abilities?.alignmentHeads, !heads.isEmpty {
            attention.layer = .aligned(heads)
        } else if case .aligned = attention.layer {
            attention.layer = .all
        }
        return []
    }

    /// Reads the attention that the panels draw from the record, so that drawing never reads a file.
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

    /// True if the rollout through an encoder is known for the shown source.
    var canRollOut: Bool {
        shownKind == .cross && shownMessage.map { !(chat.messages[$0].source?.rollout ?? []).isEmpty } ?? false
    }

    /// The available reductions over heads.
    var aggregations: [HeadChoice] { canRollOut ? [.mean, .max, .rollout] : [.mean, .max] }

    /// The shown token's weights for the selected layer and head, `[keys]`, without sinks and minus the mean if that is
    /// selected; nil without attention.
    var shownRow: [Float]? {
        guard let row = attention.shown?.captured?.profile(layer: shownLayers, head: attention.head) else { return nil }
        return treated(row)
    }

    /// Masks sinks and subtracts the mean if selected. The mean is that of the selected heads.
    func treated(_ row: [Float]) -> [Float] {
        let relative = attention.isRelative ? attention.rows.beyondMean(row) : row
        return attention.hidesSinks ? SinkMask.masking(attention.rows.sinks, in: relative) : relative
    }
}
