/// Donut's (Kim et al. 2022): the shorter edge becomes the target's shorter edge; what is still too large is made to fit the
/// target; then the picture is centered on black. Reference: transformers 4.57's `DonutImageProcessor`.
package struct DonutImageProcessor: ImageProcessor {
    private let width: Int
    private let height: Int
    private let doesResize: Bool
    private let doesFit: Bool
    private let filter: ResampleFilter
    private let normalization: PixelNormalization

    package init(_ configuration: ImageProcessorConfiguration) throws(MediaError) {
        try self.init(configuration, statistics: PixelNormalization.standard)
    }

    init(_ configuration: ImageProcessorConfiguration, statistics: (mean: [Double], std: [Double])) throws(MediaError) {
        let size = configuration.size ?? .init(height: 2560, width: 1920)
        width = try ProcessorLimits.check(size.width ?? size.number, name: "size.width")
        height = try ProcessorLimits.check(size.height ?? size.number, name: "size.height")
        if configuration.doAlignLongAxis == true {
            throw .invalidParameter(
                name: "do_align_long_axis", value: "true", expected: "false: pictures are not turned here")
        }
        if configuration.doPad == false {
            throw .invalidParameter(
                name: "do_pad", value: "false", expected: "true: the model reads pictures of one size")
        }
        doesResize = configuration.doResize ?? true
        doesFit = configuration.doThumbnail ?? true
        filter = try ProcessorLimits.filter(configuration.resample, default: .bilinear)
        normalization = try PixelNormalization(configuration, defaults: statistics)
    }

    /// The sizes of the picture after each of the two steps.
    private func sizes(width: Int, height: Int) throws(MediaError) -> (
        first: (width: Int, height: Int), second: (width: Int, height: Int)
    ) {
        try ProcessorLimits.check(imageWidth: width, height: height)
        var first = (width: width, height: height)
        if doesResize {
            let edge = min(self.width, self.height)
            let long = Int(Double(edge * max(width, height)) / Double(min(width, height)))
            try ProcessorLimits.check(pixels: edge * long, of: "picture of \(width)×\(height)")
            first = width <= height ? (edge, long) : (long, edge)
        }
        guard doesFit, first.width > self.width || first.height > self.height else {
            guard first.width <= self.width, first.height <= self.height else {
                throw .invalidParameter(
                    name: "picture size", value: "\(width)×\(height)",
                    expected: "at most \(self.width)×\(self.height): the configuration does not make pictures fit")
            }
            return (first, first)
        }
        var second = (width: min(first.width, self.width), height: min(first.height, self.height))
        if first.height > first.width {
            second.width = max(1, first.width * second.height / first.height)
        } else if first.width > first.height {
            second.height = max(1, first.height * second.width / first.width)
        }
        // A picture of other proportions than the target may still be too wide or too high by the reference's rule.
        return (first, (min(second.width, self.width), min(second.height, self.height)))
    }

    package func layout(width: Int, height: Int) throws(MediaError) -> ImageLayout {
        let size = try sizes(width: width, height: height).second
        let content = PixelRectangle(
            x: (self.width - size.width) / 2, y: (self.height - size.height) / 2, width: size.width,
            height: size.height)
        let (scaleX, scaleY) = (Double(width) / Double(size.width), Double(height) / Double(size.height))
        return ImageLayout(
            imageWidth: width, imageHeight: height, tileWidth: self.width, tileHeight: self.height,
            tiles: [
                TileGeometry(
                    originX: -Double(content.x) * scaleX, originY: -Double(content.y) * scaleY, scaleX: scaleX,
                    scaleY: scaleY, content: content)
            ], slotCount: 1, rows: 1, columns: 1, endsWithWholePicture: false, aspectRatioID: nil)
    }

    package func resizedPixels(of image: RGBImage) throws(MediaError) -> (layout: ImageLayout, levels: [UInt8]) {
        let layout = try layout(width: image.width, height: image.height)
        let (first, second) = try sizes(width: image.width, height: image.height)
        func resized(_ image: RGBImage, _ size: (width: Int, height: Int), _ filter: ResampleFilter) -> RGBImage {
            if size == (image.width, image.height) { return image }
            return ImageResize.resize(image, width: size.width, height: size.height, filter: filter)
        }
        // The second step is bicubic whatever the configuration says, as Pillow's thumbnails are.
        let picture = resized(resized(image, first, filter), second, .bicubic)
        var levels = [UInt8](repeating: 0, count: 3 * width * height)
        let content = layout.tiles[0].content
        picture.copy(
            PixelRectangle(x: 0, y: 0, width: picture.width, height: picture.height), into: &levels, tile: 0,
            tileWidth: width, tileHeight: height, atX: content.x, y: content.y)
        return (layout, levels)
    }

    package func process(_ image: RGBImage) throws(MediaError) -> ProcessedImage {
        let (layout, levels) = try resizedPixels(of: image)
        return normalized(levels, layout)
    }

    func normalized(_ levels: [UInt8], _ layout: ImageLayout) -> ProcessedImage {
        ProcessedImage(
            layout: layout, pixelValues: normalization.apply(levels, tileCount: 1, tilePixels: width * height))
    }
}
