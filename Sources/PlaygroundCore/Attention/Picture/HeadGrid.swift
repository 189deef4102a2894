import Terminal

/// Every head of the layer as a small picture.
enum HeadGrid {
    static func draw(
        _ state: State, _ captured: CapturedAttention, _ picture: PictureView, in area: Rect, onto canvas: inout Canvas
    ) {
        let theme = state.theme, attention = state.attention
        guard let grid = Grid(heads: captured.heads, aspect: Double(picture.width) / Double(picture.height), in: area)
        else { return }
        var first = 0
        if case .head(let chosen) = attention.head, chosen >= grid.shown {
            first = min(chosen - grid.shown + 1, captured.heads - grid.shown)
        }
        for place in 0..<grid.shown {
            let head = first + place, cell = grid.cell(place)
            let isChosen = attention.head == .head(head)
            canvas.draw(
                fitted("h\(head)", width: cell.width), x: cell.x, y: cell.y,
                isChosen ? theme.accent.with(.bold) : theme.quiet)
            guard let raw = captured.profile(layer: state.shownLayers, head: .head(head)) else { continue }
            // The mean is that of the selected heads, so only sinks are masked here.
            let row = attention.hidesSinks ? attention.rows.withoutSinks(raw) : raw
            let heat = picture.heat(of: row, blended: attention.blendsOverview)
            PicturePainter.draw(
                picture, patches: picture.patches, strengths: attention.scale.apply(to: heat),
                PictureFrame(width: picture.width, height: picture.height, in: cell.inset(top: 1)), attention, theme,
                onto: &canvas)
        }
    }

    /// The grid with the largest pictures.
    struct Grid {
        let columns: Int
        let shown: Int
        private let width: Int
        private let height: Int
        private let area: Rect

        /// nil without room for one.
        init?(heads: Int, aspect: Double, in area: Rect) {
            var best: (columns: Int, size: Double) = (0, 0)
            for columns in 1...max(1, min(heads, area.width / 5)) {
                let rows = (heads + columns - 1) / columns
                let across = Double(area.width / columns - 1), down = Double(max(2, area.height / rows) - 1) * 2
                let size = min(across, down * aspect)
                if down >= 2 && size > best.size { best = (columns, size) }
            }
            guard best.columns > 0, area.height >= 3, area.width >= 5 else { return nil }
            self.area = area
            columns = best.columns
            let rows = (heads + columns - 1) / columns
            height = max(3, area.height / rows)
            width = area.width / columns
            shown = min(heads, columns * (area.height / height))
        }

        /// The cells of one head without the gap at the right.
        func cell(_ place: Int) -> Rect {
            Rect(
                x: area.x + place % columns * width, y: area.y + place / columns * height, width: width - 1,
                height: height)
        }
    }
}
