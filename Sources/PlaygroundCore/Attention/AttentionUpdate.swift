// Selecting tokens, layers and heads.
extension State {
    /// Shape of the captured attention on show: layers and number of heads.
    var capturedShape: (layers: [Int], heads: Int)? {
        attention.shown?.captured.map { ($0.layers, $0.heads) }
    }

    /// Moves the selection over the tokens; past the newest it follows the answer again.
    mutating func scrub(_ steps: Int) {
        let places = selectablePlaces()
        guard !places.isEmpty else { return }
        let current = shownToken.flatMap { shown in places.firstIndex { $0 >= shown } } ?? places.count - 1
        let target = current + steps
        if target >= places.count {
            attention.selected = nil
        } else {
            select(places[max(0, target)])
        }
    }

    mutating func scrubToEnd(_ end: Bool) {
        if end { attention.selected = nil } else if let first = selectablePlaces().first { select(first) }
        chat.scroll = 0
    }

    mutating func select(_ place: TokenPlace) {
        attention.selected = place
        chat.scroll = 0
    }

    /// Tokens that can be selected: words, and special tokens while probabilities are shown.
    private func selectablePlaces() -> [TokenPlace] {
        chat.messages.indices.flatMap { message in
            chat.messages[message].tokens.indices.compactMap { token in
                chat.messages[message].tokens[token].isSpecial && !chat.showsProbabilities
                    ? nil : TokenPlace(message: message, token: token)
            }
        }
    }

    /// Selects the next view of the input.
    mutating func stepView() {
        let offered = offeredViews
        guard offered.count > 1, let shown = shownView, let place = offered.firstIndex(of: shown) else { return }
        attention.view = offered[(place + 1) % offered.count]
        // A probe belongs to its view.
        attention.probe = nil
        attention.movesProbe = false
    }

    /// Selects the next picture of the answer.
    mutating func stepPicture() {
        guard let count = shownMessage.map({ chat.messages[$0].pictures.count }), count > 1 else { return }
        attention.picture = (min(attention.picture, count - 1) + 1) % count
        attention.probe = nil
    }

    mutating func stepZoom() {
        let place = AttentionState.zooms.firstIndex(of: attention.zoom) ?? 0
        attention.zoom = AttentionState.zooms[(place + 1) % AttentionState.zooms.count]
    }

    /// Cycles through the alignment heads, `all`, and each captured layer.
    mutating func stepLayer(_ step: Int) {
        guard let shape = capturedShape else { return }
        let aligned = engine.abilities?.alignmentHeads ?? []
        let choices: [LayerChoice] =
            (aligned.isEmpty ? [] : [.aligned(aligned)]) + [.all] + shape.layers.map { .layer($0) }
        let current = choices.firstIndex(of: attention.layer) ?? 0
        attention.layer = choices[(current + step + choices.count) % choices.count]
    }

    /// Cycles through the available reductions.
    mutating func stepAggregation() {
        let place = aggregations.firstIndex(of: attention.head) ?? -1
        attention.head = aggregations[(place + 1) % aggregations.count]
    }

    /// Cycles through the reductions and each head.
    mutating func stepHead(_ step: Int) {
        guard let shape = capturedShape else { return }
        let choices: [HeadChoice] = aggregations + (0..<shape.heads).map { .head($0) }
        let current = choices.firstIndex(of: attention.head) ?? 0
        attention.head = choices[(current + step + choices.count) % choices.count]
    }
}
