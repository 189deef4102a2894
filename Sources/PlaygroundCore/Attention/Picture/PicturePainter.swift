import Terminal

/// A picture with heat over its patches, as pixels.
enum PicturePainter {
    private static let dark = Color(0x14171C)

    /// - Parameters:
    /// - strengths: one per patch, 0…1; empty draws the plain picture.
    ///   - marked: the patch to outline.
    static func draw(
        _ picture: PictureView, patches: [PictureView.Patch], strengths: [Float], marked: Int? = nil,
        _ frame: PictureFrame, _ attention: AttentionState,
        _ theme: Theme, onto canvas: inout Canvas
    ) {
        let blitter = theme.capabilities.pictureBlitter
        let density = theme.capabilities.graphics == nil ? blitter.density : pixelDensity(in: frame.rect)
        let across = frame.rect.width * density.across, down = frame.rect.height * density.down
        guard across > 0, down > 0 else { return }
        let owners = frame.patches(patches, across: across, down: down)
        var raster = Raster(width: across, height: down)
        let stepX = (frame.right - frame.left) / Double(across), stepY = (frame.bottom - frame.top) / Double(down)
        // Without colors the picture is dimmed, to distinguish heat from picture.
        let dimming = theme.capabilities.depth.showsRasters ? 0.25 : 0.65
        for row in 0..<down {
            let top = frame.top + Double(row) * stepY
            for column in 0..<across {
                let left = frame.left + Double(column) * stepX
                let color = picture.color(left: left, top: top, right: left + stepX, bottom: top + stepY)
                let owner = Int(owners[row * across + column])
                guard owner >= 0 else {
                    // The model does not see this part: gray.
                    let luma = UInt8(color.luma * 110)
                    raster[column, row] = Color(red: luma, green: luma, blue: luma)
                    continue
                }
                guard owner < strengths.count else {
                    raster[column, row] = color
                    continue
                }
                let strength = strengths[owner]
                if theme.capabilities.depth == .palette {
                    // 256 colors have few shades of a hue: heat gives the hue, the picture its brightness.
                    let lit = attention.colorMap.color(0.35 + 0.65 * strength).with(luma: 0.1 + 0.8 * color.luma)
                    raster[column, row] = color.mixed(
                        with: lit, Double(strength).squareRoot() * Double(attention.opacity) / 100)
                    continue
                }
                let base = color.mixed(with: dark, dimming)
                // Dark parts take a darker tint, so that the picture stays visible.
                let lit = dark.mixed(with: attention.colorMap.color(0.2 + 0.8 * strength), 0.55 + 0.45 * color.luma)
                raster[column, row] = base.mixed(
                    with: lit, Double(strength).squareRoot() * Double(attention.opacity) / 100)
            }
        }
        if let marked { outline(Int32(marked), owners, &raster) }
        if theme.capabilities.graphics == nil {
            blitter.blit(raster, onto: &canvas, at: frame.rect)
        } else {
            canvas.place(raster, over: frame.rect)
        }
    }

    /// Pixels per cell on terminals with graphics; fewer in a large panel, because every token brings a new map.
    private static func pixelDensity(in rect: Rect) -> (across: Int, down: Int) {
        var across = 8
        while across > 2, rect.width * across * rect.height * across * 2 > 160_000 { across -= 1 }
        return (across, 2 * across)
    }

    /// Outlines a patch; very small patches are filled.
    private static func outline(_ patch: Int32, _ owners: [Int32], _ raster: inout Raster) {
        let accent = Color(0xFFFFFF)
        func owner(_ x: Int, _ y: Int) -> Int32 {
            x >= 0 && y >= 0 && x < raster.width && y < raster.height ? owners[y * raster.width + x] : -1
        }
        var inside = 0
        for y in 0..<raster.height { for x in 0..<raster.width where owner(x, y) == patch { inside += 1 } }
        for y in 0..<raster.height {
            for x in 0..<raster.width where owner(x, y) == patch {
                let isEdge =
                    owner(x - 1, y) != patch || owner(x + 1, y) != patch || owner(x, y - 1) != patch
                    || owner(x, y + 1) != patch
                if isEdge { raster[x, y] = raster[x, y].mixed(with: accent, inside < 12 ? 0.6 : 0.85) }
            }
        }
    }
}
