import CTurboJpeg

/// A decoder of baseline and progressive JPEG in gray, YCbCr, RGB, CMYK and YCCK: libjpeg-turbo with Pillow's settings
/// (accurate DCT, smooth upsampling), for the same pixels.
enum JPEGDecoder: ImageDecoder {
    static func size(of bytes: [UInt8], path: String) throws(MediaError) -> (width: Int, height: Int) {
        let session = try Session(path: path)
        let header = try session.header(of: bytes)
        return (header.width, header.height)
    }

    static func decode(_ bytes: [UInt8], path: String) throws(MediaError) -> RGBImage {
        let session = try Session(path: path)
        let header = try session.header(of: bytes)
        let isCMYK = header.colorSpace == Int32(TJCS_CMYK.rawValue) || header.colorSpace == Int32(TJCS_YCCK.rawValue)
        let format = isCMYK ? TJPF_CMYK : TJPF_RGB
        let decoded = try session.pixels(of: bytes, header: header, format: format, channels: isCMYK ? 4 : 3)
        return RGBImage(
            width: header.width, height: header.height, pixels: isCMYK ? rgb(fromInvertedCMYK: decoded) : decoded)
    }

    /// RGB of CMYK: (255 − ink) · (255 − black) / 255. Adobe's files store 255 − ink.
    private static func rgb(fromInvertedCMYK cmyk: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: cmyk.count / 4 * 3) { rgb, filled in
            for pixel in 0..<cmyk.count / 4 {
                let light = Int(cmyk[4 * pixel + 3])
                for channel in 0..<3 {
                    let ink = 255 - Int(cmyk[4 * pixel + channel])
                    // ink · light / 255, rounded, without a division.
                    let product = ink * light + 128
                    rgb[3 * pixel + channel] = UInt8(clamping: light - ((product >> 8) + product) >> 8)
                }
            }
            filled = cmyk.count / 4 * 3
        }
    }

    /// True if the end-of-image marker follows the first scan (a preview in the header has its own).
    fileprivate static func hasEnd(_ bytes: [UInt8]) -> Bool {
        var offset = 2
        while offset + 4 <= bytes.count, bytes[offset] == 0xFF, bytes[offset + 1] != 0xDA {
            offset += bytes[offset + 1] == 0xFF ? 1 : 2 + (Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3]))
        }
        // Usually at the very end.
        var i = bytes.count - 2
        while i > offset {
            if bytes[i] == 0xFF, bytes[i + 1] == 0xD9 { return true }
            i -= 1
        }
        return false
    }

    private struct Header {
        var width = 0
        var height = 0
        var colorSpace: Int32 = 0
    }

    private final class Session {
        private let handle: tjhandle
        private let path: String

        init(path: String) throws(MediaError) {
            guard let handle = tjInitDecompress() else { throw .unreadable(path: path, reason: "not enough memory") }
            self.handle = handle
            self.path = path
        }

        deinit { tjDestroy(handle) }

        func header(of bytes: [UInt8]) throws(MediaError) -> Header {
            var width: Int32 = 0, height: Int32 = 0, subsampling: Int32 = 0, colorSpace: Int32 = 0
            let status = bytes.withUnsafeBufferPointer {
                tjDecompressHeader3(handle, $0.baseAddress, UInt($0.count), &width, &height, &subsampling, &colorSpace)
            }
            if status != 0 { try check(bytes) }
            return Header(width: Int(width), height: Int(height), colorSpace: colorSpace)
        }

        func pixels(of bytes: [UInt8], header: Header, format: TJPF, channels: Int) throws(MediaError) -> [UInt8] {
            var status: Int32 = 0
            // A progressive file may repeat scans indefinitely, and each costs a pass over the picture.
            let flags = Int32(TJFLAG_ACCURATEDCT) | Int32(TJFLAG_LIMITSCANS)
            let result = [UInt8](unsafeUninitializedCapacity: header.width * header.height * channels) {
                pixels, filled in
                pixels.initialize(repeating: 0)
                status = bytes.withUnsafeBufferPointer {
                    tjDecompress2(
                        handle, $0.baseAddress, UInt($0.count), pixels.baseAddress, Int32(header.width), 0,
                        Int32(header.height), Int32(format.rawValue), flags)
                }
                filled = pixels.count
            }
            if status != 0 { try check(bytes) }
            return result
        }

        /// The error of a failed call. After warnings (stray bytes, a wrong code) the picture is usable, unless its end is
        /// missing: libjpeg fills missing parts with gray.
        private func check(_ bytes: [UInt8]) throws(MediaError) {
            let reason = String(cString: tjGetErrorStr2(handle))
            if !JPEGDecoder.hasEnd(bytes) { throw .truncatedImage(path: path, format: "JPEG") }
            if tjGetErrorCode(handle) == Int32(TJERR_WARNING.rawValue) { return }
            if reason.contains("nsupported") || reason.contains("not supported") {
                throw .unsupportedImage(path: path, format: "JPEG", reason: reason)
            }
            throw .damagedImage(path: path, format: "JPEG", reason: reason)
        }
    }
}
