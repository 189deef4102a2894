import Foundation
import Terminal

/// A tour of the screen in a few steps for new users. Each step focuses the panel it describes.
struct TourView: OverlayView {
    let number: Int

    struct Step {
        var title: String
        var focus: Focus
        var text: String
    }

    static func steps(_ state: State) -> [Step] {
        // The inputs of the model are requested when it is loaded and may not be known yet.
        let asking =
            switch state.engine.abilities?.inputs {
            case nil: "type, attach a picture with /image PATH, or transcribe a recording with /audio PATH"
            case let inputs? where inputs.contains(.sound):
                "transcribe a recording with /audio PATH, or speak with /mic"
            case _? where state.isSampleAttached:
                "a picture is attached; type a question about it, or choose one with ↑"
            case let inputs? where inputs.contains(.picture): "attach a picture with /image PATH and ask about it"
            case _?: "type something and press Enter"
            }
        return [
            Step(
                title: "The chat", focus: .input,
                text:
                    "Here you talk to a model that runs on this machine alone: \(asking). You can also drop a file into the window."
            ),
            Step(
                title: "Where it looks", focus: .attention,
                text:
                    "For each word, this panel shows where the model looked while it wrote it. ←→ select a word, ↑↓ a layer, [ ] a head. "
                    + "c asks the reverse: which words looked at this place? It is attention, not explanation."),
            Step(
                title: "What it costs", focus: .memory,
                text:
                    "Memory of the device by purpose. The cache grows with each word; /plan shows the memory for a longer context, other weights or a larger picture."
            ),
            Step(
                title: "Keys", focus: .input,
                text:
                    "Tab moves from panel to panel. The most useful keys are at the bottom; ? shows all. Esc stops an answer, Ctrl-D quits. /tour shows this again."
            ),
        ]
    }

    /// The state with the focus on the panel of the step.
    static func pointing(_ state: State) -> State {
        guard case .tour(let number)? = state.overlay else { return state }
        var state = state
        let steps = steps(state)
        state.focus = steps[min(number, steps.count - 1)].focus
        return state
    }

    func draw(_ state: State, onto canvas: inout Canvas) {
        let theme = state.theme, steps = Self.steps(state)
        let step = steps[min(number, steps.count - 1)]
        // Beside the panel of the step, on screens with columns.
        let layout = state.layout
        let area = layout.divider == nil ? nil : layout[step.focus == .input ? .attention : .chat]
        let width = min(54, (area?.width ?? canvas.size.width) - 2)
        var flow = TextFlow(width: width - 4)
        flow.append(Span(text: step.text, style: theme.text))
        let lines = flow.finish()
        let inside = Chrome.box(step.title, width: width, height: lines.count + 4, theme, within: area, onto: &canvas)
        for (row, line) in lines.prefix(max(0, inside.height - 2)).enumerated() {
            var x = inside.x
            for span in line.spans { x = canvas.draw(span.text, x: x, y: inside.y + row, span.style, in: inside) }
        }
        canvas.draw("\(number + 1) of \(steps.count)", x: inside.x, y: inside.bottom - 1, theme.faint, in: inside)
        canvas.draw(
            number + 1 < steps.count ? "Enter next · Esc skip" : "Enter begin", endingAt: inside.right,
            y: inside.bottom - 1, theme.quiet, in: inside)
    }

    func handle(_ key: Key, _ state: inout State, _ now: Date) -> [Effect] {
        switch key.code {
        case .escape, .character("q"): state.overlay = nil
        case .character("c") where key.modifiers.contains(.control): state.overlay = nil
        case .left, .character("h"), .backspace: state.overlay = .tour(step: max(0, number - 1))
        case .enter, .right, .tab, .character(" "), .character("l"), .character("n"):
            state.overlay = number + 1 < Self.steps(state).count ? .tour(step: number + 1) : nil
        default: break
        }
        return []
    }
}

extension State {
    /// Starts the tour once a model is loaded and nothing else happens.
    mutating func offerTour() -> [Effect] {
        guard isTourDue, overlay == nil, chat.messages.isEmpty else { return [] }
        isTourDue = false
        overlay = .tour(step: 0)
        return [.markTourShown]
    }
}
