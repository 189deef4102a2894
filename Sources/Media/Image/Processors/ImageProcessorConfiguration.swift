import Foundation

/// The fields of `preprocessor_config.json` that concern pictures. Absent ones are nil; each processor has its own defaults.
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

    /// A size as the files write it: `{"height": …, "width": …}`, `{"shortest_edge": …}`, `{"longest_edge": …}`, or a number,
    /// which means a square or (CLIP) the shortest edge.
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

    /// Reads a `preprocessor_config.json`.
    /// - Throws: `MediaError.invalidParameter` naming what is wrong with it.
    package init(json: Data) throws(MediaError) {
        do {
            self = try JSONDecoder().decode(Self.self, from: json)
        } catch let DecodingError.typeMismatch(_, context), let DecodingError.valueNotFound(_, context) {
            let name = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw .invalidParameter(
                name: "preprocessor_config.json", value: "of another form at “\(name)”",
                expected: "what transformers writes there")
        } catch {
            throw .invalidParameter(name: "preprocessor_config.json", value: "not JSON", expected: "a JSON object")
        }
    }
}

extension ImageProcessorConfiguration: Decodable {
    private enum CodingKeys: String, CodingKey {
        case imageProcessorType = "image_processor_type", featureExtractorType = "feature_extractor_type"
        case size, cropSize = "crop_size", maxImageSize = "max_image_size", resample
        case doResize = "do_resize", doCenterCrop = "do_center_crop", doRescale = "do_rescale", rescaleFactor =
            "rescale_factor"
        case doNormalize = "do_normalize", imageMean = "image_mean", imageStd = "image_std"
        case maxImageTiles = "max_image_tiles", doImageSplitting = "do_image_splitting"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let name = try values.decodeIfPresent(String.self, forKey: .imageProcessorType)
        type = try (name ?? values.decodeIfPresent(String.self, forKey: .featureExtractorType)).map(Self.baseName)
        size = try values.decodeIfPresent(Size.self, forKey: .size)
        cropSize = try values.decodeIfPresent(Size.self, forKey: .cropSize)
        maxImageSize = try values.decodeIfPresent(Size.self, forKey: .maxImageSize)
        resample = try values.decodeIfPresent(Int.self, forKey: .resample)
        doResize = try values.decodeIfPresent(Bool.self, forKey: .doResize)
        doCenterCrop = try values.decodeIfPresent(Bool.self, forKey: .doCenterCrop)
        doRescale = try values.decodeIfPresent(Bool.self, forKey: .doRescale)
        rescaleFactor = try values.decodeIfPresent(Double.self, forKey: .rescaleFactor)
        doNormalize = try values.decodeIfPresent(Bool.self, forKey: .doNormalize)
        imageMean = try values.decodeIfPresent([Double].self, forKey: .imageMean)
        imageStd = try values.decodeIfPresent([Double].self, forKey: .imageStd)
        maxImageTiles = try values.decodeIfPresent(Int.self, forKey: .maxImageTiles)
        doImageSplitting = try values.decodeIfPresent(Bool.self, forKey: .doImageSplitting)
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

extension ImageProcessorConfiguration.Size: Decodable {
    private enum CodingKeys: String, CodingKey {
        case height, width, shortestEdge = "shortest_edge", longestEdge = "longest_edge"
    }

    package init(from decoder: any Decoder) throws {
        if let number = try? decoder.singleValueContainer().decode(Int.self) {
            self.init(number: number)
            return
        }
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            height: try values.decodeIfPresent(Int.self, forKey: .height),
            width: try values.decodeIfPresent(Int.self, forKey: .width),
            shortestEdge: try values.decodeIfPresent(Int.self, forKey: .shortestEdge),
            longestEdge: try values.decodeIfPresent(Int.self, forKey: .longestEdge))
    }
}
