import Terminal

/// A key and its effect, in a word or two.
struct KeyHint: Hashable {
    var key: String
    var label: String
    var width: Int { TextWidth.width(of: key) + 1 + TextWidth.width(of: label) }
}

/// Key hints in one row.
enum KeyHints {
    /// Draws as many as fit, from the first on.
    /// - Returns: the column of the first.
    @discardableResult
    static func draw(
        _ hints: [KeyHint], room: Int, endingAt right: Int, y: Int, _ keyStyle: Style, _ style: Style,
        onto canvas: inout Canvas
    ) -> Int {
        var shown: [KeyHint] = []
        var used = 0
        for hint in hints {
            let width = hint.width + (shown.isEmpty ? 0 : 2)
            if used + width > room { break }
            shown.append(hint)
            used += width
        }
        var x = right - used
        for (number, hint) in shown.enumerated() {
            x = canvas.draw((number == 0 ? "" : "  ") + hint.key, x: x, y: y, keyStyle)
            x = canvas.draw(" " + hint.label, x: x, y: y, style)
        }
        return right - used
    }
}
