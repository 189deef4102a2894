import Foundation
import JSON
import Media

/// Readers of pictures, sound and the settings of image processors.
extension FuzzParser {
    static var media: [FuzzParser] {
        [
            picture("png", form: .framed(PNGFraming())), picture("jpeg"), picture("webp", form: .framed(RIFFFraming())),
            processor, sound("wave", form: .framed(RIFFFraming())), sound("ogg", form: .framed(OggFraming())),
            sound("audio"),
        ]
    }

    private static func picture(_ name: String, form: InputForm = .bytes) -> FuzzParser {
        let folder = ScratchFolder()
        return FuzzParser(name: name, form: form) { input in
            let file = try folder.write(input, to: "picture")
            let info = try ImageFile.info(path: file)
            // A smaller bound than the product's, for speed; a reader must not allocate before it is checked.
            let image = try ImageFile.load(path: file, maximumPixels: 1 << 18)
            precondition(image.width == info.width && image.height == info.height)
            precondition(image.pixels.count == image.width * image.height * 3)
        }
    }

    /// `preprocessor_config.json`, applied to a small picture.
    private static let processor = FuzzParser(name: "image-processor", form: .json) { input in
        let file = try JSONReader(parsing: input, file: "preprocessor_config.json")
        let processor = try ImageProcessors.make(ImageProcessorConfiguration(file), fallback: "ViT")
        let (width, height) = (40, 28)
        let layout = try processor.layout(width: width, height: height)
        _ = try? processor.layout(width: 1, height: 1 << 20)
        guard layout.tiles.count * layout.tileWidth * layout.tileHeight <= 1 << 18 else { return }
        let pixels = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        _ = try processor.process(RGBImage(width: width, height: height, pixels: pixels))
    }

    private static func sound(_ name: String, form: InputForm = .bytes) -> FuzzParser {
        let folder = ScratchFolder()
        return FuzzParser(name: name, form: form) { input in
            let file = try folder.write(input, to: "sound")
            _ = try? AudioFile.info(path: file)
            let sound = try AudioFile.load(path: file, maximumSeconds: 20, acceptTruncated: true)
            precondition(sound.samples.allSatisfy { $0.isFinite })
        }
    }
}
