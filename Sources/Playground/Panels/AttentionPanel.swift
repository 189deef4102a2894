import Attribution
import Foundation
import Terminal

/// Where the decoder reads in the sound while it writes a token: heat over the spectrogram.
enum AttentionPanel {
    static let caption = "cross-attention (where the decoder read, not why)"
    static let shortCaption = "cross-attention: where it read, not why"

    static func draw(_ state: State, in rect: Rect, onto canvas: inout Canvas) {
        let theme = state.theme
        Chrome.header("Attention", choice(state), focused: state.focus == .attention, in: rect, theme, onto: &canvas)
        let body = rect.inset(top: 1)
        guard let subject = subject(state) else {
            let words = state.engine.phase == .encoding ? "listening …" : "The map of attention appears here."
            Chrome.centred([(words, theme.faint)], in: body, onto: &canvas)
            return
        }
        var map = body
        drawToken(state, subject, in: map.row(0), onto: &canvas)
        map = map.inset(top: 1)
        canvas.draw(fitted(map.width >= caption.count ? caption : shortCaption, width: map.width), x: map.x, y: map.bottom - 1, theme.faint, in: map)
        map = map.inset(bottom: 1)
        let view = TimeView(sound: subject.sound, showsPadding: state.attention.showsPadding, map)
        let shown = shownWeights(state, subject, columns: view.rect.width, view)
        drawLegend(state, shown, in: map.row(map.height - 1), onto: &canvas)
        map = map.inset(bottom: 1)
        let wordRows = map.height >= 24 ? 3 : map.height >= 16 ? 2 : map.height >= 8 ? 1 : 0
        if wordRows > 0 {
            let rows = Rect(x: view.rect.x, y: map.bottom - wordRows, width: view.rect.width, height: wordRows)
            WordRows.draw(state, subject, view, in: rows, onto: &canvas)
            map = map.inset(bottom: wordRows)
        }
        drawAxis(view, y: map.bottom - 1, theme, onto: &canvas)
        if let word = subject.word { drawSpan(of: word, view, y: map.bottom - 1, theme, onto: &canvas) }
        map = map.inset(bottom: 1)
        if state.attention.showsHeads, let captured = state.attention.shown?.captured {
            HeadStrips.draw(state, captured, view, in: map, onto: &canvas)
            return
        }
        let curveRows = map.height >= 26 ? 5 : map.height >= 15 ? 3 : map.height >= 8 ? 2 : 1
        let curve = Rect(x: view.rect.x, y: map.bottom - curveRows, width: view.rect.width, height: curveRows)
        drawCurve(shown.strengths, state.attention.colorMap, in: curve, theme, onto: &canvas)
        Spectrogram.draw(subject.sound, view, heat: shown.strengths, state.attention, in: map.inset(bottom: curveRows), theme, onto: &canvas)
    }

    /// What is looked at: a message's window of sound and, once there is one, the token and its attention.
    struct Subject {
        var message: Int
        var sound: SoundView
        var token: TokenRecord?
        var place: TokenPlace?
        /// The word the token belongs to, once its times are known.
        var word: WordRecord?
    }

    static func subject(_ state: State) -> Subject? {
        guard let message = state.shownMessage else { return nil }
        let windows = state.chat.messages[message].windows
        if let place = state.shownToken {
            let token = state.chat.messages[message].tokens[place.token]
            // A new window shows at once, before its first word.
            let newest = state.attention.selected == nil && state.engine.isAnswering ? windows.last : nil
            if let newest, newest.index != token.window { return Subject(message: message, sound: newest) }
            if let sound = windows.last(where: { $0.index == token.window }) ?? windows.last {
                return Subject(message: message, sound: sound, token: token, place: place, word: state.chat.messages[message].word(ofToken: place.token))
            }
        }
        return windows.last.map { Subject(message: message, sound: $0) }
    }

