/// A picture in pixels over a rectangle of blank cells, for terminals with graphics.
package struct PixelPicture: Sendable, Hashable {
    package let rect: Rect
    /// Pixels of any number; the screen scales them to the cells.
    package let raster: Raster

    package init(rect: Rect, raster: Raster) {
        self.rect = rect
        self.raster = raster
    }
}

/// A graphics protocol.
package enum GraphicsProtocol: String, Sendable, Hashable, CaseIterable {
    /// DEC's protocol of the VT340: xterm, foot, WezTerm, mlterm, Windows Terminal, tmux.
    case sixel
    /// kitty's protocol: kitty, Ghostty, WezTerm, Konsole.
    case kitty

    /// Bytes that draw a picture with its upper left corner at the cursor.
    /// - Parameters:
    /// - number: number of the picture on the screen, from 1.
    ///   - cell: pixels of a cell.
    func bytes(for picture: PixelPicture, number: Int, cell: Size) -> [UInt8] {
        switch self {
        case .sixel:
            SixelEncoder.encode(
                picture.raster.scaled(to: Size(picture.rect.width * cell.width, picture.rect.height * cell.height)))
        case .kitty: KittyEncoder.encode(picture.raster, number: number, over: picture.rect)
        }
    }
}

extension Raster {
    /// Scales by nearest neighbors.
    func scaled(to size: Size) -> Raster {
        guard size.width != width || size.height != height, width > 0, height > 0 else { return self }
        var result = Raster(width: size.width, height: size.height)
        let columns = (0..<result.width).map { $0 * width / result.width }
        for y in 0..<result.height {
            let source = (y * height / result.height) * width, target = y * result.width
            for x in 0..<result.width { result.pixels[target + x] = pixels[source + columns[x]] }
        }
        return result
    }
}

/// The user's choice for drawing pictures.
package enum GraphicsChoice: Sendable, Hashable {
    /// Pixels if the terminal answers that it can.
    case ask
    /// Cells only.
    case cells
    /// Pixels without asking.
    case always(GraphicsProtocol)
}
