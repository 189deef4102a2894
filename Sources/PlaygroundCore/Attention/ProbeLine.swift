import Terminal

/// The probe, and the tokens that attend to it most.
enum ProbeLine {
    static func draw(_ state: State, _ subject: AttentionSubject, in rect: Rect, onto canvas: inout Canvas) {
        guard state.attention.probe != nil, !rect.isEmpty else { return }
        let theme = state.theme
        let start = canvas.draw("◆ " + state.probeName, x: rect.x, y: rect.y, theme.accent, in: rect)
        guard let looks = state.attention.looks else { return }
        let tokens = state.chat.messages[looks.message].tokens
        let names = looks.strongest(6).compactMap { look -> String? in
            guard tokens.indices.contains(look.token) else { return nil }
            return "\(tokens[look.token].label) \(Figures.fixed(Double(look.weight), 3))"
        }
        let text = names.isEmpty ? "  no token looked here" : "  looked here: " + names.joined(separator: ", ")
        canvas.draw(fitted(text, width: rect.right - start), x: start, y: rect.y, theme.quiet, in: rect)
    }
}
