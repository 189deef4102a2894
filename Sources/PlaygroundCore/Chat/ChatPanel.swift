import Foundation
import Support
import Terminal

/// The conversation: who said what, transcripts with their times, the token looked at.
struct ChatPanel: Panel {
    let focus = Focus.chat, title = "Chat", place = PanelPlace.left, minimumSize = Size(29, 17)
    let keys = [
        KeyBinding(
            back: [Key(.up), .character("k")], forward: [Key(.down), .character("j")], "scroll", hint: "scroll",
            step: { $0.scrollChat(-$1) })
    ]

    func draw(_ state: State, in rect: Rect, onto canvas: inout Canvas) {
        let theme = state.theme
        let detail =
            state.chat.scroll > 0
            ? "\(state.chat.scroll) lines below" : state.chat.showsProbabilities ? "colored by probability" : ""
        Chrome.header(title, detail, focused: state.focus == focus, in: rect, theme, onto: &canvas)
        let body = rect.inset(top: 1)
        if state.chat.messages.isEmpty {
            Self.welcome(state, in: body, onto: &canvas)
            return
        }
        for (offset, line) in Self.visibleLines(state, in: body).enumerated() {
            var x = body.x + line.indent
            for span in line.spans { x = canvas.draw(span.text, x: x, y: body.y + offset, span.style, in: body) }
        }
    }

    func mouse(_ action: InputEvent.MouseAction, x: Int, y: Int, in rect: Rect, _ state: inout State) {
        switch action {
        case .press: if let place = Self.token(at: x, y, state, in: rect) { state.select(place) }
        case .scrollUp: state.scrollChat(3)
        case .scrollDown: state.scrollChat(-3)
        case .release: break
        }
    }

    /// The token drawn at a place of the screen.
    private static func token(at x: Int, _ y: Int, _ state: State, in rect: Rect) -> TokenPlace? {
        let body = rect.inset(top: 1)
        let lines = visibleLines(state, in: body)
        let row = y - body.y
        return lines.indices.contains(row) ? lines[row].place(atColumn: x - body.x) : nil
    }

    private static func welcome(_ state: State, in rect: Rect, onto canvas: inout Canvas) {
        let theme = state.theme
        if let preparing = preparing(state) {
            drawPreparing(preparing, state, in: rect, onto: &canvas)
            return
        }
        let inputs = state.engine.abilities?.inputs ?? [.sound]
        let (first, second) =
            inputs.contains(.sound)
            ? ("Give the model a recording and", "watch where it listens.")
            : state.isSampleAttached
                ? ("A picture is attached. Ask about it", "and watch where the model looks.")
                : inputs.contains(.picture)
                    ? ("Show the model a picture and", "watch where it looks.")
                    : ("Say something to the model and", "watch what it reads.")
        var lines: [[Span]] = [
            [Span(text: "fovea", style: theme.accent.with(.bold))],
            [],
            [Span(text: first, style: theme.text)],
            [Span(text: second, style: theme.text)],
            [],
        ]
        func offer(_ key: String, _ words: String) {
            lines.append([
                Span(text: key.padding(toLength: 13, withPad: " ", startingAt: 0), style: theme.strong),
                Span(text: words, style: theme.quiet),
            ])
        }
        for (number, question) in state.input.suggestions.prefix(3).enumerated() {
            offer(String(repeating: "↑", count: number + 1), Sanitizer.cells.line(question))
        }
        if !state.input.suggestions.isEmpty { lines.append([]) }
        if inputs.contains(.sound) {
            offer("/audio PATH", "transcribe a recording")
            offer("/mic", "record your voice")
        }
        if inputs.contains(.picture) { offer("/image PATH", "attach a picture") }
        offer("/model", "choose a model")
        offer("?", "all keys and commands")
        let left = rect.x + max(0, (rect.width - 35) / 2)
        let top = rect.y + max(0, (rect.height - lines.count) / 2 - 1)
        for (offset, spans) in lines.enumerated() {
            var x = left
            for span in spans { x = canvas.draw(span.text, x: x, y: top + offset, span.style, in: rect) }
        }
    }

    /// Progress of a download or load, shown instead of the welcome.
    private static func preparing(_ state: State) -> (title: String, fraction: Double?, details: [String])? {
        switch state.engine.phase {
        case .downloading(let name, let transfer):
            guard let transfer else { return ("Downloading \(name)", nil, ["asking for its files"]) }
            return (
                "Downloading \(name)", transfer.fraction,
                [Figures.bytes(of: transfer), transfer.file, "Esc stops; it can be resumed"]
            )
        case .loading(let name, let load): return ("Loading \(name)", load.fraction, [load.stage])
        default: return nil
        }
    }

