import Terminal

/// A picture with heat over its patches, the overview apart or blended, and figures below.
enum PictureMap {
    /// The rectangles of the map, for drawing and for the mouse.
    struct Places {
        var probe: Rect
        var frame: PictureFrame
        /// The frame of the overview, if it is drawn apart.
        var overview: PictureFrame?
        var shares: Rect
        var legend: Rect

        init(_ picture: PictureView, _ state: State, in area: Rect) {
            legend = area.row(area.height - 1)
            shares = area.row(area.height - 2)
            var rest = area.inset(bottom: 2)
            probe = Rect(
                x: rest.x, y: rest.y, width: rest.width, height: state.attention.probe == nil ? 0 : min(1, rest.height))
            rest = rest.inset(top: probe.height)
            if picture.hasOverview && !state.attention.blendsOverview && rest.width >= 34 && rest.height >= 6 {
                let width = max(12, rest.width * 28 / 100)
                overview = PictureFrame(
                    width: picture.width, height: picture.height,
                    in: Rect(x: rest.right - width, y: rest.y, width: width, height: rest.height - 1))
                rest = rest.inset(right: width + 1)
            }
            var center = (x: 0.5, y: 0.5)
            if case .point(picture.index, let x, let y)? = state.attention.probe {
                center = (x, y)
            } else if let row = state.shownRow {
                // Without a probe the zoom centers on the strongest patch.
                let heat = picture.heat(of: row, blended: state.attention.blendsOverview)
                if let top = heat.max(), top > 0, let strongest = heat.firstIndex(of: top) {
                    let patch = picture.patches[strongest]
                    center = ((patch.left + patch.right) / 2, (patch.top + patch.bottom) / 2)
                }
            }
            frame = PictureFrame(
                width: picture.width, height: picture.height, in: rest, zoom: state.attention.zoom, center: center)
        }
    }

    static func draw(
        _ state: State, _ subject: AttentionSubject, _ picture: PictureView, in area: Rect, onto canvas: inout Canvas
    ) {
        let theme = state.theme, attention = state.attention
        guard area.height >= 4 else { return }
        let places = Places(picture, state, in: area)
        ProbeLine.draw(state, subject, in: places.probe, onto: &canvas)
        let row = subject.token == nil ? nil : state.shownRow
        if attention.showsHeads, let captured = attention.shown?.captured {
            let all = Rect(
                x: area.x, y: area.y + places.probe.height, width: area.width,
                height: area.height - 2 - places.probe.height)
            HeadGrid.draw(state, captured, picture, in: all, onto: &canvas)
            Legend.draw(
                low: 0, high: row?.max() ?? 0, words: ["each head by its own maximum"] + Legend.words(state), state,
                in: places.legend, onto: &canvas)
            return
        }
        let marked: Int? =
            if case .point(picture.index, let x, let y)? = attention.probe { picture.patch(at: x, y) } else { nil }
        let blended = attention.blendsOverview
        let heat = row.map { picture.heat(of: $0, blended: blended) } ?? []
        let whole = row.map { PictureView.weights(of: picture.overview, in: $0) } ?? []
        // One scale for both, so that the overview is comparable.
        let top = max(heat.max() ?? 0, blended ? 0 : whole.max() ?? 0)
        PicturePainter.draw(
            picture, patches: picture.patches, strengths: attention.scale.apply(to: heat, maximum: top), marked: marked,
            places.frame, attention, theme, onto: &canvas)
        if let overview = places.overview {
            PicturePainter.draw(
                picture, patches: picture.overview, strengths: attention.scale.apply(to: whole, maximum: top), overview,
                attention, theme, onto: &canvas)
            canvas.draw(
                fitted("overview", width: overview.rect.width), x: overview.rect.x, y: overview.rect.bottom,
                theme.quiet)
        }
        canvas.draw(
            fitted(shares(of: row, picture, state), width: places.shares.width), x: places.shares.x, y: places.shares.y,
            theme.quiet, in: places.shares)
        var words = Legend.words(state)
        if attention.zoom > 1 { words.insert("\(attention.zoom)× zoom", at: 0) }
        if picture.hasOverview { words.append(blended ? "overview blended" : "overview apart") }
        words.append("\(picture.patches.count) patches")
        Legend.draw(low: heat.min() ?? 0, high: top, words: words, state, in: places.legend, onto: &canvas)
    }

    /// The distribution of the token's attention, in words.
    private static func shares(of row: [Float]?, _ picture: PictureView, _ state: State) -> String {
        guard let row else { return "the picture the model reads" }
        if state.attention.isRelative {
            return "above the mean of this answer's \(state.attention.rows.tokensWithRows) tokens; 0 is dark"
        }
        if state.attention.head == .max { return "the strongest head at each place; does not sum to 1" }
        let shares = picture.shares(of: row)
        func percent(_ share: Float) -> String { Figures.percent(Double(share)) }
        var words = [
            "on this picture \(percent(shares.picture))"
                + (picture.hasOverview ? " (overview \(percent(shares.overview)))" : "")
        ]
        if !picture.blanks.isEmpty { words.append("class token, padding \(percent(shares.blank))") }
        if shares.elsewhere >= 0.005 {
            words.append((picture.kind == .selfAttention ? "words " : "elsewhere ") + percent(shares.elsewhere))
        }
        return words.joined(separator: " · ")
    }

    /// The point under a cell.
    static func point(x: Int, y: Int, _ state: State, _ picture: PictureView, in area: Rect) -> Probe? {
        guard area.height >= 4 else { return nil }
        let places = Places(picture, state, in: area)
        return (places.frame.point(x: x, y: y) ?? places.overview?.point(x: x, y: y)).map {
            .point(picture: picture.index, x: $0.x, y: $0.y)
        }
    }
}
