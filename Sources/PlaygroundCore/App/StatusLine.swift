import Support
import Terminal

/// The last row: model, device, activity, speed, and the most useful keys.
enum StatusLine {
    static func draw(_ state: State, in rect: Rect, onto canvas: inout Canvas) {
        let theme = state.theme, bar = theme.statusBar
        canvas.fill(rect, .space, bar)
        func tinted(_ style: Style) -> Style {
            theme.capabilities.depth.showsRasters ? Style(style.foreground, on: bar.background, style.attributes) : bar
        }
        var x = rect.x + 1
        let engine = state.engine
        x = canvas.draw(engine.isBusy ? "◆ " : "● ", x: x, y: rect.y, tinted(indicator(state)), in: rect)
        x = canvas.draw(
            Sanitizer.cells.line(engine.modelName ?? "no model"), x: x, y: rect.y, bar.with(.bold), in: rect)
        if rect.width >= 100 && !engine.device.isEmpty {
            x = canvas.draw(
                " · " + fitted(Sanitizer.cells.line(engine.device), width: rect.width / 5), x: x, y: rect.y, bar,
                in: rect)
        }
        x = canvas.draw(" · ", x: x, y: rect.y, bar, in: rect)
        x = drawPhase(state, x: x, rect, tinted, bar, onto: &canvas)
        let room = rect.right - x - 3
        guard room > 5 else { return }
        if let notice = state.notice {
            canvas.draw(
                fitted(notice.text, width: room), endingAt: rect.right - 1, y: rect.y,
                tinted(theme.notice(notice.kind)), in: rect)
        } else {
            drawHints(state, room: room, rect, bar, tinted(theme.accent), onto: &canvas)
        }
    }

    private static func indicator(_ state: State) -> Style {
        switch state.engine.phase {
        case .failed: state.theme.error
        case .idle: state.engine.model == nil ? state.theme.faint : state.theme.model
        default: state.theme.accent
        }
    }

    private static func drawPhase(
        _ state: State, x: Int, _ rect: Rect, _ tinted: (Style) -> Style, _ bar: Style, onto canvas: inout Canvas
    ) -> Int {
        let engine = state.engine
        func words(_ text: String, _ style: Style) -> Int { canvas.draw(text, x: x, y: rect.y, style, in: rect) }
        func progress(_ text: String, _ fraction: Double?, _ detail: String) -> Int {
            var end = canvas.draw(text + " ", x: x, y: rect.y, bar, in: rect)
            if let fraction {
                let width = rect.width >= 100 ? 20 : 10
                let track = Style(
                    state.theme.accent.foreground,
                    on: state.theme.capabilities.depth.showsRasters ? state.theme.track : .standard)
                Chrome.progress(fraction, x: end, y: rect.y, width: width, track, state.theme, onto: &canvas)
                end = canvas.draw(
                    " " + Figures.right(Figures.percent(fraction), 5), x: end + width, y: rect.y, bar, in: rect)
            }
            return canvas.draw(detail.isEmpty ? "" : " · " + detail, x: end, y: rect.y, bar, in: rect)
        }
        switch engine.phase {
        case .idle:
            var text = "idle"
            if let rate = engine.rate.perSecond { text += " · \(Figures.fixed(rate, 1)) tok/s" }
            return words(text, bar)
        case .failed: return words("error", tinted(state.theme.error))
        case .listening(let heard, let most):
            return progress(
                "listening", heard / max(0.1, most), "\(Figures.fixed(heard, 1)) of \(Figures.fixed(most, 0)) s")
        case .encoding: return words(encodingText(state), bar)
        case .stopping: return words("stopping", bar)
        case .decoding:
            let count = state.chat.lastAnswer.map { state.chat.messages[$0].tokens.count } ?? 0
            if count == 0 { return words("reading the prompt", bar) }
            let rate = engine.rate.perSecond.map { "\(Figures.right(Figures.fixed($0, 1), 5)) tok/s" } ?? ""
            return words("decoding · \(count) tokens" + (rate.isEmpty ? "" : " · \(rate)"), bar)
        case .loading(let name, let load):
            return progress(
                engine.model == name ? "loading" : "loading \(Sanitizer.cells.line(name))", load.fraction,
                rect.width >= 90 ? Sanitizer.cells.line(load.stage) : "")
        case .downloading(let name, let transfer):
            return progress(
                "downloading \(Sanitizer.cells.line(name))", transfer?.fraction,
                transfer.map(Figures.bytes(of:)) ?? "")
        }
    }

    /// Text for the work before the first token, by the kind of input.
    private static func encodingText(_ state: State) -> String {
        guard let answer = state.chat.lastAnswer.map({ state.chat.messages[$0] }) else { return "encoding" }
        if !answer.windows.isEmpty { return "encoding the sound" }
        if !answer.pictures.isEmpty { return "encoding the picture" }
        return answer.source == nil ? "preparing the input" : "encoding the text"
    }

    /// Draws as many hints as fit, the most useful first.
    private static func drawHints(
        _ state: State, room: Int, _ rect: Rect, _ bar: Style, _ keyStyle: Style, onto canvas: inout Canvas
    ) {
        let all = KeyMap.hints(for: state)
        // With a rule above the input, the keys of the focused panel are on the rule.
        KeyHints.draw(
            state.layout.rule == nil ? all.own + all.common : all.common, room: room, endingAt: rect.right - 1,
            y: rect.y, keyStyle, bar, onto: &canvas)
    }
}
