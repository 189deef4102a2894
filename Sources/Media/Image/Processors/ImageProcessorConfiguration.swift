import JSON

/// The image settings of `preprocessor_config.json`. Absent ones are `nil`; each processor has its own defaults.
package struct ImageProcessorConfiguration: Sendable, Equatable {
    /// `image_processor_type` or, in older files, `feature_extractor_type`, without the endings that name an implementation.
    package var type: String?
    package var size: Size?
    package var cropSize: Size?
    package var maxImageSize: Size?
    package var resample: Int?
    package var doResize: Bool?
    package var doCenterCrop: Bool?
    package var doRescale: Bool?
    package var rescaleFactor: Double?
    package var doNormalize: Bool?
    package var imageMean: [Double]?
    package var imageStd: [Double]?
    package var maxImageTiles: Int?
    package var doImageSplitting: Bool?
    package var doThumbnail: Bool?
    package var doAlignLongAxis: Bool?
    package var doPad: Bool?
    package var doCropMargin: Bool?

    /// A size in one of the forms files use: `{"height": …, "width": …}`, `{"shortest_edge": …}`, `{"longest_edge": …}`, or
    /// a number, which means a square or (CLIP) the shortest edge.
    package struct Size: Sendable, Equatable {
        package var height: Int?
        package var width: Int?
        package var shortestEdge: Int?
        package var longestEdge: Int?
        package var number: Int?

        package init(
            height: Int? = nil, width: Int? = nil, shortestEdge: Int? = nil, longestEdge: Int? = nil, number: Int? = nil
        ) {
            self.height = height
            self.width = width
            self.shortestEdge = shortestEdge
            self.longestEdge = longestEdge
            self.number = number
        }

        var text: String {
            let parts = [
                ("height", height), ("width", width), ("shortest_edge", shortestEdge), ("longest_edge", longestEdge),
                ("", number),
            ]
            return parts.compactMap { name, value in value.map { name.isEmpty ? "\($0)" : "\(name) \($0)" } }.joined(
                separator: ", ")
        }
    }

    package init(type: String? = nil) { self.type = type }

    /// Reads the image-processor settings of a model: `ModelConfiguration.preprocessor`.
    package init(_ file: JSONReader) throws {
        let name = try file.stringIfPresent("image_processor_type") ?? file.stringIfPresent("feature_extractor_type")
        type = name.map(Self.baseName)
        size = try Size("size", in: file)
        cropSize = try Size("crop_size", in: file)
        maxImageSize = try Size("max_image_size", in: file)
        resample = try file.intIfPresent("resample")
        doResize = try file.boolIfPresent("do_resize")
        doCenterCrop = try file.boolIfPresent("do_center_crop")
        doRescale = try file.boolIfPresent("do_rescale")
        rescaleFactor = try file.doubleIfPresent("rescale_factor")
        doNormalize = try file.boolIfPresent("do_normalize")
        imageMean = try file.doublesIfPresent("image_mean")
        imageStd = try file.doublesIfPresent("image_std")
        maxImageTiles = try file.intIfPresent("max_image_tiles")
        doImageSplitting = try file.boolIfPresent("do_image_splitting")
        doThumbnail = try file.boolIfPresent("do_thumbnail")
        doAlignLongAxis = try file.boolIfPresent("do_align_long_axis")
        doPad = try file.boolIfPresent("do_pad")
        doCropMargin = try file.boolIfPresent("do_crop_margin")
    }

    /// "CLIPImageProcessorFast", "CLIPFeatureExtractor" → "CLIP".
    private static func baseName(_ name: String) -> String {
        var name = Substring(name)
        for ending in ["Fast", "Pil", "ImageProcessor", "FeatureExtractor"] where name.hasSuffix(ending) {
            name = name.dropLast(ending.count)
        }
        return String(name)
    }
}

extension ImageProcessorConfiguration.Size {
    init?(_ key: String, in file: JSONReader) throws(JSONError) {
        guard let size = try file.memberIfPresent(key) else { return nil }
        if let number = size.value.intValue {
            self.init(number: number)
        } else {
            self.init(
                height: try size.intIfPresent("height"), width: try size.intIfPresent("width"),
                shortestEdge: try size.intIfPresent("shortest_edge"), longestEdge: try size.intIfPresent("longest_edge")
            )
        }
    }
}
