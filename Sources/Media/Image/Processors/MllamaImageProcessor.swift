/// The processor of Llama 3.2 Vision. It fits the picture, with its aspect ratio, into the best grid of at most
/// `max_image_tiles` tiles, pads it with black to the right and below, and cuts it into the tiles.
package struct MllamaImageProcessor: ImageProcessor {
    /// Edge of a tile, pixels.
    package let tileSize: Int
    package let maximumTiles: Int
    private let filter: ResampleFilter
    private let normalization: PixelNormalization

    package init(_ configuration: ImageProcessorConfiguration) throws(MediaError) {
        let size = configuration.size ?? .init(number: 224)
        tileSize = try ProcessorLimits.check(size.height ?? size.number, name: "size.height")
        guard size.width ?? size.number == tileSize else {
            throw .invalidParameter(name: "size", value: size.text, expected: "equal height and width")
        }
        guard configuration.doResize != false else {
            throw .invalidParameter(name: "do_resize", value: "false", expected: "true")
        }
        maximumTiles = try ProcessorLimits.check(
            configuration.maxImageTiles ?? 4, name: "max_image_tiles", in: ProcessorLimits.tiles)
        try ProcessorLimits.check(
            pixels: maximumTiles * tileSize * tileSize, of: "max_image_tiles of size",
            limit: ProcessorLimits.largestInput)
        filter = try ProcessorLimits.filter(configuration.resample, default: .bilinear)
        normalization = try PixelNormalization(configuration, defaults: PixelNormalization.standard)
    }

    /// All grids of at most `maximumTiles` tiles, in the order that numbers them from 1.
    var grids: [(rows: Int, columns: Int)] {
        (1...maximumTiles).flatMap { rows in (1...maximumTiles / rows).map { (rows, $0) } }
    }

    /// The grid that enlarges the picture least; if it must be reduced, the one that reduces it least; of equal ones the
    /// smallest, then the first.
    private func bestGrid(_ width: Int, _ height: Int) -> (index: Int, rows: Int, columns: Int) {
        let scales = grids.map { grid in
            min(Double(grid.rows * tileSize) / Double(height), Double(grid.columns * tileSize) / Double(width))
        }
        let selected = scales.filter { $0 >= 1 }.min() ?? scales.max() ?? 1
        let candidates = grids.indices.filter { scales[$0] == selected }
        let best = candidates.min { grids[$0].rows * grids[$0].columns < grids[$1].rows * grids[$1].columns } ?? 0
        return (best, grids[best].rows, grids[best].columns)
    }

    /// The size of the picture in the grid: unchanged if it fits, but never below a tile's edge on the tighter side.
    private func fittedSize(_ width: Int, _ height: Int, rows: Int, columns: Int) -> (width: Int, height: Int) {
        let targetWidth = min(max(width, tileSize), columns * tileSize),
            targetHeight = min(max(height, tileSize), rows * tileSize)
        let scaleX = Double(targetWidth) / Double(width), scaleY = Double(targetHeight) / Double(height)
        return scaleX < scaleY
            ? (targetWidth, min(max(Int(Double(height) * scaleX), 1), targetHeight))
            : (min(max(Int(Double(width) * scaleY), 1), targetWidth), targetHeight)
    }

    package func layout(width: Int, height: Int) throws(MediaError) -> ImageLayout {
        try ProcessorLimits.check(imageWidth: width, height: height)
        let grid = bestGrid(width, height)
        let fitted = fittedSize(width, height, rows: grid.rows, columns: grid.columns)
        let scaleX = Double(width) / Double(fitted.width), scaleY = Double(height) / Double(fitted.height)
        var tiles: [TileGeometry] = []
        for row in 0..<grid.rows {
            for column in 0..<grid.columns {
                let x = column * tileSize, y = row * tileSize
                let content = PixelRectangle(
                    x: 0, y: 0, width: max(0, min(tileSize, fitted.width - x)),
                    height: max(0, min(tileSize, fitted.height - y)))
                tiles.append(
                    TileGeometry(
                        originX: Double(x) * scaleX, originY: Double(y) * scaleY, scaleX: scaleX, scaleY: scaleY,
                        content: content))
            }
        }
        return ImageLayout(
            imageWidth: width, imageHeight: height, tileWidth: tileSize, tileHeight: tileSize, tiles: tiles,
            slotCount: maximumTiles,
            rows: grid.rows, columns: grid.columns, endsWithWholePicture: false, aspectRatioID: grid.index + 1)
    }

    package func resizedPixels(of image: RGBImage) throws(MediaError) -> (layout: ImageLayout, levels: [UInt8]) {
        let layout = try layout(width: image.width, height: image.height)
        let fitted = fittedSize(image.width, image.height, rows: layout.rows, columns: layout.columns)
        let picture = ImageResize.resize(image, width: fitted.width, height: fitted.height, filter: filter)
        var levels = [UInt8](repeating: 0, count: maximumTiles * 3 * tileSize * tileSize)
        for (index, tile) in layout.tiles.enumerated() where tile.content.width > 0 && tile.content.height > 0 {
            let part = PixelRectangle(
                x: index % layout.columns * tileSize, y: index / layout.columns * tileSize, width: tile.content.width,
                height: tile.content.height)
            picture.copy(part, into: &levels, tile: index, tileWidth: tileSize, tileHeight: tileSize, atX: 0, y: 0)
        }
        return (layout, levels)
    }

    package func process(_ image: RGBImage) throws(MediaError) -> ProcessedImage {
        let (layout, levels) = try resizedPixels(of: image)
        // Padding inside a tile is black; an empty slot is 0 after normalization.
        return ProcessedImage(
            layout: layout,
            pixelValues: normalization.apply(levels, tileCount: layout.tiles.count, tilePixels: tileSize * tileSize))
    }
}