    private static func choice(_ state: State) -> String {
        let layer =
            switch state.attention.layer {
            case .all: "all layers"
            case .layer(let number): "layer \(number)"
            }
        if state.attention.showsHeads { return "\(layer) · every head" }
        switch state.attention.head {
        case .head(let number): return "\(layer) · head \(number)"
        case .mean: return "\(layer) · mean of heads"
        case .max: return "\(layer) · max of heads"
        }
    }

    // MARK: Weights

    struct Weights {
        /// Per column, 0…1.
        var strengths: [Float] = []
        var low: Float = 0
        var high: Float = 0
        /// Sum of the weights that lie in the padding, when that is not shown.
        var hidden: Float = 0
    }

    private static func shownWeights(_ state: State, _ subject: Subject, columns: Int, _ view: TimeView) -> Weights {
        let attention = state.attention
        guard subject.token != nil, let profile = attention.shown?.captured?.profile(layer: attention.layer, head: attention.head).map({
            attention.hidesSinks ? SinkMask.masking(attention.rows.sinks, in: $0) : $0
        }) else { return Weights() }
        let range = 0..<max(1, min(profile.count, Int((view.share * Double(profile.count)).rounded(.up))))
        let pooled = attention.pooling.pool(profile, range, columns: columns)
        let seen = profile[range]
        return Weights(
            strengths: attention.scale.apply(to: pooled), low: seen.min() ?? 0, high: seen.max() ?? 0,
            hidden: attention.head == .max ? 0 : profile[range.upperBound...].reduce(0, +))
    }

    // MARK: Rows

    private static func drawToken(_ state: State, _ subject: Subject, in rect: Rect, onto canvas: inout Canvas) {
        let theme = state.theme
        let window = "window \(subject.sound.index + 1)  \(Figures.time(subject.sound.start))–\(Figures.time(subject.sound.start + subject.sound.duration))"
        guard let token = subject.token, let place = subject.place else {
            canvas.draw(state.engine.phase == .encoding ? "encoding …" : "waiting for the first word", x: rect.x, y: rect.y, theme.quiet, in: rect)
            canvas.draw(window, endingAt: rect.right, y: rect.y, theme.faint, in: rect)
            return
        }
        let style = state.attention.selected == nil ? theme.strong : theme.selected
        var x = canvas.draw(" \(fitted(token.label, width: 20)) ", x: rect.x, y: rect.y, style, in: rect)
        var facts = ["p \(Figures.fixed(Double(token.probability), 2))"]
        if state.attention.shown?.captured == nil { facts.append(token.record == nil ? "no attention captured" : "attention no longer kept") }
        if let word = subject.word {
            facts.append("said \(Figures.hundredths(word.start))–\(Figures.hundredths(word.end)) s")
        } else if let peak = state.attention.rows.peak(of: place) {
            facts.append("peak \(Figures.time(subject.sound.start + peak * subject.sound.length))")
        }
        if rect.width >= 60 { facts.insert("token \(place.token + 1) of \(state.chat.messages[place.message].tokens.count)", at: 0) }
        x = canvas.draw(" " + facts.joined(separator: " · "), x: x, y: rect.y, theme.quiet, in: rect)
        if rect.right - x > window.count + 2 { canvas.draw(window, endingAt: rect.right, y: rect.y, theme.faint, in: rect) }
    }

