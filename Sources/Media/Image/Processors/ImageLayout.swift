/// A rectangle of the original (upright) picture, in its pixels, not necessarily whole ones.
public struct PictureRectangle: Sendable, Equatable {
    public var x: Double
    public var y: Double
    public var width: Double
    public var height: Double

    public init(x: Double, y: Double, width: Double, height: Double) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}

/// Where the pixels of one tile come from.
public struct TileGeometry: Sendable, Equatable {
    /// The picture's point at the tile's upper left corner (outside the picture if the tile begins with padding).
    public let originX: Double
    public let originY: Double
    /// Pixels of the picture to a pixel of the tile.
    public let scaleX: Double
    public let scaleY: Double
    /// The part of the tile that shows the picture; the rest is padding.
    public let content: PixelRectangle

    /// The part of the picture a rectangle of the tile shows; nil if it shows only padding.
    public func pictureRectangle(x: Int, y: Int, width: Int, height: Int) -> PictureRectangle? {
        let left = max(x, content.x), right = min(x + width, content.x + content.width)
        let top = max(y, content.y), bottom = min(y + height, content.y + content.height)
        guard left < right, top < bottom else { return nil }
        return PictureRectangle(
            x: originX + Double(left) * scaleX, y: originY + Double(top) * scaleY, width: Double(right - left) * scaleX,
            height: Double(bottom - top) * scaleY)
    }
}

/// How a picture of a given size is cut for a model: everything that follows from the size alone, so that memory can be
/// planned without the picture.
public struct ImageLayout: Sendable, Equatable {
    public let imageWidth: Int
    public let imageHeight: Int
    /// Pixels of a tile; a model without tiles has one.
    public let tileWidth: Int
    public let tileHeight: Int
    /// The tiles that hold something, in the model's order.
    public let tiles: [TileGeometry]
    /// Tiles in `pixelValues`, empty ones included (Mllama always gets its maximum).
    public let slotCount: Int
    /// The grid the picture was cut into. 0 × 0 if a model that can cut did not (Idefics3's sense).
    public let rows: Int
    public let columns: Int
    /// Whether the last tile is the whole picture once more, small.
    public let endsWithWholePicture: Bool
    /// Mllama's number of the grid, from 1; nil for other models.
    public let aspectRatioID: Int?

    /// Values of a picture's pixels, `[slotCount, 3, tileHeight, tileWidth]`.
    public var valueCount: Int { slotCount * 3 * tileHeight * tileWidth }

    /// 1 for the slots that hold a tile: Mllama's `aspect_ratio_mask`, `[slotCount]`.
    public var slotMask: [Int] { (0..<slotCount).map { $0 < tiles.count ? 1 : 0 } }

    /// The part of the picture each patch of a tile covers, row by row: `[tileHeight / patchSize, tileWidth / patchSize]`,
    /// nil for a patch of padding. For models that merge patches to one token (pixel shuffle) give the merged size.
    public func patches(ofTile tile: Int, patchSize: Int) -> [PictureRectangle?] {
        precondition(patchSize > 0, "a patch has pixels")
        var result: [PictureRectangle?] = []
        for row in 0..<tileHeight / patchSize {
            for column in 0..<tileWidth / patchSize {
                result.append(
                    tiles[tile].pictureRectangle(x: column * patchSize, y: row * patchSize, width: patchSize, height: patchSize))
            }
        }
        return result
    }
}

/// A picture as a model reads it.
public struct ProcessedImage: Sendable {
    public let layout: ImageLayout
    /// `[slotCount, 3, tileHeight, tileWidth]`, normalised.
    public let pixelValues: [Float]

    public init(layout: ImageLayout, pixelValues: [Float]) {
        self.layout = layout
        self.pixelValues = pixelValues
    }

    /// The pixels of one tile or empty slot, `[3, tileHeight, tileWidth]`.
    public func tile(_ index: Int) -> ArraySlice<Float> {
        let count = 3 * layout.tileHeight * layout.tileWidth
        return pixelValues[index * count..<(index + 1) * count]
    }
}
