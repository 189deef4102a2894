/// A processor of pictures for a vision tower, equal to the class of transformers that a checkpoint names.
package protocol ImageProcessor: Sendable {
    init(_ configuration: ImageProcessorConfiguration) throws(MediaError)

    /// The layout of a picture of this size.
    /// - Throws: `MediaError.invalidParameter` for a size below 1.
    func layout(width: Int, height: Int) throws(MediaError) -> ImageLayout

    /// The picture resized, cropped, padded and cut, before normalization: `[slotCount, 3, tileHeight, tileWidth]`.
    func resizedPixels(of image: RGBImage) throws(MediaError) -> (layout: ImageLayout, levels: [UInt8])

    /// The normalized pixels `[slotCount, 3, tileHeight, tileWidth]` and their layout.
    func process(_ image: RGBImage) throws(MediaError) -> ProcessedImage
}

/// The processors by their names in checkpoints.
package enum ImageProcessors {
    private static let types: [String: any ImageProcessor.Type] = [
        "CLIP": CLIPImageProcessor.self, "ViT": ViTImageProcessor.self, "DeiT": DeiTImageProcessor.self,
        "Blip": BlipImageProcessor.self,
        "Mllama": MllamaImageProcessor.self, "Idefics3": Idefics3ImageProcessor.self,
        "SmolVLM": Idefics3ImageProcessor.self, "Donut": DonutImageProcessor.self,
        "Nougat": NougatImageProcessor.self,
    ]

    /// The processor that a configuration names.
    /// - Parameter fallback: the name for configurations without one ("ViT" for the oldest checkpoints)
    /// - Throws: `MediaError.invalidParameter` for an unknown processor or settings it cannot have.
    package static func make(_ configuration: ImageProcessorConfiguration, fallback: String? = nil) throws(MediaError)
        -> any ImageProcessor
    {
        let name = configuration.type ?? fallback ?? "absent"
        guard let type = types[name] else {
            throw .invalidParameter(
                name: "image_processor_type", value: name, expected: types.keys.sorted().joined(separator: ", "))
        }
        return try type.init(configuration)
    }
}

// MARK: - Checks shared by the processors

/// Bounds on sizes from downloaded files.
enum ProcessorLimits {
    static let edge = 1...4096
    static let tiles = 1...64

    static func check(_ value: Int?, name: String, in range: ClosedRange<Int> = edge) throws(MediaError) -> Int {
        guard let value, range.contains(value) else {
            throw .invalidParameter(
                name: name, value: value.map { "\($0)" } ?? "absent",
                expected: "\(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    static func check(imageWidth width: Int, height: Int) throws(MediaError) {
        _ = try check(width, name: "picture width", in: 1...1 << 30)
        _ = try check(height, name: "picture height", in: 1...1 << 30)
    }

    /// Pixels of what a model reads, all tiles together (200 MB as float32).
    static let largestInput = 1 << 24

    /// Bounds the pixels of a picture on its way to the model: by default as those of files are bounded.
    static func check(pixels: Int, of name: String, limit: Int = ImageFile.defaultMaximumPixels) throws(MediaError) {
        guard pixels <= limit else {
            throw .invalidParameter(
                name: "\(name), resized,", value: "\(pixels) pixels", expected: "at most \(limit)")
        }
    }

    static func filter(_ number: Int?, default filter: ResampleFilter) throws(MediaError) -> ResampleFilter {
        guard let number else { return filter }
        guard let named = ResampleFilter(rawValue: number) else {
            throw .invalidParameter(name: "resample", value: "\(number)", expected: "0 to 5")
        }
        return named
    }
}

extension RGBImage {
    /// Copies a part of the picture into a `[3, tileHeight, tileWidth]` tile of `levels`.
    func copy(
        _ part: PixelRectangle, into levels: inout [UInt8], tile: Int, tileWidth: Int, tileHeight: Int, atX: Int,
        y atY: Int
    ) {
        let plane = tileWidth * tileHeight
        levels.withUnsafeMutableBufferPointer { levels in
            pixels.withUnsafeBufferPointer { pixels in
                for y in 0..<part.height {
                    var source = ((part.y + y) * width + part.x) * 3
                    var target = tile * 3 * plane + (atY + y) * tileWidth + atX
                    for _ in 0..<part.width {
                        levels[target] = pixels[source]
                        levels[target + plane] = pixels[source + 1]
                        levels[target + 2 * plane] = pixels[source + 2]
                        source += 3
                        target += 1
                    }
                }
            }
        }
    }
}
