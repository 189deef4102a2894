import AttentionTypes
import Compute
import Media
import Transformer

/// A model whose decoder attends to one encoded picture: captions, lines of writing.
package protocol PictureSource: PictureReader {
    var tower: any PictureEncoder { get }
    /// The features that the decoder attends to, where they are not the tower's output.
    func sourceFeatures(_ output: Tensor, on stream: CommandStream) throws -> Tensor?
}

extension PictureSource {
    package func sourceFeatures(_ output: Tensor, on stream: CommandStream) throws -> Tensor? { nil }
    package var capabilities: ModelCapabilities { .init(inputs: [.pictures], watchedAttention: .cross) }
    package var encoderLayers: Int { tower.layerCount }

    /// Encodes a picture and caches every block's cross-attention keys and values.
    /// - Parameter pixels: `[3, height, width]`, normalized.
    /// - Throws: `TransformerError.inputShape` for pixels of another size than the model reads.
    package func encode(pixels: ArraySlice<Float>) throws {
        try decoder.encode { engine, observe in
            let output = try tower.encode(pixels, tap: engine.tap, observe: observe, on: engine.stream)
            return (output, try sourceFeatures(output, on: engine.stream), nil)
        }
    }

    package func encodeSample(of files: ModelFiles) throws -> [Int] {
        try encode(pixels: [Float](repeating: 0, count: 3 * tower.imageHeight * tower.imageWidth)[...])
        return []
    }

    // MARK: PictureReader

    package var mostPictures: Int? { 1 }
    package var picturePlaceholder: String? { nil }
    package func pictureText(for layout: ImageLayout) -> String { "" }
    package func pictureTokens(for layout: ImageLayout) -> Int { 0 }

    package func readPictures(_ pictures: [ProcessedImage], keeping count: Int) throws {
        _ = try decoder.loaded()
        guard pictures.count == 1 else {
            throw TransformerError.inputShape(what: "the list of pictures", expected: [1], actual: [pictures.count])
        }
        if count == 0 { try encode(pixels: pictures[0].tile(0)) }
    }

    package func pictureKeys(_ layouts: [ImageLayout], in tokens: [Int]) -> [[PatchKey]] {
        layouts.map { layout in
            PatchKey.keys(
                ofTile: 0, in: layout, patchSize: tower.tokenPixels,
                grid: ((tower.tokens - tower.leadingTokens) / tower.gridColumns, tower.gridColumns),
                leadingTokens: tower.leadingTokens, from: 0)
        }
    }
}
