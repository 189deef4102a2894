import CWebP

/// A decoder of WebP, lossy and lossless. Of an animation it decodes the first frame, on the canvas.
enum WebPDecoder: ImageDecoder {
    static func size(of bytes: [UInt8], path: String) throws(MediaError) -> (width: Int, height: Int) {
        let features = try features(of: bytes, path: path)
        return (Int(features.width), Int(features.height))
    }

    static func decode(_ bytes: [UInt8], path: String) throws(MediaError) -> RGBImage {
        let features = try features(of: bytes, path: path)
        return features.has_animation != 0 ? try firstFrame(bytes, path: path) : try still(bytes, features, path: path)
    }

    private static func still(_ bytes: [UInt8], _ features: WebPBitstreamFeatures, path: String) throws(MediaError)
        -> RGBImage
    {
        let width = Int(features.width), height = Int(features.height)
        var configuration = WebPDecoderConfig()
        guard WebPInitDecoderConfig(&configuration) != 0 else {
            throw .unreadable(path: path, reason: "this libwebp has another interface than the one compiled for")
        }
        configuration.output.colorspace = MODE_RGBA
        configuration.output.is_external_memory = 1
        var status = VP8_STATUS_OK
        let image = RGBImage(onWhiteWidth: width, height: height) { pixels in
            configuration.output.u.RGBA.rgba = pixels.baseAddress
            configuration.output.u.RGBA.stride = Int32(width * 4)
            configuration.output.u.RGBA.size = pixels.count
            status = bytes.withUnsafeBufferPointer { WebPDecode($0.baseAddress, $0.count, &configuration) }
        }
        WebPFreeDecBuffer(&configuration.output)
        guard status == VP8_STATUS_OK else { throw error(status, path: path) }
        return image
    }

    private static func firstFrame(_ bytes: [UInt8], path: String) throws(MediaError) -> RGBImage {
        let image: RGBImage? = bytes.withUnsafeBufferPointer { buffer in
            var data = WebPData(bytes: buffer.baseAddress, size: buffer.count)
            guard let decoder = WebPAnimDecoderNew(&data, nil) else { return nil }
            defer { WebPAnimDecoderDelete(decoder) }
            var info = WebPAnimInfo()
            var canvas: UnsafeMutablePointer<UInt8>?
            var timestamp: Int32 = 0
            guard WebPAnimDecoderGetInfo(decoder, &info) != 0,
                WebPAnimDecoderGetNext(decoder, &canvas, &timestamp) != 0,
                let canvas
            else { return nil }
            let width = Int(info.canvas_width), height = Int(info.canvas_height)
            return RGBImage(onWhiteWidth: width, height: height) { pixels in
                _ = pixels.initialize(from: UnsafeBufferPointer(start: canvas, count: pixels.count))
            }
        }
        guard let image else {
            throw .damagedImage(path: path, format: "WebP", reason: "the animation has no readable first picture")
        }
        return image
    }

    private static func features(of bytes: [UInt8], path: String) throws(MediaError) -> WebPBitstreamFeatures {
        var features = WebPBitstreamFeatures()
        let status = bytes.withUnsafeBufferPointer { WebPGetFeatures($0.baseAddress, $0.count, &features) }
        guard status == VP8_STATUS_OK else { throw error(status, path: path) }
        return features
    }

    private static func error(_ status: VP8StatusCode, path: String) -> MediaError {
        switch status {
        case VP8_STATUS_NOT_ENOUGH_DATA, VP8_STATUS_SUSPENDED: .truncatedImage(path: path, format: "WebP")
        case VP8_STATUS_OUT_OF_MEMORY: .unreadable(path: path, reason: "not enough memory")
        case VP8_STATUS_UNSUPPORTED_FEATURE: .unsupportedImage(path: path, format: "WebP", reason: "a newer feature")
        default: .damagedImage(path: path, format: "WebP", reason: "its bitstream contradicts itself")
        }
    }
}
