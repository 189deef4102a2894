extension State {
    /// The attention keys at the probe; empty without a probe.
    var probedKeys: Set<Int> {
        guard let probe = attention.probe, let message = shownMessage.map({ chat.messages[$0] }) else { return [] }
        switch probe {
        case .point(let index, let x, let y):
            guard let picture = message.pictures.first(where: { $0.index == index }) else { return [] }
            var keys: Set<Int> = []
            if let patch = picture.patch(at: x, y) { keys.insert(picture.patches[patch].key) }
            if attention.blendsOverview, let whole = picture.overview.first(where: { $0.contains(x, y) }) {
                keys.insert(whole.key)
            }
            return keys
        case .moment(let index, let moment):
            guard let window = message.windows.last(where: { $0.index == index }),
                let keys = attention.shown?.captured?.keys, window.length > 0
            else { return [] }
            // A tenth of a second to either side, which is shorter than a syllable.
            let reach = 0.1 / window.length
            let first = max(0, Int((moment - reach) * Double(keys))),
                last = min(keys - 1, Int((moment + reach) * Double(keys)))
            return first <= last ? Set(first...last) : []
        case .word(let key): return [key]
        }
    }

    /// Updates the tokens' attention to the probe.
    mutating func followProbe() {
        let keys = probedKeys
        guard !keys.isEmpty, let subject = attention.rows.subject else {
            attention.looks = nil
            return
        }
        attention.looks = ProbeLooks(
            message: subject.message, first: attention.rows.first, weights: attention.rows.looks(at: keys))
    }

    /// Sets the probe; the same place again removes it.
    mutating func ask(about probe: Probe) {
        attention.probe = attention.probe == probe ? nil : probe
        if attention.probe == nil { attention.movesProbe = false }
    }

    /// Starts the probe at the strongest weight of the shown token.
    mutating func beginProbe() {
        attention.movesProbe = true
        guard attention.probe == nil, let view = shownView else { return }
        let row = shownRow ?? []
        switch view {
        case .sound:
            guard let window = shownMessage.flatMap({ chat.messages[$0].windows.last }) else { return }
            let shown = shownToken.map { chat.messages[$0.message].tokens[$0.token].window } ?? window.index
            attention.probe = .moment(window: shown, AttentionRows.peak(row) ?? 0)
        case .picture:
            guard let picture = shownPicture else { return }
            let heat = picture.heat(of: row, blended: attention.blendsOverview)
            guard let top = heat.max(), let place = heat.firstIndex(of: top) else { return }
            let patch = picture.patches[place]
            attention.probe = .point(
                picture: picture.index, x: (patch.left + patch.right) / 2, y: (patch.top + patch.bottom) / 2)
        case .words, .matrix:
            attention.probe = .word(row.max().flatMap { row.firstIndex(of: $0) } ?? 0)
        }
    }

    /// Moves the probe by one patch, a tenth of a second, or one word.
    mutating func moveProbe(_ across: Int, _ down: Int) {
        guard let probe = attention.probe, let message = shownMessage.map({ chat.messages[$0] }) else { return }
        switch probe {
        case .point(let index, let x, let y):
            guard let picture = message.pictures.first(where: { $0.index == index }),
                let place = picture.patch(at: x, y) ?? picture.patches.indices.first
            else { return }
            let patch = picture.patches[place]
            // From the middle of the patch to the middle of its neighbor.
            let toX = (patch.left + patch.right) / 2 + Double(across) * (patch.right - patch.left)
            let toY = (patch.top + patch.bottom) / 2 + Double(down) * (patch.bottom - patch.top)
            guard let next = picture.patch(at: toX, toY).map({ picture.patches[$0] }) else { return }
            attention.probe = .point(picture: index, x: (next.left + next.right) / 2, y: (next.top + next.bottom) / 2)
        case .moment(let index, let moment):
            guard let window = message.windows.last(where: { $0.index == index }), window.length > 0 else { return }
            let step = 0.1 / window.length * Double(across + 10 * down)
            attention.probe = .moment(window: index, max(0, min(0.999, moment + step)))
        case .word(let key):
            // Up and down move by ten words, because lines have no fixed length.
            let count = (message.source?.tokens.count ?? 0) + (shownKind == .selfAttention ? shownToken?.token ?? 0 : 0)
            attention.probe = .word(max(0, min(count - 1, key + across + 10 * down)))
        }
    }

    /// The probe in words.
    var probeName: String {
        guard let probe = attention.probe, let message = shownMessage.map({ chat.messages[$0] }) else { return "" }
        switch probe {
        case .point(let index, let x, let y):
            guard let picture = message.pictures.first(where: { $0.index == index }),
                let number = picture.patch(at: x, y)
            else { return "outside of what the model sees" }
            return "patch \(number + 1) of \(picture.patches.count)"
        case .moment(let index, let moment):
            guard let window = message.windows.last(where: { $0.index == index }) else { return "" }
            return "at \(Figures.time(window.start + moment * window.length))"
        case .word(let key):
            guard let source = message.source else { return "" }
            let token =
                key < source.tokens.count
                ? source.tokens[key].label
                : message.tokens.indices.contains(key - source.tokens.count)
                    ? message.tokens[key - source.tokens.count].label : "?"
            return "“\(token)” (\(key + 1))"
        }
    }
}
