/// A picture in pixels over a rectangle of blank cells, for terminals that can show it.
package struct PixelPicture: Sendable, Hashable {
    package let rect: Rect
    /// As many pixels as its maker likes: the screen scales them to the cells.
    package let raster: Raster

    package init(rect: Rect, raster: Raster) {
        self.rect = rect
        self.raster = raster
    }
}

/// How a terminal is given pixels.
package enum GraphicsProtocol: String, Sendable, Hashable, CaseIterable {
    /// DEC's of the VT340: xterm, foot, WezTerm, mlterm, Windows Terminal, tmux.
    case sixel
    /// kitty's: kitty, Ghostty, WezTerm, Konsole.
    case kitty

    /// Bytes that draw a picture with its upper left corner at the cursor.
    /// - Parameters:
    ///   - number: tells pictures on the screen apart, from 1.
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
    /// Nearest neighbors.
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

/// What a person wants of pictures.
package enum GraphicsChoice: Sendable, Hashable {
    /// Pixels if the terminal says that it can.
    case ask
    /// Cells alone.
    case cells
    /// Pixels without asking.
    case always(GraphicsProtocol)
}