    private static func drawPreparing(
        _ preparing: (title: String, fraction: Double?, details: [String]), _ state: State, in rect: Rect,
        onto canvas: inout Canvas
    ) {
        let theme = state.theme
        var lines = [(Sanitizer.cells.line(preparing.title), theme.strong), ("", theme.text), ("", theme.text)]
        lines += preparing.details.map { (Sanitizer.cells.line($0), theme.quiet) }
        Chrome.centered(lines, in: rect, onto: &canvas)
        guard let fraction = preparing.fraction else { return }
        let width = min(32, rect.width - 2), y = rect.y + max(0, (rect.height - lines.count) / 2) + 1
        guard y < rect.bottom else { return }
        Chrome.progress(
            fraction, x: rect.x + (rect.width - width) / 2, y: y, width: width, theme.accent, theme, onto: &canvas)
    }

    /// The visible lines, scrolled to the state's position or to the selected token.
    static func visibleLines(_ state: State, in rect: Rect) -> [FlowLine] {
        guard rect.height > 0 else { return [] }
        let followed = state.chat.scroll == 0 ? state.attention.selected : nil
        // From the newest message up, only as far as is visible.
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

    /// The largest scroll position: lines above the newest `height` ones.
    static func furthestScroll(_ state: State, in rect: Rect) -> Int {
        let total = state.chat.messages.indices.reduce(0) {
            $0 + lines(of: $1, state, width: rect.width - 1).count + ($1 > 0 ? 1 : 0)
        }
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
                flow.append(Span(text: Sanitizer.cells.line((path as NSString).lastPathComponent), style: theme.text))
                if let waveform = message.waveform { append(waveform, state, width: width, to: &flow) }
                if !message.text.isEmpty { flow.breakLine() }
            }
            for (number, attachment) in message.attachments.enumerated() {
                append(attachment, number, state, width: width, isLast: message.text.isEmpty, to: &flow)
            }
            if let meter = message.spoken { appendMeter(meter, state, width: width, to: &flow) }
            flow.append(Span(text: message.text, style: theme.text))
            return flow.finish()
        case .program(let kind):
            var flow = TextFlow(width: width, indent: 2)
            flow.start(
                label: Span(text: kind == .information ? "·" : kind == .warning ? "⚠" : "✗", style: theme.notice(kind)))
            flow.append(Span(text: message.text, style: theme.notice(kind)))
            return flow.finish()
        case .model(let name):
            return answerLines(message, index, name, state, width: width)
        }
    }

    /// Appends a picture: its name and size, and a thumbnail.
    private static func append(
        _ attachment: Attachment, _ number: Int, _ state: State, width: Int, isLast: Bool, to flow: inout TextFlow
    ) {
        let theme = state.theme
        flow.append(Span(text: "▣ ", style: theme.accent))
        flow.append(Span(text: attachment.name, style: theme.text))
        if let thumbnail = attachment.thumbnail {
            flow.append(Span(text: " \(thumbnail.width)×\(thumbnail.height)", style: theme.faint))
        }
        flow.breakLine()
        if let raster = attachment.thumbnail?.raster, theme.capabilities.depth.showsRasters, !theme.ascii,
            raster.width <= width
        {
            for row in stride(from: 0, to: raster.height, by: 2) {
                for column in 0..<raster.width {
                    let upper = raster[column, row],
                        lower = row + 1 < raster.height ? raster[column, row + 1] : .standard
                    flow.append(glyph: Glyph("▀"), style: Style(upper, on: lower))
                }
                flow.breakLine()
            }
        }
    }

    /// Appends the duration and waveform of a recording.
    private static func append(_ waveform: Waveform, _ state: State, width: Int, to flow: inout TextFlow) {
        let theme = state.theme
        flow.append(Span(text: " \(Figures.fixed(waveform.seconds, 1)) s", style: theme.faint))
        let columns = min(width - 1, 48, waveform.levels.count)
        guard columns > 0 else { return }
        flow.breakLine()
        for level in Pooling.max.pool(waveform.levels, waveform.levels.indices, columns: columns) {
            flow.append(glyph: Bars.upright(max(0.05, level), row: 0, of: 1, ascii: theme.ascii), style: theme.quiet)
        }
    }

    /// Appends the duration and levels of a microphone recording: the newest levels while recording, all of them
    /// afterwards.
    private static func appendMeter(_ meter: SpokenMeter, _ state: State, width: Int, to flow: inout TextFlow) {
        let theme = state.theme
        flow.append(Span(text: "♪ microphone ", style: theme.accent))
        flow.append(Span(text: "\(Figures.fixed(meter.seconds, 1)) s", style: theme.text))
        if meter.isOpen { flow.append(Span(text: " · Esc when done", style: theme.quiet)) }
        let columns = min(width - 1, 48)
        guard columns > 0, !meter.levels.isEmpty else { return }
        flow.breakLine()
        let seen =
            meter.isOpen
            ? Array(meter.levels.suffix(columns))
            : Pooling.max.pool(meter.levels, meter.levels.indices, columns: min(columns, meter.levels.count))
        for level in seen {
            let glyph = Bars.upright(max(0.05, level), row: 0, of: 1, ascii: theme.ascii)
            flow.append(Span(text: glyph.text, style: level > 0.97 ? theme.error : theme.person))
        }
    }

    private static func answerLines(_ message: Message, _ index: Int, _ name: String, _ state: State, width: Int)
        -> [FlowLine]
    {
        let theme = state.theme
        var header = FlowLine(spans: [Span(text: name, style: theme.model)])
        let room = width - TextWidth.width(of: name)
        var remarks = remarks(message)
        while !remarks.isEmpty && TextWidth.width(of: remarks.joined(separator: " · ")) > room - 2 {
            remarks.removeFirst()
        }
        if !remarks.isEmpty {
            let text = remarks.joined(separator: " · ")
            header.spans.append(
                Span(text: String(repeating: " ", count: room - TextWidth.width(of: text)) + text, style: theme.faint))
        }
        let isTimed = message.tokens.contains { $0.timestamp != nil }
        var flow = TextFlow(width: width, indent: isTimed ? 8 : 0)
        let shown = state.shownToken
        var stamp: Double?
        if message.tokens.isEmpty { flow.append(Span(text: message.text, style: theme.text)) }
        appendThoughts(of: message, index, state, to: &flow)
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
            if text.isEmpty { continue }
            if text.first == " " {
                // The blank before a word belongs to it but is not highlighted.
                flow.append(Span(text: " ", style: theme.text, place: place))
                text.removeFirst()
            }
            flow.append(Span(text: text, style: style(of: token, place, state, isShown: place == shown), place: place))
        }
        if message.progress == .streaming && state.engine.phase == .decoding {
            flow.append(Span(text: theme.ascii ? "_" : "▏", style: theme.accent))
        }
        // At the end, because the header of a long answer is scrolled away.
        if message.progress == .stopped {
            flow.append(
                Span(
                    text: message.tokens.isEmpty && message.text.isEmpty ? "stopped" : " (stopped)", style: theme.faint)
            )
        }
        return [header] + flow.finish()
    }

    /// Appends the thoughts before an answer: one line, or all of them where they are shown or a token of theirs is selected.
    private static func appendThoughts(of message: Message, _ index: Int, _ state: State, to flow: inout TextFlow) {
        let theme = state.theme
        let numbers = message.tokens.indices.filter { !message.tokens[$0].thought.isEmpty }
        guard let last = numbers.last else { return }
        let isSelected = state.attention.selected.map { $0.message == index && numbers.contains($0.token) } ?? false
        let isOpen = state.chat.showsThoughts || isSelected
        let isThinking = message.progress == .streaming && last == message.tokens.count - 1
        let arrow = theme.ascii ? (isOpen ? "v " : "> ") : (isOpen ? "▾ " : "▸ ")
        flow.append(
            Span(
                text: arrow + (isThinking ? "thinking" : "thoughts") + " · \(numbers.count) tokens · Ctrl-T "
                    + (isOpen ? "hides" : "shows"), style: theme.faint))
        flow.breakLine()
        guard isOpen else { return }
        for number in numbers {
            let place = TokenPlace(message: index, token: number)
            flow.append(
                Span(
                    text: message.tokens[number].thought,
                    style: state.attention.selected == place ? theme.selected : theme.quiet, place: place))
        }
        flow.breakLine()
    }

    /// Remarks in the header of an answer, the most useful last.
    private static func remarks(_ message: Message) -> [String] {
        var parts: [String] = []
        if let change = message.change { parts.append(change) }
        if let language = message.windows.first?.language {
            parts.append(
                Sanitizer.cells.line(language)
                    + (message.windows[0].languageProbability.map { " " + Figures.percent(Double($0)) } ?? ""))
        }
        if let summary = message.summary {
            parts.append("\(summary.tokens) tokens")
            if let rate = summary.shownRate { parts.append("\(Figures.fixed(rate, 1)) tok/s") }
        }
        if message.progress == .failed { parts.append("failed") }
        return parts
    }

    private static func style(of token: TokenRecord, _ place: TokenPlace, _ state: State, isShown: Bool) -> Style {
        let theme = state.theme
        if state.attention.selected == place { return theme.selected }
        var style = token.isSpecial ? theme.faint : theme.text
        if state.chat.showsProbabilities && !token.isSpecial { style = Style(theme.probability(token.probability)) }
        if let strength = state.attention.looks?.strength(of: place) { style = shaded(style, strength, state) }
        return isShown && state.attention.selected == nil && state.engine.isAnswering ? style.with(.underline) : style
    }

    /// Shades a token by its attention to the probe.
    private static func shaded(_ style: Style, _ strength: Float, _ state: State) -> Style {
        guard state.theme.capabilities.depth.showsRasters else {
            return strength >= 0.66
                ? style.with([.reverse, .bold])
                : strength >= 0.33
                    ? style.with([.bold, .underline]) : strength >= 0.12 ? style.with(.underline) : style
        }
        guard strength >= 0.04 else { return style }
        let heat = state.attention.colorMap.color(0.1 + 0.9 * strength)
        return Style(heat.luma > 0.45 ? Color(0x101216) : Color(0xF2F4F8), on: heat)
    }
}

extension Focus {
    package static let chat = Focus("chat")
}

extension State {
    mutating func scrollChat(_ lines: Int) {
        guard let rect = layout[.chat] else { return }
        chat.scroll = max(0, min(ChatPanel.furthestScroll(self, in: rect), chat.scroll + lines))
    }
}
