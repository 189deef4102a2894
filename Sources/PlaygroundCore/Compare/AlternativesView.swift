import Foundation
import Support
import Terminal

/// The alternatives of the selected token, with their probabilities.
struct AlternativesView: OverlayView {
    let selected: Int

    func draw(_ state: State, onto canvas: inout Canvas) {
        let theme = state.theme
        guard let place = state.shownToken else { return }
        let token = state.chat.messages[place.message].tokens[place.token]
        let choices = Self.choices(token)
        let inside = Chrome.box(
            "Instead of “\(fitted(token.label, width: 24))”", width: min(56, canvas.size.width),
            height: min(canvas.size.height, max(1, choices.count) + 5), theme, onto: &canvas)
        if token.alternatives.isEmpty {
            canvas.draw(
                "No alternatives were recorded here.", x: inside.x, y: inside.y, theme.quiet, in: inside)
        }
        for (number, choice) in choices.enumerated() {
            let row = inside.row(number), isSelected = number == selected
            canvas.draw(isSelected ? "▸" : " ", x: row.x, y: row.y, theme.accent, in: row)
            let style = choice.id == token.id ? theme.model : theme.text
            canvas.draw(
                fitted(Self.shown(choice.text), width: 18), x: row.x + 2, y: row.y, isSelected ? theme.selected : style,
                in: row)
            canvas.draw(
                Figures.right(Figures.fixed(Double(choice.probability), 4), 7), x: row.x + 21, y: row.y, theme.quiet,
                in: row)
            let width = row.right - row.x - 30
            if width > 2 {
                Chrome.progress(
                    Double(choice.probability), x: row.x + 29, y: row.y, width: width,
                    Style(theme.probability(choice.probability)), theme, onto: &canvas)
            }
        }
        canvas.draw(
            fitted("↑↓ choose · Enter continues from it · ←→ other tokens · Esc", width: inside.width), x: inside.x,
            y: inside.bottom - 1, theme.quiet, in: inside)
    }

    func handle(_ key: Key, _ state: inout State, _ now: Date) -> [Effect] {
        guard let place = state.shownToken else {
            state.overlay = nil
            return []
        }
        let choices = Self.choices(state.chat.messages[place.message].tokens[place.token])
        if let moved = key.moved(selected, count: choices.count) {
            state.overlay = .alternatives(selected: moved)
            return []
        }
        switch key.code {
        case .left, .character("h"): step(-1, &state)
        case .right, .character("l"): step(1, &state)
        case .enter where choices.indices.contains(selected):
            state.overlay = nil
            return state.rerun(
                from: place, with: choices[selected].id, spelled: choices[selected].text,
                probability: choices[selected].probability, now)
        default: state.overlay = nil
        }
        return []
    }

    private func step(_ by: Int, _ state: inout State) {
        state.scrub(by)
        if state.attention.selected == nil { state.attention.selected = state.shownToken }
        state.overlay = .alternatives(selected: 0)
    }

    /// A vocabulary piece with readable marks for blanks and line feeds.
    private static func shown(_ piece: String) -> String {
        piece.replacing("Ġ", with: "␣").replacing("▁", with: "␣").replacing("Ċ", with: "⏎")
    }

    /// The token and its alternatives, the most probable first.
    private static func choices(_ token: TokenRecord) -> [(id: Int, text: String, probability: Float)] {
        var all = token.alternatives.map {
            (id: $0.id, text: Sanitizer.cells.line($0.piece), probability: Foundation.exp($0.logProbability))
        }
        if !all.contains(where: { $0.id == token.id }) { all.append((token.id, token.piece, token.probability)) }
        return all.sorted { $0.probability > $1.probability }
    }
}
