/// Nougat's (Blecher et al. 2023): the white margin is cut off, then the page is fitted as Donut's are. Reference:
/// transformers 4.57's `NougatImageProcessor`.
package struct NougatImageProcessor: ImageProcessor {
    private let fitting: DonutImageProcessor
    private let cropsMargin: Bool

    /// Statistics of ImageNet.
    private static let statistics = (mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])

    package init(_ configuration: ImageProcessorConfiguration) throws(MediaError) {
        var configuration = configuration
        configuration.size = configuration.size ?? .init(height: 896, width: 672)
        cropsMargin = configuration.doCropMargin ?? true
        fitting = try DonutImageProcessor(configuration, statistics: Self.statistics)
    }

    /// The layout of a picture without margin; what is cut off shows in the pixels alone.
    package func layout(width: Int, height: Int) throws(MediaError) -> ImageLayout {
        try fitting.layout(width: width, height: height)
    }

    package func resizedPixels(of image: RGBImage) throws(MediaError) -> (layout: ImageLayout, levels: [UInt8]) {
        let page = cropsMargin ? Self.page(of: image) : nil
        guard let page else { return try fitting.resizedPixels(of: image) }
        var pixels = [UInt8]()
        pixels.reserveCapacity(page.width * page.height * 3)
        for y in page.y..<page.y + page.height {
            let row = (y * image.width + page.x) * 3
            pixels += image.pixels[row..<row + page.width * 3]
        }
        let (layout, levels) = try fitting.resizedPixels(
            of: RGBImage(width: page.width, height: page.height, pixels: pixels))
        let tile = layout.tiles[0]
        let moved = TileGeometry(
            originX: tile.originX + Double(page.x), originY: tile.originY + Double(page.y), scaleX: tile.scaleX,
            scaleY: tile.scaleY, content: tile.content)
        return (
            ImageLayout(
                imageWidth: image.width, imageHeight: image.height, tileWidth: layout.tileWidth,
                tileHeight: layout.tileHeight, tiles: [moved], slotCount: 1, rows: 1, columns: 1,
                endsWithWholePicture: false, aspectRatioID: nil), levels
        )
    }

    package func process(_ image: RGBImage) throws(MediaError) -> ProcessedImage {
        let (layout, levels) = try resizedPixels(of: image)
        return fitting.normalized(levels, layout)
    }

    /// The smallest rectangle that holds everything darker than 200 of 255, once grey levels are stretched to 0 to 255; nil
    /// for a picture of one grey level, or all of it.
    private static func page(of image: RGBImage) -> PixelRectangle? {
        let grey = stride(from: 0, to: image.pixels.count, by: 3).map { index in
            // Pillow's luma.
            (Int(image.pixels[index]) * 19595 + Int(image.pixels[index + 1]) * 38470 + Int(image.pixels[index + 2])
                * 7471
                + 0x8000) >> 16
        }
        guard let darkest = grey.min(), let lightest = grey.max(), darkest < lightest else { return nil }
        var (left, right, top, bottom) = (image.width, -1, image.height, -1)
        for (index, level) in grey.enumerated()
        where Double(level - darkest) / Double(lightest - darkest) * 255 < 200 {
            let (x, y) = (index % image.width, index / image.width)
            (left, right, top, bottom) = (min(left, x), max(right, x), min(top, y), max(bottom, y))
        }
        return PixelRectangle(x: left, y: top, width: right - left + 1, height: bottom - top + 1)
    }
}
