/// One key of attention to a picture: a patch, several patches merged to one token, a class token, or padding.
package struct PatchKey: Sendable, Equatable, Codable {
    /// Column in the attention rows.
    package var key: Int
    /// Tile of the picture, from 0. A small copy of the whole picture, where a model reads one, is the last tile.
    package let tile: Int
    /// Area of the upright picture, in pixels; nil for class tokens and padding.
    package let rectangle: PictureRectangle?
    /// True if the tile is a small copy of the whole picture, beside tiles that show it in detail.
    package let isOverview: Bool

    package init(key: Int, tile: Int, rectangle: PictureRectangle? = nil, isOverview: Bool = false) {
        self.key = key
        self.tile = tile
        self.rectangle = rectangle
        self.isOverview = isOverview
    }

    /// The keys of one tile: class tokens first, then the patches row by row.
    /// - Parameters:
    ///   - patchSize: pixels of a patch, or of the patches merged to one token.
    ///   - grid: rows and columns of patches; as many as fit the tile by default.
    ///   - leadingTokens: number of class tokens.
    ///   - first: key of the first token.
    package static func keys(
        ofTile tile: Int, in layout: ImageLayout, patchSize: Int, grid: (rows: Int, columns: Int)? = nil,
        leadingTokens: Int = 0, from first: Int = 0
    ) -> [PatchKey] {
        let isOverview = layout.endsWithWholePicture && layout.tiles.count > 1 && tile == layout.tiles.count - 1
        let classTokens = (0..<leadingTokens).map { PatchKey(key: first + $0, tile: tile, isOverview: isOverview) }
        let columns = grid?.columns ?? layout.tileWidth / patchSize
        return classTokens
            + (0..<(grid?.rows ?? layout.tileHeight / patchSize) * columns).map { index in
                let rectangle =
                    tile < layout.tiles.count
                    ? layout.tiles[tile].pictureRectangle(
                        x: index % columns * patchSize, y: index / columns * patchSize, width: patchSize,
                        height: patchSize) : nil
                return PatchKey(
                    key: first + leadingTokens + index, tile: tile, rectangle: rectangle, isOverview: isOverview)
            }
    }
}
