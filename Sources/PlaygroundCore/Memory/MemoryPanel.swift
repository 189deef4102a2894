import Planning
import Terminal

/// Device memory by purpose, in total, and as the driver reports it.
struct MemoryPanel: Panel {
    let focus = Focus.memory, title = "Memory", place = PanelPlace.right, minimumSize = Size(40, 7)

    func height(in rows: Int) -> Int? { rows < 28 ? max(7, rows * 40 / 100) : min(17, rows * 34 / 100) }

    func draw(_ state: State, in rect: Rect, onto canvas: inout Canvas) {
        let theme = state.theme, focused = state.focus == focus
        guard let report = state.memory.report else {
            Chrome.header(title, "", focused: focused, in: rect, theme, onto: &canvas)
            Chrome.centered([("No figures yet.", theme.faint)], in: rect.inset(top: 1), onto: &canvas)
            return
        }
        let detail = "\(Figures.bytes(report.accounted)) accounted"
        Chrome.header(title, detail, focused: focused, in: rect, theme, onto: &canvas)
        let body = rect.inset(top: 1)
        let parts = MemoryPart.all(of: report)
        Self.stackedBar(parts, total: report.accounted, in: body.row(0), theme, onto: &canvas)
        var rest = body.inset(top: 1)
        let historyRows = rest.height >= 13 ? 3 : rest.height >= 9 ? 2 : rest.height >= 7 ? 1 : 0
        if historyRows > 0 {
            let strip = Rect(x: rest.x, y: rest.bottom - historyRows, width: rest.width, height: historyRows)
            Self.history(state.memory, in: strip, theme, onto: &canvas)
            rest = rest.inset(bottom: historyRows)
        }
        if let forecast = ContextForecast(state), rest.height >= 4 {
            canvas.draw(
                fitted("next: " + forecast.text, width: rest.width), x: rest.x, y: rest.bottom - 1,
                forecast.fits ? theme.accent : theme.error, in: rest)
            rest = rest.inset(bottom: 1)
        }
        let facts = Self.facts(report, state.memory)
        if rest.width >= 58 {
            let factWidth = 25
            Self.drawFacts(
                facts, in: Rect(x: rest.right - factWidth, y: rest.y, width: factWidth, height: rest.height), theme,
                onto: &canvas)
            Self.drawPurposes(parts, report.accounted, in: rest.inset(right: factWidth + 3), theme, onto: &canvas)
        } else {
            let factRows = rest.height >= 4 ? 2 : rest.height >= 3 ? 1 : 0
            Self.drawPurposes(parts, report.accounted, in: rest.inset(bottom: factRows), theme, onto: &canvas)
            for row in 0..<factRows {
                let names =
                    row == 0 ? ["driver's usage", "driver's budget", "heap"] : ["peak", "KV per token", "tokens left"]
                let line = facts.filter { names.contains($0.name) }.map { "\($0.short) \($0.value)" }.joined(
                    separator: "  ")
                canvas.draw(
                    fitted(line, width: rest.width), x: rest.x, y: rest.bottom - factRows + row, theme.quiet, in: rest)
            }
        }
    }

    private typealias Fact = (name: String, short: String, value: String)

    private static func facts(_ report: MemoryReport, _ memory: MemoryState) -> [Fact] {
        func figure(_ bytes: Int?) -> String { bytes.map(Figures.bytes) ?? "—" }
        // The driver's budget is the heap minus the usage of other programs.
        let others = report.driverBudget.flatMap {
            report.heapSize > $0 ? report.heapSize - $0 : report.heapSize > 0 ? 0 : nil
        }
        let free = report.driverBudget.map { max(0, $0 - (report.driverUsage ?? report.accounted)) }
        return [
            ("driver's usage", "driver", figure(report.driverUsage)),
            ("driver's budget", "budget", figure(report.driverBudget)),
            ("budget left", "left", figure(free)),
            ("other programs", "others", figure(others)),
            ("heap", "heap", report.heapSize > 0 ? Figures.bytes(report.heapSize) : "—"),
            ("peak", "peak", Figures.bytes(memory.peak)),
            ("KV per token", "token", figure(report.bytesPerToken)),
            ("tokens left", "left", report.tokensLeft.map(String.init) ?? "—"),
        ]
    }

