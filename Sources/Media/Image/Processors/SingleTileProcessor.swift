/// A processor that resizes, optionally crops the center, and normalizes: CLIP, ViT, DeiT and BLIP with other defaults.
struct SingleTileProcessor: Sendable {
    enum Resize: Sendable, Equatable {
        case none
        case exactly(width: Int, height: Int)
        /// The shorter edge gets this length, the longer one keeps the aspect ratio (truncated).
        case shortestEdge(Int)
    }

    let resize: Resize
    let crop: (width: Int, height: Int)?
    let filter: ResampleFilter
    let normalization: PixelNormalization

    struct Defaults {
        var size: ImageProcessorConfiguration.Size
        var crop: Int?
        var filter: ResampleFilter
        var statistics: (mean: [Double], std: [Double])
        /// True if a bare number is the shortest edge, false if it is the side of a square.
        var numberIsShortestEdge = false
    }

    init(_ configuration: ImageProcessorConfiguration, _ defaults: Defaults) throws(MediaError) {
        let size = configuration.size ?? defaults.size
        if configuration.doResize == false {
            resize = .none
        } else if let edge = size.shortestEdge ?? (defaults.numberIsShortestEdge ? size.number : nil),
            size.longestEdge == nil
        {
            resize = .shortestEdge(try ProcessorLimits.check(edge, name: "size.shortest_edge"))
        } else if size.longestEdge != nil {
            throw .invalidParameter(
                name: "size", value: size.text, expected: "height and width, or shortest_edge alone")
        } else {
            resize = .exactly(
                width: try ProcessorLimits.check(size.width ?? size.number, name: "size.width"),
                height: try ProcessorLimits.check(size.height ?? size.number, name: "size.height"))
        }
        if configuration.doCenterCrop ?? (defaults.crop != nil) {
            let size = configuration.cropSize ?? ImageProcessorConfiguration.Size(number: defaults.crop)
            crop = (
                try ProcessorLimits.check(size.width ?? size.number, name: "crop_size.width"),
                try ProcessorLimits.check(size.height ?? size.number, name: "crop_size.height")
            )
        } else {
            crop = nil
        }
        filter = try ProcessorLimits.filter(configuration.resample, default: defaults.filter)
        normalization = try PixelNormalization(configuration, defaults: defaults.statistics)
    }

    /// The size after resizing and before cropping.
    private func resizedSize(_ width: Int, _ height: Int) throws(MediaError) -> (width: Int, height: Int) {
        try ProcessorLimits.check(imageWidth: width, height: height)
        switch resize {
        case .none: return (width, height)
        case .exactly(let width, let height): return (width, height)
        case .shortestEdge(let edge):
            let short = min(width, height), long = max(width, height)
            let newLong = Int(Double(edge * long) / Double(short))
            // With a crop only the middle is computed; without one the whole strip would have to be held.
            if crop == nil {
                try ProcessorLimits.check(
                    pixels: edge * newLong, of: "picture of \(width)×\(height)", limit: ProcessorLimits.largestInput)
            }
            return width <= height ? (edge, newLong) : (newLong, edge)
        }
    }

    /// The range of `size` pixels within `crop`: a tile shorter than the crop is centered (padding rounds up before it).
    private func offset(of size: Int, in crop: Int) -> Int {
        size < crop ? (crop - size + 1) / 2 : -((size - crop) / 2)
    }

    func layout(width: Int, height: Int) throws(MediaError) -> ImageLayout {
        let resized = try resizedSize(width, height)
        let tile = crop ?? resized
        let x = offset(of: resized.width, in: tile.width), y = offset(of: resized.height, in: tile.height)
        let scaleX = Double(width) / Double(resized.width), scaleY = Double(height) / Double(resized.height)
        let content = PixelRectangle(
            x: max(0, x), y: max(0, y), width: min(tile.width, resized.width), height: min(tile.height, resized.height))
        let geometry = TileGeometry(
            originX: -Double(x) * scaleX, originY: -Double(y) * scaleY, scaleX: scaleX, scaleY: scaleY, content: content
        )
        return ImageLayout(
            imageWidth: width, imageHeight: height, tileWidth: tile.width, tileHeight: tile.height, tiles: [geometry],
            slotCount: 1,
            rows: 1, columns: 1, endsWithWholePicture: false, aspectRatioID: nil)
    }

