/// The processor of Idefics3 and SmolVLM. It resizes the longest edge to `size.longest_edge`, then both edges to whole tiles of
/// `max_image_size.longest_edge`. The tiles come row by row, then the whole picture in one tile.
///
/// The second and third resizing start from the 8-bit result of the previous one, as in the reference.
package struct Idefics3ImageProcessor: ImageProcessor {
    package let longestEdge: Int
    /// Edge of a tile, pixels.
    package let tileSize: Int
    package let splits: Bool
    private let filter: ResampleFilter
    private let resizes: Bool
    private let normalization: PixelNormalization

    /// Bound on the edges, for all configurations.
    private static let largestEdge = 4096

    package init(_ configuration: ImageProcessorConfiguration) throws(MediaError) {
        let size = configuration.size ?? .init(longestEdge: 4 * 364)
        guard size.height == nil, size.width == nil, size.shortestEdge == nil else {
            throw .invalidParameter(name: "size", value: size.text, expected: "longest_edge")
        }
        longestEdge = try ProcessorLimits.check(size.longestEdge ?? size.number, name: "size.longest_edge")
        let tile = configuration.maxImageSize ?? .init(longestEdge: 364)
        tileSize = try ProcessorLimits.check(tile.longestEdge ?? tile.number, name: "max_image_size.longest_edge")
        // Tiles far smaller than the picture would number thousands.
        _ = try ProcessorLimits.check(
            max(1, longestEdge / tileSize), name: "size.longest_edge / max_image_size.longest_edge", in: 1...32)
        splits = configuration.doImageSplitting ?? true
        resizes = configuration.doResize ?? true
        filter = try ProcessorLimits.filter(configuration.resample, default: .lanczos)
        normalization = try PixelNormalization(configuration, defaults: PixelNormalization.standard)
    }

    /// The longest edge as configured; the other one keeps the aspect ratio and is rounded up to an even number.
    private func firstSize(_ width: Int, _ height: Int) -> (width: Int, height: Int) {
        guard resizes else { return (width, height) }
        let ratio = Double(width) / Double(height)
        var width = width, height = height
        if width >= height {
            width = longestEdge
            height = Int(Double(width) / ratio)
            height += height % 2
        } else {
            height = longestEdge
            width = Int(Double(height) * ratio)
            width += width % 2
        }
        return bounded(max(width, 1), max(height, 1))
    }

    private func bounded(_ width: Int, _ height: Int) -> (width: Int, height: Int) {
        let ratio = Double(width) / Double(height), limit = Self.largestEdge
        if width >= height, width > limit { return (limit, max(Int(Double(limit) / ratio), 1)) }
        if height > width, height > limit { return (max(Int(Double(limit) * ratio), 1), limit) }
        return (width, height)
    }

    /// Both edges rounded up to whole tiles, the longer one first.
    private func tiledSize(_ width: Int, _ height: Int) -> (width: Int, height: Int) {
        let ratio = Double(width) / Double(height)
        func whole(_ edge: Int) -> Int { max(1, (edge + tileSize - 1) / tileSize) * tileSize }
        if width >= height {
            let width = whole(width)
            return (width, whole(Int(Double(width) / ratio)))
        }
        let height = whole(height)
        return (whole(Int(Double(height) * ratio)), height)
    }

    private struct Sizes {
        var first: (width: Int, height: Int)
        var tiled: (width: Int, height: Int)
        /// 0 × 0: one tile is the whole picture.
        var rows: Int
        var columns: Int
    }

    private func sizes(_ width: Int, _ height: Int) throws(MediaError) -> Sizes {
        try ProcessorLimits.check(imageWidth: width, height: height)
        let first = firstSize(width, height)
        guard splits else { return Sizes(first: first, tiled: (tileSize, tileSize), rows: 0, columns: 0) }
        let tiled = tiledSize(first.width, first.height)
        let rows = tiled.height / tileSize, columns = tiled.width / tileSize
        try ProcessorLimits.check(
            pixels: tiled.width * tiled.height, of: "picture of \(width)×\(height)",
            limit: ProcessorLimits.largestInput)
        let isSplit = rows * columns > 1
        return Sizes(first: first, tiled: tiled, rows: isSplit ? rows : 0, columns: isSplit ? columns : 0)
    }

    package func layout(width: Int, height: Int) throws(MediaError) -> ImageLayout {
        let sizes = try sizes(width, height)
        func geometry(x: Int, y: Int, ofWidth fullWidth: Int, height fullHeight: Int) -> TileGeometry {
            let scaleX = Double(width) / Double(fullWidth), scaleY = Double(height) / Double(fullHeight)
            return TileGeometry(
                originX: Double(x) * scaleX, originY: Double(y) * scaleY, scaleX: scaleX, scaleY: scaleY,
                content: PixelRectangle(x: 0, y: 0, width: tileSize, height: tileSize))
        }
        var tiles: [TileGeometry] = []
        for row in 0..<sizes.rows {
            for column in 0..<sizes.columns {
                tiles.append(
                    geometry(
                        x: column * tileSize, y: row * tileSize, ofWidth: sizes.tiled.width, height: sizes.tiled.height)
                )
            }
        }
        tiles.append(geometry(x: 0, y: 0, ofWidth: tileSize, height: tileSize))
        return ImageLayout(
            imageWidth: width, imageHeight: height, tileWidth: tileSize, tileHeight: tileSize, tiles: tiles,
            slotCount: tiles.count,
            rows: sizes.rows, columns: sizes.columns, endsWithWholePicture: true, aspectRatioID: nil)
    }

    package func resizedPixels(of image: RGBImage) throws(MediaError) -> (layout: ImageLayout, levels: [UInt8]) {
        let layout = try layout(width: image.width, height: image.height)
        let sizes = try sizes(image.width, image.height)
        let first = ImageResize.resize(image, width: sizes.first.width, height: sizes.first.height, filter: filter)
        let tiled = ImageResize.resize(first, width: sizes.tiled.width, height: sizes.tiled.height, filter: filter)
        var levels = [UInt8](repeating: 0, count: layout.valueCount)
        for row in 0..<sizes.rows {
            for column in 0..<sizes.columns {
                tiled.copy(
                    PixelRectangle(x: column * tileSize, y: row * tileSize, width: tileSize, height: tileSize),
                    into: &levels,
                    tile: row * sizes.columns + column, tileWidth: tileSize, tileHeight: tileSize, atX: 0, y: 0)
            }
        }
        let whole = ImageResize.resize(tiled, width: tileSize, height: tileSize, filter: filter)
        whole.copy(
            PixelRectangle(x: 0, y: 0, width: tileSize, height: tileSize), into: &levels, tile: layout.slotCount - 1,
            tileWidth: tileSize,
            tileHeight: tileSize, atX: 0, y: 0)
        return (layout, levels)
    }

    package func process(_ image: RGBImage) throws(MediaError) -> ProcessedImage {
        let (layout, levels) = try resizedPixels(of: image)
        return ProcessedImage(
            layout: layout,
            pixelValues: normalization.apply(levels, tileCount: layout.slotCount, tilePixels: tileSize * tileSize))
    }
}
