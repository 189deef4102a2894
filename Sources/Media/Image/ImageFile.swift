/// The header of a picture file.
package struct ImageFileInfo: Sendable, Equatable {
    package let format: ImageFormat
    /// Size of the upright picture, after its EXIF orientation.
    package let width: Int
    package let height: Int
    /// The file ends before its container does.
    let isCut: Bool
    let orientation: ImageOrientation
}

package enum ImageFormat: String, Sendable, CaseIterable {
    case jpeg = "JPEG"
    case png = "PNG"
    case webp = "WebP"
    case gif = "GIF"

    /// Detected from the first bytes, not from the file's name.
    init?(signature bytes: [UInt8]) {
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if bytes.starts(with: Array("RIFF".utf8)), bytes.count >= 12, Array(bytes[8..<12]) == Array("WEBP".utf8)
        {
            self = .webp
        } else if bytes.starts(with: "GIF87a".utf8) || bytes.starts(with: "GIF89a".utf8) {
            self = .gif
        } else {
            return nil
        }
    }
}

/// Pictures from files: JPEG, PNG, WebP and GIF, turned upright by their EXIF or XMP orientation, as 8-bit RGB.
///
/// Pixels equal those of Pillow's `exif_transpose(open(path))` behind `convert_to_rgb` of the reference processors: transparent
/// parts are composited on white, palettes and gray are expanded, color profiles are not applied, and only the first frame of
/// an animation is read. One exception: 16-bit gray keeps its upper 8 bits, where Pillow clips above 255 to white.
package enum ImageFile {
    /// Bound on the pixels of a picture (300 MB as RGB).
    package static let defaultMaximumPixels = 100_000_000
    private static let maximumBytes: Int64 = 256 << 20

    /// The header, without decoding.
    package static func info(path: String) throws(MediaError) -> ImageFileInfo {
        try info(of: contents(of: path), path: path)
    }

    /// Decodes a whole picture.
    /// - Throws: `MediaError` if the file is not a readable picture of at most `maximumPixels`.
    package static func load(path: String, maximumPixels: Int = defaultMaximumPixels) throws(MediaError) -> RGBImage {
        try decode(contents(of: path), path: path, maximumPixels: maximumPixels)
    }

    /// Checks the first bytes before reading the whole file, which may be a film.
    private static func contents(of path: String) throws(MediaError) -> [UInt8] {
        let file = try InputFile(path: path)
        let head = try file.bytes(at: 0, count: 64)
        guard ImageFormat(signature: head) != nil else {
            throw ForeignMedia(head: head).map { .foreign(path: path, $0) } ?? .notAnImage(path: path)
        }
        return try file.contents(limit: maximumBytes)
    }

    /// Decodes a picture in memory; `path` is its name in errors.
    package static func decode(
        _ bytes: [UInt8], path: String, maximumPixels: Int = defaultMaximumPixels
    ) throws(MediaError) -> RGBImage {
        let info = try info(of: bytes, path: path)
        let (pixelCount, overflow) = info.width.multipliedReportingOverflow(by: info.height)
        guard !overflow, pixelCount <= maximumPixels else {
            throw .imageTooLarge(path: path, width: info.width, height: info.height, limit: maximumPixels)
        }
        guard !info.isCut else { throw .truncatedImage(path: path, format: info.format.rawValue) }
        let image = try info.format.decoder.decode(bytes, path: path)
        return info.orientation.upright(image)
    }

    static func info(of bytes: [UInt8], path: String) throws(MediaError) -> ImageFileInfo {
        guard let format = ImageFormat(signature: bytes) else { throw .notAnImage(path: path) }
        let (width, height) = try format.decoder.size(of: bytes, path: path)
        guard width > 0, height > 0 else {
            throw .damagedImage(path: path, format: format.rawValue, reason: "it has no pixels")
        }
        let metadata = ImageMetadata(format: format, file: bytes)
        let orientation = ImageOrientation(metadata), swaps = orientation.swapsAxes
        return ImageFileInfo(
            format: format, width: swaps ? height : width, height: swaps ? width : height, isCut: metadata.isCut,
            orientation: orientation)
    }
}

/// A file format's codec. Sizes are as stored, before orientation.
protocol ImageDecoder {
    static func size(of bytes: [UInt8], path: String) throws(MediaError) -> (width: Int, height: Int)
    /// Decodes the picture. Called only if `size` is within bounds.
    static func decode(_ bytes: [UInt8], path: String) throws(MediaError) -> RGBImage
}

extension ImageFormat {
    var decoder: any ImageDecoder.Type {
        switch self {
        case .jpeg: JPEGDecoder.self
        case .png: PNGDecoder.self
        case .webp: WebPDecoder.self
        case .gif: GIFDecoder.self
        }
    }
}
