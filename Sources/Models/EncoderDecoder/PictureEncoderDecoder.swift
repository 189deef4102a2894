import Compute
import AttentionTypes
import NumberFormats
import Media
import Transformer

/// An encoder-decoder model whose source is a picture: captions, lines of writing.
package protocol PictureEncoderDecoder: EncoderDecoderModel, PictureReader {
    var tower: VisionTower { get }
}

extension PictureEncoderDecoder {
    package var pictureReader: (any PictureReader)? { self }
    package var capabilities: ModelCapabilities { .init(inputs: [.pictures], watchedAttention: .cross) }
    package var encoderLayers: Int { tower.configuration.layers }

    package func trace(
        _ input: ModelInput?, prompt: [Int], options: TraceOptions, emit: (TraceTensor) throws -> Void
    ) throws {
        guard case .pictures(let list, _) = input, let picture = list.first else {
            throw ModelError.nothingEncoded(model: family)
        }
        try trace(pixels: picture.tile(0), start: prompt, options: options, emit: emit)
    }

    /// Encodes a picture and computes every layer's cross-attention keys and values from it.
    /// - Parameter pixels: `[3, height, width]`, normalized.
    /// - Throws: `TransformerError.inputShape` for pixels of another size than the model reads.
    package func encode(pixels: ArraySlice<Float>) throws {
        try runner.encode { engine, observe in
            try tower.encode(pixels, tap: engine.tap, observe: observe, on: engine.stream)
        }
    }

    package func encodeSample() throws {
        try encode(pixels: [Float](repeating: 0, count: tower.configuration.grid.pixelValues)[...])
    }

    /// A greedy run on a picture; see `trace(start:options:encode:emit:)`.
    /// - Parameter start: what decoding starts with; `startTokens` by default.
    package func trace(
        pixels: ArraySlice<Float>, start: [Int]? = nil, options: TraceOptions, emit: (TraceTensor) throws -> Void
    ) throws {
        try trace(start: start ?? startTokens, options: options, encode: { try encode(pixels: pixels) }, emit: emit)
    }

    // MARK: PictureReader

    package var pictureAttention: AttentionKind { .cross }
    package var mostPictures: Int? { 1 }
    package var picturePlaceholder: String? { nil }
    package func pictureText(for layout: ImageLayout) -> String { "" }
    package func pictureTokens(for layout: ImageLayout) -> Int { 0 }

    package func readPictures(_ pictures: [ProcessedImage], keeping count: Int) throws {
        _ = try runner.loaded()
        guard pictures.count == 1 else {
            throw TransformerError.inputShape(what: "the list of pictures", expected: [1], actual: [pictures.count])
        }
        if count == 0 { try encode(pixels: pictures[0].tile(0)) }
    }

    package func pictureKeys(_ layouts: [ImageLayout], in tokens: [Int]) -> [[PatchKey]] {
        let c = tower.configuration
        return layouts.map { layout in
            PatchKey.keys(ofTile: 0, in: layout, patchSize: c.grid.patchSize, leadingTokens: c.leadingTokens, from: 0)
        }
    }
}
