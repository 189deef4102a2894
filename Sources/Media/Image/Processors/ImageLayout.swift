/// A rectangle of the upright picture in its file, in pixels with fractions.
package struct PictureRectangle: Sendable, Equatable, Codable {
    package var x: Double
    package var y: Double
    package var width: Double
    package var height: Double

    package init(x: Double, y: Double, width: Double, height: Double) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}

/// The mapping from one tile to the picture.
package struct TileGeometry: Sendable, Equatable {
    /// The point of the picture at the tile's upper left corner; outside the picture if the tile begins with padding.
    package let originX: Double
    package let originY: Double
    /// Pixels of the picture per pixel of the tile.
    package let scaleX: Double
    package let scaleY: Double
    /// The part of the tile that shows the picture; the rest is padding.
    package let content: PixelRectangle

    /// The part of the picture that a rectangle of the tile shows; nil if it is all padding.
    package func pictureRectangle(x: Int, y: Int, width: Int, height: Int) -> PictureRectangle? {
        let left = max(x, content.x), right = min(x + width, content.x + content.width)
        let top = max(y, content.y), bottom = min(y + height, content.y + content.height)
        guard left < right, top < bottom else { return nil }
        return PictureRectangle(
            x: originX + Double(left) * scaleX, y: originY + Double(top) * scaleY, width: Double(right - left) * scaleX,
            height: Double(bottom - top) * scaleY)
    }
}

/// The division of a picture into tiles. It depends on the size alone, so that memory can be planned without the picture.
package struct ImageLayout: Sendable, Equatable {
    package let imageWidth: Int
    package let imageHeight: Int
    /// Pixels of a tile; a model without tiles has one.
    package let tileWidth: Int
    package let tileHeight: Int
    /// The tiles with contents, in the model's order.
    package let tiles: [TileGeometry]
    /// Number of tiles in `pixelValues`, empty ones included (always the maximum for Mllama).
    package let slotCount: Int
    /// The grid of tiles; 0 × 0 if a tiling processor left the picture whole, as Idefics3 counts.
    package let rows: Int
    package let columns: Int
    /// True if the last tile is a small copy of the whole picture.
    package let endsWithWholePicture: Bool
    /// Mllama's id of the grid, from 1; nil for other models.
    package let aspectRatioID: Int?

    /// Values of a picture's pixels, `[slotCount, 3, tileHeight, tileWidth]`.
    package var valueCount: Int { slotCount * 3 * tileHeight * tileWidth }

    /// 1 for slots with a tile, else 0: Mllama's `aspect_ratio_mask`, `[slotCount]`.
    package var slotMask: [Int] { (0..<slotCount).map { $0 < tiles.count ? 1 : 0 } }
}

/// The input of a vision tower.
package struct ProcessedImage: Sendable {
    package let layout: ImageLayout
    /// `[slotCount, 3, tileHeight, tileWidth]`, normalized.
    package let pixelValues: [Float]

    package init(layout: ImageLayout, pixelValues: [Float]) {
        self.layout = layout
        self.pixelValues = pixelValues
    }

    /// The pixels of one tile or empty slot, `[3, tileHeight, tileWidth]`.
    package func tile(_ index: Int) -> ArraySlice<Float> {
        let count = 3 * layout.tileHeight * layout.tileWidth
        return pixelValues[index * count..<(index + 1) * count]
    }
}