    private static func drawFacts(_ facts: [Fact], in rect: Rect, _ theme: Theme, onto canvas: inout Canvas) {
        for (row, fact) in facts.enumerated() where row < rect.height {
            canvas.draw(fact.name, x: rect.x, y: rect.y + row, theme.quiet, in: rect)
            canvas.draw(fact.value, endingAt: rect.right, y: rect.y + row, theme.text, in: rect)
        }
    }

    /// Draws a bar of the accounted memory, one color per purpose.
    private static func stackedBar(
        _ parts: [MemoryPart], total: Int, in rect: Rect, _ theme: Theme,
        onto canvas: inout Canvas
    ) {
        guard total > 0, !rect.isEmpty else { return }
        var x = rect.x, sum = 0
        for (number, part) in parts.enumerated() {
            sum += part.bytes
            let ideal = rect.x + Int(Double(rect.width) * Double(sum) / Double(total) + 0.5)
            let end = number == parts.count - 1 ? rect.right : max(x, min(rect.right, ideal))
            for column in x..<max(x, end) {
                canvas[column, rect.y] =
                    theme.capabilities.depth.showsRasters
                    ? Cell(.space, Style(.standard, on: part.color))
                    : Cell(Glyph(Unicode.Scalar(UInt8(97 + number % 26))), Style(part.color))
            }
            x = max(x, end)
        }
    }

    private static func drawPurposes(
        _ parts: [MemoryPart], _ total: Int, in rect: Rect, _ theme: Theme,
        onto canvas: inout Canvas
    ) {
        guard rect.height > 0 else { return }
        let shown = parts.count <= rect.height ? parts.count : rect.height - 1
        func row(_ y: Int, _ mark: String, _ color: Color, _ name: String, _ bytes: Int) {
            canvas.draw(mark, x: rect.x, y: y, Style(color), in: rect)
            let share = total > 0 ? Figures.percent(Double(bytes) / Double(total)) : ""
            canvas.draw(Figures.right(share, 5), endingAt: rect.right, y: y, theme.quiet, in: rect)
            canvas.draw(Figures.right(Figures.bytes(bytes), 11), endingAt: rect.right - 6, y: y, theme.text, in: rect)
            // A shorter name says more than a cut one.
            let fitting =
                name.count <= rect.width - 20
                ? name : name.replacing(" weights", with: "").replacing(" cache", with: "")
            canvas.draw(fitted(fitting, width: rect.width - 20), x: rect.x + 2, y: y, theme.text, in: rect)
            let barStart = rect.x + 22, barWidth = rect.right - 19 - barStart
            if barWidth >= 8, total > 0 {
                Chrome.progress(
                    Double(bytes) / Double(total), x: barStart, y: y, width: barWidth,
                    Style(color.mixed(with: Color(0x14171C), 0.35)), theme, onto: &canvas)
            }
        }
        for (number, part) in parts.prefix(shown).enumerated() {
            let mark = theme.capabilities.depth.showsRasters ? "■" : String(Unicode.Scalar(UInt8(97 + number % 26)))
            row(rect.y + number, mark, part.color, part.name, part.bytes)
        }
        if shown < parts.count {
            let rest = parts[shown...]
            row(rect.y + shown, "+", theme.quiet.foreground, "\(rest.count) more", rest.reduce(0) { $0 + $1.bytes })
        }
    }

    /// Draws the accounted bytes of the last samples, scaled to the largest.
    private static func history(_ memory: MemoryState, in rect: Rect, _ theme: Theme, onto canvas: inout Canvas) {
        let label = "history "
        canvas.draw(label, x: rect.x, y: rect.bottom - 1, theme.faint, in: rect)
        let width = rect.width - label.count
        let samples = memory.history.suffix(width)
        guard width > 4, let top = samples.max(), top > 0 else { return }
        let start = rect.right - samples.count
        for (offset, sample) in samples.enumerated() {
            for row in 0..<rect.height {
                let glyph = Bars.upright(Float(sample) / Float(top), row: row, of: rect.height, ascii: theme.ascii)
                if glyph != .space {
                    canvas[start + offset, rect.bottom - 1 - row] = Cell(glyph, Style(Color(0x4A5F7A)))
                }
            }
        }
    }
}

extension Focus {
    package static let memory = Focus("memory")
}
