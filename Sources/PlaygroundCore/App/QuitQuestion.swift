import Foundation
import Terminal

/// The question before the program ends.
struct QuitQuestion: OverlayView {
    func draw(_ state: State, onto canvas: inout Canvas) {
        let inside = Chrome.box("Quit", width: 40, height: 5, state.theme, onto: &canvas)
        canvas.draw("Quit fovea?", x: inside.x, y: inside.y, state.theme.text, in: inside)
        canvas.draw("y · q · Ctrl-C yes    n · Esc no", x: inside.x, y: inside.y + 2, state.theme.quiet, in: inside)
    }

    func handle(_ key: Key, _ state: inout State, _ now: Date) -> [Effect] {
        switch key {
        case .character("y"), .character("q"), .control("c"), Key(.enter): return [.quit(.done)]
        default:
            state.overlay = nil
            return []
        }
    }
}
