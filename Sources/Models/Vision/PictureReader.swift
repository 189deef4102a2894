import Checkpoint
import Compute
import AttentionTypes
import NumberFormats
import Foundation
import Media

/// A model that reads pictures, as sessions and the attention panel use it.
package protocol PictureReader: Model {
    /// Largest number of pictures the model holds at once; nil where only the context limits them.
    var mostPictures: Int? { get }

    /// Text that stands for a picture in a prompt, and is replaced by `pictureText`; nil where prompts do not
    /// mention pictures.
    var picturePlaceholder: String? { get }

    /// The text that takes the placeholder's place for a picture cut like this.
    func pictureText(for layout: ImageLayout) -> String

    /// Tokens of the decoder that the picture's own rows take; 0 where pictures are no tokens.
    func pictureTokens(for layout: ImageLayout) -> Int

    /// The token that stands for a picture or a part of one in a prompt; nil where prompts do not mention pictures.
    var pictureToken: Int? { get }

    /// True for a special token that is part of answers, such as a place in the picture or a field's name.
    func isAnswerText(_ piece: String) -> Bool

    /// Device memory that a picture takes once it is read, beyond what loading takes.
    func pictureBuffers(for layout: ImageLayout) -> [PlannedBuffer]

    /// Makes these the model's pictures, in the order of the prompt. The first `count` are what it has already read and
    /// are kept as they are; the rest is read now. Texts that saw other pictures have to run again.
    /// - Throws: `TransformerError.notLoaded`, `TransformerError.inputShape` for pixels of another size than the model reads.
    func readPictures(_ pictures: [ProcessedImage], keeping count: Int) throws

    /// Keys of the watched attention that stand for which part of which picture, ascending.
    /// - Parameters:
    ///   - layouts: of the model's pictures, in order.
    ///   - tokens: the whole prompt, pictures' tokens included.
    /// - Returns: the keys of each picture.
    func pictureKeys(_ layouts: [ImageLayout], in tokens: [Int]) -> [[PatchKey]]

    /// The processor's name where the files do not give one: "CLIP", "ViT".
    static var defaultImageProcessor: String { get }

    /// The processor that prepares pictures as the model was trained with.
    /// - Throws: `CheckpointError`, `MediaError` for files that do not say what it is.
    static func imageProcessor(of files: ModelFiles) throws -> any ImageProcessor
}

extension PictureReader {
    package var pictureReader: (any PictureReader)? { self }
    package var capabilities: ModelCapabilities {
        .init(inputs: [.prompt, .pictures], watchedAttention: .selfAttention)
    }

    /// Encodes a small dummy picture. Without image-processor settings there is none: such files answer texts alone.
    /// - Returns: the tokens that stand for it.
    package func encodeSample(of files: ModelFiles) throws -> [Int] {
        guard files.projector != nil || files.configuration?.preprocessor.members.isEmpty == false else { return [] }
        let layout = try imageProcessor(of: files).layout(width: 8, height: 8)
        let pixels = [Float](repeating: 0, count: layout.valueCount)
        try readPictures([ProcessedImage(layout: layout, pixelValues: pixels)], keeping: 0)
        return promptTokens(for: layout)
    }

    /// Tokens that stand for a picture in a prompt: one for each of its rows, or one for all of it.
    package func promptTokens(for layout: ImageLayout) -> [Int] {
        pictureToken.map { Array(repeating: $0, count: max(1, pictureTokens(for: layout))) } ?? []
    }

    /// The pictures of an input; none of no input.
    func pictures(of input: ModelInput?) throws -> [ProcessedImage] {
        guard let input else { return [] }
        guard case .pictures(let list, _) = input else {
            throw ModelError.unsupportedInput(model: family, input: input.kind)
        }
        return list
    }

    /// The processor that prepares this model's pictures.
    package func imageProcessor(of files: ModelFiles) throws -> any ImageProcessor {
        try Self.imageProcessor(of: files)
    }

    package var pictureToken: Int? { nil }
    package func isAnswerText(_ piece: String) -> Bool { false }
    package func pictureBuffers(for layout: ImageLayout) -> [PlannedBuffer] { [] }

    package static func imageProcessor(of files: ModelFiles) throws -> any ImageProcessor {
        try ImageProcessors.make(try ImageProcessorConfiguration(of: files), fallback: defaultImageProcessor)
    }
}

extension ImageProcessorConfiguration {
    /// The image-processor settings of a model's configuration.
    init(of files: ModelFiles) throws {
        guard let file = files.configuration?.preprocessor, !file.members.isEmpty else {
            throw ModelError.configuration(
                file: files.path, key: "preprocessor_config.json",
                problem:
                    "the file is missing. It holds the image-processor settings: fetch it from where the model came from."
            )
        }
        try self.init(file)
    }
}
