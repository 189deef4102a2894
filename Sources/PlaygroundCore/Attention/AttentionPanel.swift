import Terminal

/// The attention of one token as heat over the input.
package struct AttentionPanel: Panel {
    package let focus = Focus.attention, title = "Attention", place = PanelPlace.right, minimumSize = Size(40, 10)
    package let keys = Self.bindings
    package let keysTitle = "Attention (also from the chat)"

    package func takesKeys(_ state: State) -> Bool { state.focus == focus || state.focus == .chat }

    package func draw(_ state: State, in rect: Rect, onto canvas: inout Canvas) {
        let theme = state.theme
        let subject = AttentionSubject(state)
        Chrome.header(
            title(of: subject), Self.choice(state), focused: state.focus == focus, in: rect, theme, onto: &canvas)
        let body = rect.inset(top: 1)
        // A map needs more room than this.
        guard rect.width >= 20, rect.height >= 6 else { return }
        guard let subject else {
            let words =
                state.engine.phase == .encoding
                ? state.engine.abilities.map { $0.inputs.contains(.sound) } ?? true ? "listening …" : "reading …"
                : "The map of attention appears here."
            Chrome.centered([(words, theme.faint)], in: body, onto: &canvas)
            return
        }
        Self.drawToken(state, subject, in: body.row(0), onto: &canvas)
        let caption = Self.caption(subject, width: body.width)
        canvas.draw(caption, x: body.x, y: body.bottom - 1, theme.faint, in: body)
        let map = body.inset(top: 1, bottom: 1)
        switch subject.view {
        case .sound(let sound): SoundMap.draw(state, subject, sound, in: map, onto: &canvas)
        case .picture(let picture): PictureMap.draw(state, subject, picture, in: map, onto: &canvas)
        case .words(let source): WordsMap.draw(state, subject, source, in: map, onto: &canvas)
        case .matrix(let source): MatrixMap.draw(state, subject, source, in: map, onto: &canvas)
        }
    }

    package func mouse(_ action: InputEvent.MouseAction, x: Int, y: Int, in rect: Rect, _ state: inout State) {
        switch action {
        case .press:
            let hit = Self.hit(x: x, y: y, state, in: rect)
            if let token = hit.token { state.select(token) }
            if let probe = hit.probe { state.ask(about: probe) }
        case .scrollUp: state.scrub(-1)
        case .scrollDown: state.scrub(1)
        case .release: break
        }
    }

    /// The input position and the answer token at a cell of the screen.
    private static func hit(x: Int, y: Int, _ state: State, in rect: Rect) -> (probe: Probe?, token: TokenPlace?) {
        guard let subject = AttentionSubject(state) else { return (nil, nil) }
        let map = rect.inset(top: 1).inset(top: 1, bottom: 1)
        guard rect.width >= 20, rect.height >= 6, map.contains(x: x, y: y) else { return (nil, nil) }
        switch subject.view {
        case .sound(let sound):
            return (SoundMap.moment(atColumn: x, state, sound, in: map).map { .moment(window: sound.index, $0) }, nil)
        case .picture(let picture): return (PictureMap.point(x: x, y: y, state, picture, in: map), nil)
        case .words(let source): return (WordsMap.probe(x: x, y: y, state, source, in: map), nil)
        case .matrix(let source): return MatrixMap.hit(x: x, y: y, state, subject, source, in: map)
        }
    }

    // MARK: Words

    /// The title says so if the model has no cross-attention.
    private func title(of subject: AttentionSubject?) -> String {
        guard let subject, subject.kind == .selfAttention else { return title }
        switch subject.view {
        case .picture: return "Self-attention over image tokens"
        case .words, .matrix, .sound: return "Self-attention over the conversation"
        }
    }

    /// The longest caption that fits, with the reminder that attention is not explanation.
    static func caption(_ subject: AttentionSubject, width: Int) -> String {
        let name = subject.kind == .selfAttention ? "self-attention" : "cross-attention"
        let wordings = [
            "\(name): attention, not explanation (where the decoder read, not why)",
            "\(name), not explanation: where it read, not why",
            "\(name): attention, not explanation", "\(name), not explanation",
        ]
        return wordings.first { $0.count <= width } ?? fitted(name, width: width)
    }

    /// The selected layers and heads, in words.
    package static func choice(_ state: State) -> String {
        let layer =
            switch state.shownLayers {
            case .all: "all layers"
            case .aligned(let heads): heads.count == 1 ? "the aligned head" : "\(heads.count) aligned heads"
            case .layer(let number): "layer \(number)"
            }
        if state.attention.showsHeads { return "\(layer) · every head" }
        switch state.attention.head {
        case .head(let number): return "\(layer) · head \(number)"
        case .mean: return "\(layer) · mean of heads"
        case .max: return "\(layer) · max of heads"
        case .rollout: return "\(layer) · rollout through the encoder"
        }
    }

    /// Draws the token, its probability, and its time or input.
    private static func drawToken(_ state: State, _ subject: AttentionSubject, in rect: Rect, onto canvas: inout Canvas)
    {
        let theme = state.theme, place = subject.title
        guard let token = subject.token, let at = subject.place else {
            canvas.draw(
                state.engine.phase == .encoding ? "encoding …" : "waiting for the first word", x: rect.x, y: rect.y,
                theme.quiet, in: rect)
            canvas.draw(
                fitted(place, width: max(0, rect.width - 26)), endingAt: rect.right, y: rect.y, theme.faint, in: rect)
            return
        }
        let style = state.attention.selected == nil ? theme.strong : theme.selected
        var x = canvas.draw(" \(fitted(token.label, width: 20)) ", x: rect.x, y: rect.y, style, in: rect)
        var facts = ["p \(Figures.fixed(Double(token.probability), 2))"]
        if state.attention.shown?.captured == nil {
            facts.append(token.record == nil ? "no attention captured" : "attention no longer kept")
        }
        if case .sound(let sound) = subject.view {
            if let word = subject.word {
                facts.append("said \(Figures.hundredths(word.start))–\(Figures.hundredths(word.end)) s")
            } else if let peak = state.attention.rows.peak(of: at) {
                facts.append("peak \(Figures.time(sound.start + peak * sound.length))")
            }
        }
        if rect.width >= 60 {
            facts.insert("token \(at.token + 1) of \(state.chat.messages[at.message].tokens.count)", at: 0)
        }
        x = canvas.draw(" " + facts.joined(separator: " · "), x: x, y: rect.y, theme.quiet, in: rect)
        let room = rect.right - x - 2
        if case .sound = subject.view {
            if room > place.count { canvas.draw(place, endingAt: rect.right, y: rect.y, theme.faint, in: rect) }
        } else if room > 7 {
            canvas.draw(fitted(place, width: room), endingAt: rect.right, y: rect.y, theme.faint, in: rect)
        }
    }
}

extension Focus {
    package static let attention = Focus("attention")
}
