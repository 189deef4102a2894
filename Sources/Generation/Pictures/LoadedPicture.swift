import Foundation
import Media
import Models

/// A picture that was read from a file and prepared for a model.
package struct LoadedPicture: Sendable {
    /// The file's name. Untrusted.
    package let name: String
    /// The upright picture.
    package let picture: RGBImage
    package let processed: ProcessedImage
    /// False for a picture that is not of the kind that the model was trained on; nil where the model has no check.
    let isFamiliar: Bool?

    /// - Throws: `MediaError` for what is no picture, or one the model cannot be shown.
    package init(path: String, processor: any ImageProcessor) throws(MediaError) {
        try self.init(path: path, processor: processor, check: nil)
    }

    init(path: String, processor: any ImageProcessor, check: PictureCheck?) throws(MediaError) {
        name = URL(filePath: path).lastPathComponent
        picture = try ImageFile.load(path: path)
        processed = try processor.process(picture)
        isFamiliar = check?.isFamiliar(picture)
    }

    /// The picture for display while the model answers.
    /// - Parameters:
    ///   - index: number of the picture in the conversation, from 0.
    ///   - keys: the picture's own among those `PictureReader.pictureKeys` gives.
    package func input(index: Int, model: any PictureReader, keys: [PatchKey]) -> PictureInput {
        PictureInput(
            index: index, name: name, picture: picture, width: picture.width, height: picture.height,
            kind: model.capabilities.watchedAttention,
            keys: keys, isFamiliar: isFamiliar)
    }
}
