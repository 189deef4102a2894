import Foundation
import Terminal

/// The conversation: who said what, transcripts with their times, the token looked at.
enum ChatPanel {
    static func draw(_ state: State, in rect: Rect, onto canvas: inout Canvas) {
        let theme = state.theme
        let detail = state.chat.scroll > 0 ? "\(state.chat.scroll) lines below" : state.chat.showsProbabilities ? "coloured by probability" : ""
        Chrome.header("Chat", detail, focused: state.focus == .chat, in: rect, theme, onto: &canvas)
        let body = rect.inset(top: 1)
        if state.chat.messages.isEmpty {
            welcome(state, in: body, onto: &canvas)
            return
        }
        for (offset, line) in visibleLines(state, in: body).enumerated() {
            var x = body.x + line.indent
            for span in line.spans { x = canvas.draw(span.text, x: x, y: body.y + offset, span.style, in: body) }
        }
    }

    /// The token drawn at a place of the screen.
    static func token(at x: Int, _ y: Int, _ state: State, in rect: Rect) -> TokenPlace? {
        let body = rect.inset(top: 1)
        let lines = visibleLines(state, in: body)
        let row = y - body.y
        return lines.indices.contains(row) ? lines[row].place(atColumn: x - body.x) : nil
    }

    private static func welcome(_ state: State, in rect: Rect, onto canvas: inout Canvas) {
        let theme = state.theme
        let lines: [[Span]] = [
            [Span(text: "fovea", style: theme.accent.with(.bold))],
            [],
            [Span(text: "Give the model a recording and", style: theme.text)],
            [Span(text: "watch where it listens.", style: theme.text)],
            [],
            [Span(text: "/audio PATH  ", style: theme.strong), Span(text: "transcribe a recording", style: theme.quiet)],
            [Span(text: "/model       ", style: theme.strong), Span(text: "choose a model", style: theme.quiet)],
            [Span(text: "?            ", style: theme.strong), Span(text: "all keys and commands", style: theme.quiet)],
        ]
        let left = rect.x + max(0, (rect.width - 35) / 2)
        let top = rect.y + max(0, (rect.height - lines.count) / 2 - 1)
        for (offset, spans) in lines.enumerated() {
            var x = left
            for span in spans { x = canvas.draw(span.text, x: x, y: top + offset, span.style, in: rect) }
        }
    }

    /// The lines that fit, scrolled as the state says, or so far that the token looked back at is among them.
    static func visibleLines(_ state: State, in rect: Rect) -> [FlowLine] {
        guard rect.height > 0 else { return [] }
        let followed = state.chat.scroll == 0 ? state.attention.selected : nil
        // From the newest upwards, no further than is seen.
        var blocks: [[FlowLine]] = []
        var total = 0
        for index in state.chat.messages.indices.reversed() {
            var block = lines(of: index, state, width: rect.width - 1)
            if index > 0 { block.insert(FlowLine(), at: 0) }
            blocks.append(block)
            total += block.count
            if total >= rect.height + state.chat.scroll && (followed.map { $0.message >= index } ?? true) { break }
        }
        let all = blocks.reversed().flatMap { $0 }
        var end = max(min(all.count, rect.height), all.count - state.chat.scroll)
        if let followed, let line = all.firstIndex(where: { $0.spans.contains { $0.place == followed } }) {
            if line < end - rect.height { end = min(all.count, line + rect.height / 2 + 1) }
            end = max(end, min(all.count, rect.height))
        }
        return Array(all[max(0, end - rect.height)..<end])
    }

    /// Lines of the whole conversation that lie above the newest `height`; how far one can scroll.
    static func furthestScroll(_ state: State, in rect: Rect) -> Int {
        let total = state.chat.messages.indices.reduce(0) { $0 + lines(of: $1, state, width: rect.width - 1).count + ($1 > 0 ? 1 : 0) }
        return max(0, total - rect.height + 1)
    }

