import Terminal

/// The color scale with its numbers, and the settings of the map.
enum Legend {
    /// - Parameters:
    /// - words: the most important first; those that do not fit are omitted.
    static func draw(low: Float, high: Float, words: [String], _ state: State, in rect: Rect, onto canvas: inout Canvas)
    {
        let theme = state.theme, attention = state.attention
        let lowText = Figures.weight(low) + " ", highText = " " + Figures.weight(high)
        var words = words
        // The words are more useful than a long ramp.
        let room = rect.width - lowText.count - highText.count - 2
        let ramp =
            rect.width >= 60 && TextWidth.width(of: words.joined(separator: " · ")) <= room - 24
            ? 24 : min(10, max(0, room))
        while !words.isEmpty && TextWidth.width(of: words.joined(separator: " · ")) > room - ramp { words.removeLast() }
        let x = canvas.draw(lowText, x: rect.x, y: rect.y, theme.quiet, in: rect)
        for step in 0..<ramp {
            canvas[x + step, rect.y] = heatCell(ramp > 1 ? Float(step) / Float(ramp - 1) : 1, attention.colorMap, theme)
        }
        canvas.draw(highText, x: x + ramp, y: rect.y, theme.quiet, in: rect)
        canvas.draw(words.joined(separator: " · "), endingAt: rect.right, y: rect.y, theme.faint, in: rect)
    }

    /// A cell with the color of `strength` (0…1), or a shading character on terminals with few colors.
    static func heatCell(_ strength: Float, _ map: ColorMap, _ theme: Theme) -> Cell {
        theme.capabilities.depth.showsRasters
            ? Cell(.space, Style(.standard, on: map.color(strength)))
            : Cell(ShadeBlitter.glyph(Double(strength)), Style(map.color(strength)))
    }

    /// The settings of the map, the most important first.
    static func words(_ state: State) -> [String] {
        let attention = state.attention
        var words = [attention.colorMap.name, attention.scale.name]
        if attention.isRelative { words.append("above the mean of \(attention.rows.tokensWithRows) tokens") }
        if attention.opacity != 90 { words.append("heat \(attention.opacity) %") }
        if attention.hidesSinks {
            words.append(attention.rows.sinks.isEmpty ? "no sinks" : "\(attention.rows.sinks.count) sinks masked")
        }
        return words
    }
}
