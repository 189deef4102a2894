import Foundation
import Terminal

/// What the screen is, in a few steps, for who sees it for the first time. Each step lights the panel it speaks of.
enum TourView {
    struct Step {
        var title: String
        var focus: Focus
        var text: String
    }

    static func steps(_ state: State) -> [Step] {
        // What the model takes is asked for when it is loaded, and may not be known yet.
        let asking =
            switch state.engine.abilities?.inputs {
            case nil: "type, show it a picture with /image PATH, or let it hear a recording with /audio PATH"
            case let inputs? where inputs.contains(.sound):
                "let it hear a recording with /audio PATH, or speak with /mic"
            case _? where state.isSampleAttached:
                "a picture is attached already; type a question about it, or take one with ↑"
            case let inputs? where inputs.contains(.picture): "attach a picture with /image PATH and ask about it"
            case _?: "type something and press Enter"
            }
        return [
            Step(
                title: "The chat", focus: .input,
                text:
                    "Here you talk to a model that runs on this machine alone: \(asking). A path dragged into the window will do."
            ),
            Step(
                title: "Where it looks", focus: .attention,
                text:
                    "Beside each word stands what the model looked at while it wrote it. ←→ go back over the words, ↑↓ through the layers, [ ] through the heads. "
                    + "c asks the other way: which words looked at this place? It is attention, not explanation."),
            Step(
                title: "What it costs", focus: .memory,
                text:
                    "Memory of the device by purpose, as it is now. The cache grows with each word; /plan says what a longer context, other weights or a larger picture would take."
            ),
            Step(
                title: "Keys", focus: .input,
                text:
                    "Tab goes from panel to panel; the keys that matter now stand at the bottom, ? shows all. Esc stops an answer, Ctrl-D leaves. /tour shows this again."
            ),
        ]
    }

    /// The state with the panel in focus that the step speaks of.
    static func pointing(_ state: State) -> State {
        guard case .tour(let number)? = state.overlay else { return state }
        var state = state
        let steps = steps(state)
        state.focus = steps[min(number, steps.count - 1)].focus
        return state
    }

    static func draw(_ state: State, step number: Int, onto canvas: inout Canvas) {
        let theme = state.theme, steps = steps(state)
        let step = steps[min(number, steps.count - 1)]
        // Beside what it speaks of, where there are columns.
        let layout = state.layout
        let area = layout.divider == nil ? nil : step.focus == .input ? layout.attention : layout.chat
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
}

/// Remembers in the data folder that the tour was shown.
enum TourMemory {
    private static func mark(_ folder: String) -> String { (folder as NSString).appendingPathComponent("tour-shown") }

    static func wasShown(in folder: String) -> Bool { FileManager.default.fileExists(atPath: mark(folder)) }

    /// Where it cannot be written down the tour comes again; the chat says by itself that nothing is kept.
    static func remember(in folder: String) {
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: mark(folder), contents: Data())
    }
}

extension State {
    /// Once a model is there and nothing else is under way.
    mutating func offerTour() -> [Effect] {
        guard isTourDue, overlay == nil, chat.messages.isEmpty else { return [] }
        isTourDue = false
        overlay = .tour(step: 0)
        return [.rememberTour]
    }

    mutating func handleInTour(_ key: Key, step: Int) {
        switch key.code {
        case .escape, .character("q"): overlay = nil
        case .character("c") where key.modifiers.contains(.control): overlay = nil
        case .left, .character("h"), .backspace: overlay = .tour(step: max(0, step - 1))
        case .enter, .right, .tab, .character(" "), .character("l"), .character("n"):
            overlay = step + 1 < TourView.steps(self).count ? .tour(step: step + 1) : nil
        default: break
        }
    }
}