    func resizedPixels(of image: RGBImage) throws(MediaError) -> (layout: ImageLayout, levels: [UInt8]) {
        let layout = try layout(width: image.width, height: image.height)
        let resized = try resizedSize(image.width, image.height)
        let content = layout.tiles[0].content
        // Only the part that the crop keeps is computed.
        let window = PixelRectangle(
            x: max(0, -offset(of: resized.width, in: layout.tileWidth)),
            y: max(0, -offset(of: resized.height, in: layout.tileHeight)),
            width: content.width, height: content.height)
        let picture = ImageResize.resize(
            image, width: resized.width, height: resized.height, filter: filter, window: window)
        var levels = [UInt8](repeating: 0, count: 3 * layout.tileWidth * layout.tileHeight)
        picture.copy(
            PixelRectangle(x: 0, y: 0, width: picture.width, height: picture.height), into: &levels, tile: 0,
            tileWidth: layout.tileWidth, tileHeight: layout.tileHeight, atX: content.x, y: content.y)
        return (layout, levels)
    }

    func process(_ image: RGBImage) throws(MediaError) -> ProcessedImage {
        let (layout, levels) = try resizedPixels(of: image)
        return ProcessedImage(
            layout: layout,
            pixelValues: normalization.apply(levels, tileCount: 1, tilePixels: layout.tileWidth * layout.tileHeight))
    }
}

/// A processor that is a `SingleTileProcessor` with other defaults.
protocol SingleTileImageProcessor: ImageProcessor {
    var processor: SingleTileProcessor { get }
}

extension SingleTileImageProcessor {
    package func layout(width: Int, height: Int) throws(MediaError) -> ImageLayout {
        try processor.layout(width: width, height: height)
    }
    package func resizedPixels(of image: RGBImage) throws(MediaError) -> (layout: ImageLayout, levels: [UInt8]) {
        try processor.resizedPixels(of: image)
    }
    package func process(_ image: RGBImage) throws(MediaError) -> ProcessedImage { try processor.process(image) }
}

/// The processor of CLIP and LLaVA 1.5: shortest edge by bicubic, then a center crop.
package struct CLIPImageProcessor: SingleTileImageProcessor {
    let processor: SingleTileProcessor
    package init(_ configuration: ImageProcessorConfiguration) throws(MediaError) {
        processor = try SingleTileProcessor(
            configuration,
            .init(
                size: .init(shortestEdge: 224), crop: 224, filter: .bicubic, statistics: PixelNormalization.clip,
                numberIsShortestEdge: true))
    }
}

/// The processor of ViT and TrOCR: stretched to a square by bilinear.
package struct ViTImageProcessor: SingleTileImageProcessor {
    let processor: SingleTileProcessor
    package init(_ configuration: ImageProcessorConfiguration) throws(MediaError) {
        processor = try SingleTileProcessor(
            configuration, .init(size: .init(number: 224), filter: .bilinear, statistics: PixelNormalization.standard))
    }
}

/// The processor of DeiT and some TrOCR checkpoints: stretched to 256 by bicubic, then a center crop.
package struct DeiTImageProcessor: SingleTileImageProcessor {
    let processor: SingleTileProcessor
    package init(_ configuration: ImageProcessorConfiguration) throws(MediaError) {
        processor = try SingleTileProcessor(
            configuration,
            .init(size: .init(number: 256), crop: 224, filter: .bicubic, statistics: PixelNormalization.standard))
    }
}

/// The processor of BLIP: stretched to a square by bicubic.
package struct BlipImageProcessor: SingleTileImageProcessor {
    let processor: SingleTileProcessor
    package init(_ configuration: ImageProcessorConfiguration) throws(MediaError) {
        processor = try SingleTileProcessor(
            configuration, .init(size: .init(number: 384), filter: .bicubic, statistics: PixelNormalization.clip))
    }
}
