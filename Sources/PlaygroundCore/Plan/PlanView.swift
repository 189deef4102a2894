import Foundation
import NumberFormats
import Planning
import Support
import Terminal

/// The result of `/plan`: memory for other contexts, weight formats and pictures.
struct PlanView: OverlayView {
    private static let keys = "w weights · + - context · p picture · Esc close"

    func draw(_ state: State, onto canvas: inout Canvas) {
        let theme = state.theme
        guard let plan = state.memory.plan else {
            let inside = Chrome.box("Plan", width: min(76, canvas.size.width), height: 5, theme, onto: &canvas)
            canvas.draw(
                fitted(state.memory.planProblem ?? "planning …", width: inside.width), x: inside.x, y: inside.y,
                theme.quiet, in: inside)
            canvas.draw(Self.keys, x: inside.x, y: inside.bottom - 1, theme.faint, in: inside)
            return
        }
        var lines = [
            (
                "weights \(Figures.bytes(plan.weightBytes))"
                    + (plan.weightFormats.isEmpty ? "" : " in \(plan.formatName)")
                    + " · \(Figures.bytes(plan.bytesPerToken)) per token of context, cached in \(plan.keyValueFormat.rawValue)",
                theme.text
            )
        ]
        if let context = plan.context {
            lines.append(
                (
                    "with a context of \(context): \(Figures.bytes(plan.total)) in total; this device has \(Figures.bytes(plan.deviceMemory))",
                    theme.strong
                ))
        } else {
            lines.append(("this device has \(Figures.bytes(plan.deviceMemory))", theme.quiet))
        }
        if let picture = plan.pictures.first { lines.append((Self.words(picture), theme.text)) }
        let wanted = lines.count + plan.contexts.count + 2 + (plan.formats.isEmpty ? 0 : plan.formats.count + 2) + 4
        let inside = Chrome.box(
            "Plan: \(fitted(Sanitizer.cells.line(state.memory.planRequest?.model ?? ""), width: 50))",
            width: min(76, canvas.size.width),
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
        for row in plan.contexts {
            y += 1
            let isAsked = row.context == plan.context
            Self.row(
                Figures.right("\(row.context)", 10) + Figures.right(Figures.bytes(row.cache), 13), row.total,
                plan.deviceMemory, isAsked, y, body, theme, onto: &canvas)
        }
        if !plan.formats.isEmpty {
            y += 2
            canvas.draw("   weights                     total", x: body.x, y: y, theme.quiet, in: body)
            for format in plan.formats {
                y += 1
                let isAsked = format.name == plan.formatName
                Self.row(
                    Figures.right(format.name, 10) + Figures.right(Figures.bytes(format.weights), 13), format.total,
                    plan.deviceMemory, isAsked, y, body, theme, onto: &canvas)
            }
        }
        canvas.draw(Self.keys, x: inside.x, y: inside.bottom - 1, theme.faint, in: inside)
    }

    /// Changes the question: `w` the weights, `+` and `-` the context, `p` a picture. Other keys close the view.
    func handle(_ key: Key, _ state: inout State, _ now: Date) -> [Effect] {
        guard var request = state.memory.planRequest, key.modifiers.isEmpty, case .character(let character) = key.code
        else {
            state.overlay = nil
            return []
        }
        switch character {
        case "w":
            let formats: [ElementFormat?] = [nil] + Planner.formats
            request.weights = formats[((formats.firstIndex(of: request.weights) ?? 0) + 1) % formats.count]
        case "+", "=", "-":
            // The first answer gives the context to start from.
            guard let now = state.memory.plan?.context ?? request.context, now > 0 else { return [] }
            let next = character == "-" ? now / 2 : now * 2
            guard (64...1 << 24).contains(next) else { return [] }
            request.context = next
        case "p":
            let sides: [Int?] = [nil, 336, 672, 1344]
            let side = sides[((sides.firstIndex(of: request.pictures.first?.width) ?? 0) + 1) % sides.count]
            request.pictures = side.map { [PictureSize(width: $0, height: $0)] } ?? []
        default:
            state.overlay = nil
            return []
        }
        return state.plan(request)
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

    private static func words(_ picture: MemoryPlan.Picture) -> String {
        "a picture of \(picture.width)×\(picture.height)" + (picture.tiles > 1 ? " (\(picture.tiles) tiles)" : "")
            + (picture.tokens > 0
                ? " takes \(picture.tokens) tokens, \(Figures.bytes(picture.keyValueBytes)) of the cache"
                : " takes no tokens; its keys and values are in the cross cache")
    }
}
