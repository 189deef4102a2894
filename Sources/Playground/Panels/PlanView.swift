import Support
import Terminal

/// What a model would take on the device under other circumstances.
package struct PlanFigures: Sendable, Hashable {
    /// One line of the table: a context and what it takes.
    package struct Row: Sendable, Hashable {
        package var context: Int
        package var total: Int
        package var cache: Int

        package init(context: Int, total: Int, cache: Int) {
            self.context = context
            self.total = total
            self.cache = cache
        }
    }

    /// The weights in another format, the rest as asked.
    package struct Format: Sendable, Hashable {
        package var name: String
        package var weights: Int
        package var total: Int

        package init(name: String, weights: Int, total: Int) {
            self.name = name
            self.weights = weights
            self.total = total
        }
    }

    /// What a picture costs.
    package struct Picture: Sendable, Hashable {
        package var width: Int
        package var height: Int
        package var tiles: Int
        /// 0 where pictures are no tokens of the context.
        package var tokens: Int
        package var bytes: Int

        package init(width: Int, height: Int, tiles: Int, tokens: Int, bytes: Int) {
            self.width = width
            self.height = height
            self.tiles = tiles
            self.tokens = tokens
            self.bytes = bytes
        }
    }

    package var model: String
    package var weights: Int
    package var bytesPerToken: Int
    /// What the device has.
    package var memory: Int
    package var rows: [Row]
    /// Formats of the matrices, the commonest first.
    package var weightFormat: String
    /// What was asked, or what the model has by itself.
    package var context: Int
    /// With that context, these weights, and the picture.
    package var total: Int
    package var formats: [Format]
    package var picture: Picture?

    package init(
        model: String, weights: Int, bytesPerToken: Int, memory: Int, rows: [Row], weightFormat: String = "",
        context: Int = 0, total: Int = 0,
        formats: [Format] = [], picture: Picture? = nil
    ) {
        self.model = model
        self.weights = weights
        self.bytesPerToken = bytesPerToken
        self.memory = memory
        self.rows = rows
        self.weightFormat = weightFormat
        self.context = context
        self.total = total
        self.formats = formats
        self.picture = picture
    }
}

/// `/plan`: what if the context were longer, the weights in another format, the picture larger.
enum PlanView {
    private static let keys = "w weights · + - context · p picture · Esc close"

    static func draw(_ state: State, onto canvas: inout Canvas) {
        let theme = state.theme
        guard let plan = state.memory.plan else {
            let inside = Chrome.box("Plan", width: min(76, canvas.size.width), height: 5, theme, onto: &canvas)
            canvas.draw(
                fitted(state.memory.planProblem ?? "reckoning …", width: inside.width), x: inside.x, y: inside.y,
                theme.quiet, in: inside)
            canvas.draw(keys, x: inside.x, y: inside.bottom - 1, theme.faint, in: inside)
            return
        }
        var lines = [
            (
                "weights \(Figures.bytes(plan.weights))" + (plan.weightFormat.isEmpty ? "" : " in \(plan.weightFormat)")
                    + " · \(Figures.bytes(plan.bytesPerToken)) per token of context", theme.text
            )
        ]
        if plan.total > 0 {
            lines.append(
                (
                    "with a context of \(plan.context): \(Figures.bytes(plan.total)) in all; this device has \(Figures.bytes(plan.memory))",
                    theme.strong
                ))
        } else {
            lines.append(("this device has \(Figures.bytes(plan.memory))", theme.quiet))
        }
        if let picture = plan.picture { lines.append((words(picture), theme.text)) }
        let wanted = lines.count + plan.rows.count + 2 + (plan.formats.isEmpty ? 0 : plan.formats.count + 2) + 4
        let inside = Chrome.box(
            "Plan: \(fitted(Sanitizer.cells.line(plan.model), width: 50))", width: min(76, canvas.size.width),
            height: min(canvas.size.height, wanted), theme, onto: &canvas)
        // The last line names the keys.
        let body = inside.inset(bottom: 1)
        var y = body.y
        for (text, style) in lines {
            canvas.draw(fitted(text, width: body.width), x: body.x, y: y, style, in: body)
            y += 1
        }
        y += 1
        canvas.draw("   context     KV cache        total", x: body.x, y: y, theme.quiet, in: body)
        for row in plan.rows {
            y += 1
            let isAsked = plan.total > 0 && row.context == plan.context
            self.row(
                Figures.right("\(row.context)", 10) + Figures.right(Figures.bytes(row.cache), 13), row.total,
                plan.memory, isAsked, y, body, theme, onto: &canvas)
        }
        if !plan.formats.isEmpty {
            y += 2
            canvas.draw("   weights                     total", x: body.x, y: y, theme.quiet, in: body)
            for format in plan.formats {
                y += 1
                let isAsked = format.name == plan.weightFormat
                self.row(
                    Figures.right(format.name, 10) + Figures.right(Figures.bytes(format.weights), 13), format.total,
                    plan.memory, isAsked, y, body, theme, onto: &canvas)
            }
        }
        canvas.draw(keys, x: inside.x, y: inside.bottom - 1, theme.faint, in: inside)
    }

    private static func row(
        _ text: String, _ total: Int, _ memory: Int, _ isAsked: Bool, _ y: Int, _ body: Rect, _ theme: Theme,
        onto canvas: inout Canvas
    ) {
        guard y < body.bottom else { return }
        let share = memory > 0 ? Double(total) / Double(memory) : 0, fits = share <= 1
        let style = fits ? isAsked ? theme.strong : theme.text : theme.error
        if isAsked { canvas.draw("▸", x: body.x, y: y, theme.accent, in: body) }
        canvas.draw(
            String((text + Figures.right(Figures.bytes(total), 13)).dropFirst()), x: body.x + 1, y: y, style, in: body)
        let x = body.x + 38, width = body.right - x - 14
        if width >= 6 {
            Chrome.progress(
                min(1, share), x: x, y: y, width: width, Style((fits ? theme.model : theme.error).foreground), theme,
                onto: &canvas)
        }
        canvas.draw(
            fits ? Figures.percent(share) : "does not fit", endingAt: body.right, y: y,
            fits ? theme.quiet : theme.error, in: body)
    }

    private static func words(_ picture: PlanFigures.Picture) -> String {
        "a picture of \(picture.width)×\(picture.height)" + (picture.tiles > 1 ? " (\(picture.tiles) tiles)" : "")
            + (picture.tokens > 0
                ? " takes \(picture.tokens) tokens, \(Figures.bytes(picture.bytes)) of the cache"
                : " takes no tokens; its keys and values are in the cross cache")
    }
}