    static func lines(of index: Int, _ state: State, width: Int) -> [FlowLine] {
        let message = state.chat.messages[index], theme = state.theme
        switch message.author {
        case .person:
            var flow = TextFlow(width: width)
            flow.append(Span(text: "you", style: theme.person))
            flow.breakLine()
            if let path = message.audioPath {
                flow.append(Span(text: "♪ ", style: theme.accent))
                flow.append(Span(text: sanitisedLine((path as NSString).lastPathComponent), style: theme.text))
                if !message.text.isEmpty { flow.breakLine() }
            }
            flow.append(Span(text: message.text, style: theme.text))
            return flow.finish()
        case .program(let kind):
            var flow = TextFlow(width: width, indent: 2)
            flow.start(label: Span(text: kind == .information ? "·" : kind == .warning ? "⚠" : "✗", style: theme.notice(kind)))
            flow.append(Span(text: message.text, style: theme.notice(kind)))
            return flow.finish()
        case .model(let name):
            return answerLines(message, index, name, state, width: width)
        }
    }

    private static func answerLines(_ message: Message, _ index: Int, _ name: String, _ state: State, width: Int) -> [FlowLine] {
        let theme = state.theme
        var header = FlowLine(spans: [Span(text: name, style: theme.model)])
        let room = width - TextWidth.width(of: name)
        var remarks = remarks(message)
        while !remarks.isEmpty && TextWidth.width(of: remarks.joined(separator: " · ")) > room - 2 { remarks.removeFirst() }
        if !remarks.isEmpty {
            let text = remarks.joined(separator: " · ")
            header.spans.append(Span(text: String(repeating: " ", count: room - TextWidth.width(of: text)) + text, style: theme.faint))
        }
        let isTimed = message.tokens.contains { $0.timestamp != nil }
        var flow = TextFlow(width: width, indent: isTimed ? 8 : 0)
        let shown = state.shownToken
        var stamp: Double?
        if message.tokens.isEmpty { flow.append(Span(text: message.text, style: theme.text)) }
        for (number, token) in message.tokens.enumerated() {
            let place = TokenPlace(message: index, token: number)
            if token.isSpecial && !(state.chat.showsProbabilities && shown == place) {
                if let time = token.timestamp { stamp = time }
                continue
            }
            if let time = stamp {
                flow.start(label: Span(text: Figures.right(Figures.time(time), 6), style: theme.faint))
                stamp = nil
            }
            var text = token.isSpecial ? token.piece : token.text
            if text.first == " " {
                // The blank before a word belongs to it but is not marked with it.
                flow.append(Span(text: " ", style: theme.text, place: place))
                text.removeFirst()
            }
            flow.append(Span(text: text, style: style(of: token, place, state, isShown: place == shown), place: place))
        }
        if message.progress == .streaming && state.engine.phase == .decoding {
            flow.append(Span(text: theme.ascii ? "_" : "▏", style: theme.accent))
        }
        return [header] + flow.finish()
    }

    /// What the header says beside the name; the last is the most useful.
    private static func remarks(_ message: Message) -> [String] {
        var parts: [String] = []
        if let language = message.windows.first?.language {
            parts.append(sanitisedLine(language) + (message.windows[0].languageProbability.map { " " + Figures.percent(Double($0)) } ?? ""))
        }
        if let summary = message.summary {
            parts.append("\(summary.tokens) tokens")
            if summary.tokensPerSecond > 0 { parts.append("\(Figures.fixed(summary.tokensPerSecond, 1)) tok/s") }
        }
        if message.progress == .stopped { parts.append("stopped") }
        if message.progress == .failed { parts.append("failed") }
        return parts
    }

    private static func style(of token: TokenRecord, _ place: TokenPlace, _ state: State, isShown: Bool) -> Style {
        let theme = state.theme
        if state.attention.selected == place { return theme.selected }
        var style = token.isSpecial ? theme.faint : theme.text
        if state.chat.showsProbabilities && !token.isSpecial { style = Style(probabilityColor(token.probability)) }
        return isShown && state.attention.selected == nil && state.engine.isAnswering ? style.with(.underline) : style
    }

    /// Orange-red for a guess, yellow for a fair chance, green for certain.
    static func probabilityColor(_ probability: Float) -> Color {
        let low = Color(0xF0705A), middle = Color(0xE5C04B), high = Color(0x7FCB8B)
        let value = Double(max(0, min(1, probability)))
        return value < 0.5 ? low.mixed(with: middle, value * 2) : middle.mixed(with: high, value * 2 - 1)
    }
}
