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

    /// Encodes a small dummy picture, where the files say how pictures are prepared.
    /// - Returns: the tokens that stand for it.
    package func encodeSample(of files: ModelFiles) throws -> [Int] {
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

/// One key of attention to a picture.
package struct PatchKey: Sendable, Equatable {
    package enum Content: Sendable, Equatable {
        /// A patch, or several merged to one token, of its tile's grid.
        case patch(row: Int, column: Int)
        case classToken
        /// Shows nothing of the picture.
        case padding
    }

    /// Column in the attention rows.
    package var key: Int
    /// Tile of the picture, from 0; the whole picture once more, where a model sees it also small, after all others.
    package var tile: Int
    package var content: Content
    /// Area of the upright picture that it covers, in pixels; nil except for patches.
    package var rectangle: PictureRectangle?
    /// True where the tile is the whole picture once more, beside tiles that show it in detail.
    package var isOverview: Bool

    package init(key: Int, tile: Int, content: Content, rectangle: PictureRectangle? = nil, isOverview: Bool = false) {
        self.key = key
        self.tile = tile
        self.content = content
        self.rectangle = rectangle
        self.isOverview = isOverview
    }

    /// The keys of one tile in a row: class tokens, where there are some, then the patches row by row.
    /// - Parameters:
    ///   - patchSize: pixels of a patch; of all that are merged where tokens are merged patches.
    ///   - grid: rows and columns of patches; as many as fit the tile by default.
    ///   - first: the first one's key.
    static func keys(
        ofTile tile: Int, in layout: ImageLayout, patchSize: Int, grid: (rows: Int, columns: Int)? = nil,
        leadingTokens: Int, from first: Int
    ) -> [PatchKey] {
        let isOverview = layout.endsWithWholePicture && layout.tiles.count > 1 && tile == layout.tiles.count - 1
        var keys = (0..<leadingTokens).map {
            PatchKey(key: first + $0, tile: tile, content: .classToken, isOverview: isOverview)
        }
        let columns = grid?.columns ?? layout.tileWidth / patchSize
        for index in 0..<(grid?.rows ?? layout.tileHeight / patchSize) * columns {
            let (row, column) = (index / columns, index % columns)
            let rectangle =
                tile < layout.tiles.count
                ? layout.tiles[tile].pictureRectangle(
                    x: column * patchSize, y: row * patchSize, width: patchSize, height: patchSize) : nil
            keys.append(
                PatchKey(
                    key: first + keys.count, tile: tile,
                    content: rectangle == nil ? .padding : .patch(row: row, column: column),
                    rectangle: rectangle, isOverview: isOverview))
        }
        return keys
    }
}
