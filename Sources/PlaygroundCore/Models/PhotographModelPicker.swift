import Foundation
import Support
import Terminal

/// The models that read photographs, offered where the loaded one knows only drawings: download size, and whether each fits
/// the device. The chosen one is downloaded, loaded, and asked the last question again.
struct PhotographModelPicker: OverlayView {
    let selected: Int

    func draw(_ state: State, onto canvas: inout Canvas) {
        let theme = state.theme, models = state.photographModels
        let width = min(78, canvas.size.width)
        let inside = Chrome.box(
            "Models that read photographs", width: width, height: min(max(1, models.count) + 6, canvas.size.height),
            theme, onto: &canvas)
        var y = inside.y
        canvas.draw(
            models.isEmpty ? "No such model is known." : "Enter asks it your last question again.", x: inside.x, y: y,
            theme.text, in: inside)
        y += 2
        let room = max(1, inside.bottom - 2 - y)
        let first = max(0, min(selected - room + 1, models.count - room))
        for index in first..<max(first, min(models.count, first + room)) {
            let model = models[index], isSelected = index == selected
            let row = Rect(x: inside.x, y: y, width: inside.width, height: 1)
            if isSelected { canvas.fill(row, .space, theme.selected) }
            func style(_ style: Style) -> Style { isSelected ? theme.selected : style }
            canvas.draw(isSelected ? "▸ " : "  ", x: row.x, y: y, style(theme.accent), in: row)
            canvas.draw(
                fitted(Sanitizer.cells.line(model.name), width: 21), x: row.x + 2, y: y, style(theme.strong), in: row)
            let size = model.installed ? "installed" : Figures.bytes(model.bytes)
            canvas.draw(Figures.right(size, 10), endingAt: row.x + 35, y: y, style(theme.quiet), in: row)
            let (text, fit) = Self.fit(of: model, state)
            canvas.draw(
                fitted(text, width: row.width - 38), x: row.x + 37, y: y, style(fit ? theme.model : theme.warning),
                in: row)
            y += 1
        }
        let action = models.indices.contains(selected) && models[selected].installed ? "load" : "download"
        canvas.draw(
            models.isEmpty ? "Esc close" : "↑↓ choose · Enter \(action) and ask again · Esc close", x: inside.x,
            y: inside.bottom - 1, theme.quiet, in: inside)
    }

    /// The memory that a model takes, in words, and false if that is more than the device has.
    private static func fit(of model: ModelChoice, _ state: State) -> (String, Bool) {
        switch state.engine.forecasts[model.name] {
        case .none: ("computing its memory", true)
        case .some(.none): ("its memory is not known", true)
        case .some(.some(let forecast)):
            (
                "needs \(Figures.bytes(forecast.total)): " + (forecast.fits ? "fits this device" : "too large"),
                forecast.fits
            )
        }
    }

    func handle(_ key: Key, _ state: inout State, _ now: Date) -> [Effect] {
        let models = state.photographModels
        if let moved = key.moved(selected, count: models.count) {
            state.overlay = .photographModels(selected: moved)
        } else if key.code == .enter, models.indices.contains(selected) {
            state.overlay = nil
            guard state.isFreeToSend() else { return [] }
            let effects = state.choose(models[selected].name, now)
            state.engine.asksAgain = !effects.isEmpty
            return effects
        } else if key.closes || key.code == .enter {
            state.overlay = nil
        }
        return []
    }
}

extension State {
    /// Models that read photographs, as listed.
    var photographModels: [ModelChoice] { engine.models.filter { $0.readsPhotographs == true } }

    /// True if a model was shown a picture that is not of the kind that it was trained on.
    var hasUnfamiliarPicture: Bool { chat.messages.contains { $0.pictures.contains(where: \.isUnfamiliar) } }

    /// Opens the list of models that read photographs.
    mutating func offerPhotographModels() -> [Effect] {
        overlay = .photographModels(selected: 0)
        let names = photographModels.map(\.name).filter { engine.forecasts[$0] == nil }
        return names.isEmpty ? [] : [.forecast(names)]
    }

    /// Warns once of each picture that is not of the kind that the model was trained on.
    mutating func warnIfUnfamiliar(_ picture: PictureView, of answer: Int, _ now: Date) {
        let wasShown = chat.messages[..<answer].contains {
            $0.pictures.contains { $0.isUnfamiliar && $0.name == picture.name }
        }
        guard picture.isUnfamiliar, !wasShown else { return }
        report(
            "\(picture.name) is not a picture of the kind that \(engine.modelName ?? "this model") was trained on: its "
                + "answer means little. Ctrl-O offers models that read photographs.", now, kind: .warning)
    }
}
