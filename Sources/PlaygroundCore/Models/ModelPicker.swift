import Foundation
import Support
import Terminal

/// The list of models, to load or to download.
struct ModelPicker: OverlayView {
    let selected: Int

    func draw(_ state: State, onto canvas: inout Canvas) {
        let theme = state.theme, models = state.engine.models
        let anyInstalled = models.contains(where: \.installed)
        let intro =
            models.isEmpty
            ? ["No models are known."]
            : anyInstalled
                ? []
                : ["No model is installed yet. Choose one to download;", "it stays installed and is then loaded."]
        let width = min(78, canvas.size.width)
        let height = intro.count + (intro.isEmpty ? 0 : 1) + max(1, models.count) + 4
        let inside = Chrome.box(
            anyInstalled ? "Models" : "Welcome", width: width, height: min(height, canvas.size.height), theme,
            onto: &canvas)
        var y = inside.y
        for line in intro {
            canvas.draw(line, x: inside.x, y: y, theme.text, in: inside)
            y += 1
        }
        if !intro.isEmpty { y += 1 }
        let room = max(1, inside.bottom - 2 - y)
        let first = max(0, min(selected - room + 1, models.count - room))
        for index in first..<max(first, min(models.count, first + room)) {
            let model = models[index], isSelected = index == selected
            let row = Rect(x: inside.x, y: y, width: inside.width, height: 1)
            if isSelected { canvas.fill(row, .space, theme.selected) }
            func style(_ style: Style) -> Style { isSelected ? theme.selected : style }
            canvas.draw(isSelected ? "▸ " : "  ", x: row.x, y: y, style(theme.accent), in: row)
            let name = fitted(Sanitizer.cells.line(model.name), width: 20)
            canvas.draw(name, x: row.x + 2, y: y, style(theme.strong), in: row)
            let state =
                model.name == state.engine.model ? "loaded" : model.installed ? "installed" : Figures.bytes(model.bytes)
            canvas.draw(
                Figures.right(state, 10), endingAt: row.right, y: y, style(model.installed ? theme.model : theme.quiet),
                in: row)
            canvas.draw(
                fitted(Sanitizer.cells.line(model.description), width: row.width - 36), x: row.x + 24, y: y,
                style(theme.quiet), in: row)
            y += 1
        }
        let hint =
            models.isEmpty
            ? "Esc close"
            : "↑↓ choose · Enter \(models.indices.contains(selected) && models[selected].installed ? "load" : "download") · Esc close"
        canvas.draw(hint, x: inside.x, y: inside.bottom - 1, theme.quiet, in: inside)
    }

    func handle(_ key: Key, _ state: inout State, _ now: Date) -> [Effect] {
        let models = state.engine.models
        if let moved = key.moved(selected, count: models.count) {
            state.overlay = .models(selected: moved)
        } else if key.code == .enter, models.indices.contains(selected) {
            state.overlay = nil
            return state.choose(models[selected].name, now)
        } else if key.closes || key.code == .enter {
            state.overlay = nil
        }
        return []
    }
}