    private static func drawLegend(_ state: State, _ shown: Weights, in rect: Rect, onto canvas: inout Canvas) {
        let theme = state.theme, attention = state.attention
        var words = ["\(attention.colorMap.name)", attention.scale.name]
        if attention.opacity != 90 { words.append("heat \(attention.opacity) %") }
        if attention.hidesSinks { words.append(attention.rows.sinks.isEmpty ? "no sinks" : "\(attention.rows.sinks.count) sinks out") }
        if shown.hidden >= 0.01 { words.append("\(Figures.percent(Double(shown.hidden))) in padding") }
        words.append("\(attention.pooling.rawValue) per column")
        let low = Figures.weight(shown.low) + " ", high = " " + Figures.weight(shown.high)
        // Words that say how the map was made are worth more than a long ramp.
        let room = rect.width - low.count - high.count - 2
        let ramp = rect.width >= 60 && TextWidth.width(of: words.joined(separator: " · ")) <= room - 24 ? 24 : 10
        while words.count > 1 && TextWidth.width(of: words.joined(separator: " · ")) > room - ramp { words.removeLast() }
        let x = canvas.draw(low, x: rect.x, y: rect.y, theme.quiet, in: rect)
        for step in 0..<ramp {
            let value = Float(step) / Float(ramp - 1)
            canvas[x + step, rect.y] =
                theme.capabilities.depth.showsRasters
                ? Cell(.space, Style(.standard, on: attention.colorMap.color(value)))
                : Cell(ShadeBlitter.glyph(Double(value)), Style(attention.colorMap.color(value)))
        }
        canvas.draw(high, x: x + ramp, y: rect.y, theme.quiet, in: rect)
        canvas.draw(words.joined(separator: " · "), endingAt: rect.right, y: rect.y, theme.faint, in: rect)
    }

    private static func drawCurve(_ strengths: [Float], _ map: ColorMap, in rect: Rect, _ theme: Theme, onto canvas: inout Canvas) {
        for (column, strength) in strengths.enumerated() where column < rect.width {
            for row in 0..<rect.height {
                let glyph = Bars.upright(strength, row: row, of: rect.height, ascii: theme.ascii)
                if glyph != .space { canvas[rect.x + column, rect.bottom - 1 - row] = Cell(glyph, Style(map.color(0.3 + 0.7 * strength))) }
            }
        }
    }

    /// Seconds of the recording under the map.
    private static func drawAxis(_ view: TimeView, y: Int, _ theme: Theme, onto canvas: inout Canvas) {
        let rect = Rect(x: view.rect.x, y: y, width: view.rect.width, height: 1)
        let spacing = view.seconds > 0 ? Double(rect.width) / view.seconds : 0
        guard spacing > 0 else { return }
        let step = [1.0, 2, 5, 10, 15].first { $0 * spacing >= 8 } ?? 30
        var second = 0.0
        while second < view.seconds {
            let label = axisLabel(view.sound.start + second)
            let x = rect.x + Int(second * spacing)
            if x + 1 + label.count <= rect.right {
                canvas.draw("╵", x: x, y: y, theme.faint, in: rect)
                canvas.draw(label, x: x + 1, y: y, theme.quiet, in: rect)
            }
            second += step
        }
    }

    /// From when to when the word was said.
    private static func drawSpan(of word: WordRecord, _ view: TimeView, y: Int, _ theme: Theme, onto canvas: inout Canvas) {
        guard view.sound.length > 0, let first = view.column((word.start - view.sound.start) / view.sound.length) else { return }
        let last = view.column((word.end - view.sound.start) / view.sound.length) ?? view.rect.width - 1
        for column in first...max(first, last) { canvas[view.rect.x + column, y] = Cell(Glyph("━"), theme.accent.with(.bold)) }
    }

    private static func axisLabel(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        return whole < 60 ? "\(whole) s" : "\(whole / 60):\(whole % 60 < 10 ? "0" : "")\(whole % 60)"
    }
}

/// Which stretch of a window stands on which columns.
struct TimeView {
    let sound: SoundView
    /// The columns of the map; left of them is a margin for labels where there is room.
    let rect: Rect
    /// Share of the window that is shown, from its start.
    let share: Double

    init(sound: SoundView, showsPadding: Bool, _ area: Rect) {
        self.sound = sound
        rect = area.width >= 56 ? area.inset(left: 6) : area
        // A little silence after the end, so that it is seen to be the end.
        let seen = min(sound.length, (sound.duration + 0.4).rounded(.up))
        share = showsPadding || sound.length <= 0 ? 1 : max(0.02, seen / sound.length)
    }

    var seconds: Double { sound.length * share }

    /// The column of a share (0…1) of the window; nil when it is not shown.
    func column(_ place: Double) -> Int? {
        let column = Int(place / share * Double(rect.width))
        return column >= 0 && column < rect.width ? column : nil
    }
}
