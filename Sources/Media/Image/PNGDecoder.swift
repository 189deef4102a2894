import CMediaShims

/// A decoder of PNG, all color types and depths, interlaced or not, by libpng.
enum PNGDecoder: ImageDecoder {
    static func size(of bytes: [UInt8], path: String) throws(MediaError) -> (width: Int, height: Int) {
        var info = FoveaPNGInfo()
        let status = bytes.withUnsafeBufferPointer { fovea_png_info($0.baseAddress, $0.count, &info) }
        try check(status, info, path: path)
        return (Int(info.width), Int(info.height))
    }

    static func decode(_ bytes: [UInt8], path: String) throws(MediaError) -> RGBImage {
        let (width, height) = try size(of: bytes, path: path)
        var info = FoveaPNGInfo()
        var status = Int32(FOVEA_PNG_OK)
        let image = RGBImage(onWhiteWidth: width, height: height) { pixels in
            status = bytes.withUnsafeBufferPointer {
                fovea_png_decode($0.baseAddress, $0.count, pixels.baseAddress, pixels.count, &info)
            }
        }
        try check(status, info, path: path)
        return image
    }

    private static func check(_ status: Int32, _ info: FoveaPNGInfo, path: String) throws(MediaError) {
        switch Int(status) {
        case FOVEA_PNG_OK: return
        case FOVEA_PNG_TRUNCATED: throw .truncatedImage(path: path, format: "PNG")
        case FOVEA_PNG_NO_MEMORY: throw .unreadable(path: path, reason: "not enough memory")
        default:
            let message = withUnsafeBytes(of: info.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            throw .damagedImage(path: path, format: "PNG", reason: message)
        }
    }
}
