import Telemetry
import Terminal

/// What the loaded model would take on the device under other circumstances.
public struct PlanFigures: Sendable, Hashable {
    /// One line of the table: a context and what it takes.
    public struct Row: Sendable, Hashable {
        public var context: Int
        public var total: Int
        public var cache: Int

        public init(context: Int, total: Int, cache: Int) {
            self.context = context
            self.total = total
            self.cache = cache
        }
    }

    public var model: String
    public var weights: Int
    public var bytesPerToken: Int
    /// What the device has.
    public var memory: Int
    public var rows: [Row]

    public init(model: String, weights: Int, bytesPerToken: Int, memory: Int, rows: [Row]) {
        self.model = model
        self.weights = weights
        self.bytesPerToken = bytesPerToken
        self.memory = memory
        self.rows = rows
    }
}

/// `/plan`: what if the context were longer.
enum PlanView {
    static func draw(_ state: State, onto canvas: inout Canvas) {
        let theme = state.theme
        guard let plan = state.memory.plan else {
            let inside = Chrome.box("Plan", width: min(60, canvas.size.width), height: 5, theme, onto: &canvas)
            canvas.draw(fitted(state.memory.planProblem ?? "reckoning …", width: inside.width), x: inside.x, y: inside.y, theme.quiet, in: inside)
            return
        }
        let inside = Chrome.box("Plan: \(sanitisedLine(plan.model))", width: min(72, canvas.size.width), height: min(canvas.size.height, plan.rows.count + 8), theme, onto: &canvas)
        canvas.draw("weights \(Figures.bytes(plan.weights)) · \(Figures.bytes(plan.bytesPerToken)) per token of context", x: inside.x, y: inside.y, theme.text, in: inside)
        canvas.draw("this device has \(Figures.bytes(plan.memory))", x: inside.x, y: inside.y + 1, theme.quiet, in: inside)
        canvas.draw("   context     KV cache        total", x: inside.x, y: inside.y + 3, theme.quiet, in: inside)
        for (number, row) in plan.rows.enumerated() {
            let y = inside.y + 4 + number
            let share = plan.memory > 0 ? Double(row.total) / Double(plan.memory) : 0
            let fits = share <= 1
            canvas.draw(
                Figures.right("\(row.context)", 10) + Figures.right(Figures.bytes(row.cache), 13) + Figures.right(Figures.bytes(row.total), 13), x: inside.x, y: y,
                fits ? theme.text : theme.error, in: inside)
            let x = inside.x + 38, width = inside.right - x - 14
            if width >= 6 { Chrome.progress(min(1, share), x: x, y: y, width: width, Style((fits ? theme.model : theme.error).foreground), theme, onto: &canvas) }
            canvas.draw(fits ? Figures.percent(share) : "does not fit", endingAt: inside.right, y: y, fits ? theme.quiet : theme.error, in: inside)
        }
        canvas.draw("other weight formats: fovea plan MODEL · Esc close", x: inside.x, y: inside.bottom - 1, theme.faint, in: inside)
    }
}
