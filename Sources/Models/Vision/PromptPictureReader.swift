import Compute
import AttentionTypes
import NumberFormats
import Media
import Transformer

/// A decoder-only model whose pictures are tokens among others: a vision tower and a connector turn each tile into rows
/// that stand in for the embeddings of image tokens. What such architectures do alike is here once.
package protocol PromptPictureReader: PictureReader {
    var pictures: PictureTokens { get }
    /// The tower's grid of patches.
    var patchGrid: PatchGrid { get }
    /// Tokens of one tile.
    var tokensPerTile: Int { get }
    /// Patches along an edge that are one token.
    var mergedPatches: Int { get }
    /// True where a tile's first token is the tower's class token.
    var hasClassToken: Bool { get }
    /// True where pictures come in tiles, and traces have the tiles as their first dimension.
    var hasTiles: Bool { get }

    /// Runs the tower and the connector over one tile, `[3, height, width]`.
    /// - Parameters:
    ///   - features: `[tokensPerTile, size]`, written.
    ///   - whole: also runs the layers whose output is not used.
    ///   - observe: receives the tower's residual stream; see `VisionTower.run`.
    func encodeTile(
        _ pixels: ArraySlice<Float>, into features: Tensor, whole: Bool, tap: AttentionTap,
        observe: HiddenStateObserver?, on stream: CommandStream
    ) throws
}

extension PromptPictureReader {
    package var mostPictures: Int? { nil }
    package func pictureTokens(for layout: ImageLayout) -> Int { layout.tiles.count * tokensPerTile }

    package var pictureToken: Int? { pictures.placeholder }

    package func pictureBuffers(for layout: ImageLayout) -> [PlannedBuffer] {
        [
            PlannedBuffer(
                purpose: .activations, label: Self.featuresLabel,
                byteCount: pictureTokens(for: layout) * decoder.hiddenSize * 4)
        ]
    }

    private static var featuresLabel: String { "picture features" }

    package func readPictures(_ list: [ProcessedImage], keeping count: Int) throws {
        let engine = try decoder.loaded()
        let rows = engine.tap.queryRows
        defer { engine.tap.queryRows = rows }
        engine.tap.queryRows = .none
        try decoder.abandoningFailures {
            try replacePictures(list, keeping: count) { picture in
                try encode(picture, engine) {
                    try encodeTile($0, into: $1, whole: false, tap: engine.tap, observe: nil, on: engine.stream)
                }
            }
        }
    }

    private func replacePictures(
        _ list: [ProcessedImage], keeping count: Int, _ encode: (ProcessedImage) throws -> Tensor
    ) throws {
        let kept = min(max(count, 0), pictures.count, list.count)
        let features = try list.dropFirst(kept).map(encode)
        if let first = pictures.replace(from: kept, with: features) { decoder.forget(from: first) }
    }

    /// Features of a picture, tile after tile, in memory of their own: `[tiles · tokensPerTile, size]`.
    private func encode(
        _ picture: ProcessedImage, _ engine: Decoder.Engine, tile body: (ArraySlice<Float>, Tensor) throws -> Void
    ) throws -> Tensor {
        let layout = picture.layout
        guard layout.tileHeight == patchGrid.imageHeight, layout.tileWidth == patchGrid.imageWidth,
            picture.pixelValues.count == layout.slotCount * patchGrid.pixelValues,
            layout.tiles.count <= layout.slotCount
        else {
            throw TransformerError.inputShape(
                what: "the pixels of a picture",
                expected: [layout.slotCount, 3, patchGrid.imageHeight, patchGrid.imageWidth],
                actual: [layout.slotCount, 3, layout.tileHeight, layout.tileWidth])
        }
        let rows = layout.tiles.count * tokensPerTile
        let buffer = try engine.device.makeBuffer(
            byteCount: rows * decoder.hiddenSize * 4, purpose: .activations, label: Self.featuresLabel)
        let features = Tensor(buffer: buffer, rows: rows, columns: decoder.hiddenSize)
        for tile in layout.tiles.indices {
            // A large picture in tiles takes a CPU minutes.
            try Task.checkCancellation()
            try body(picture.tile(tile), features.rows(tile * tokensPerTile..<(tile + 1) * tokensPerTile))
        }
        try engine.stream.finish()
        return features
    }

    package func pictureKeys(_ layouts: [ImageLayout], in tokens: [Int]) -> [[PatchKey]] {
        var places = tokens.indices.filter { tokens[$0] == pictures.placeholder }[...]
        return layouts.map { layout in
            let keys = layout.tiles.indices.flatMap { tile in
                PatchKey.keys(
                    ofTile: tile, in: layout, patchSize: patchGrid.patchSize * mergedPatches,
                    leadingTokens: hasClassToken ? 1 : 0,
                    from: tile * tokensPerTile)
            }
            let own = Array(places.prefix(keys.count))
            places = places.dropFirst(keys.count)
            // `from` counted the picture's tokens; they stand wherever the prompt has them.
            return zip(keys, own).map { key, place in
                var key = key
                key.key = place
                return key
            }
        }
    }

    // MARK: Traces

    /// Reads pictures and emits for each `vision.hidden.i` `[tokens, size]`, `vision.attn.L` `[heads, queries, keys]` and
    /// `image_features` `[tokens, size]`, each with the tiles before it in models that have tiles, and with `pictureN.`
    /// before the name where there are several pictures.
    package func traceEncoding(
        _ input: ModelInput?, prompt: [Int], options: TraceOptions, emit: (TraceTensor) throws -> Void
    ) throws {
        let list = try pictures(of: input)
        let engine = try decoder.loaded()
        var number = 0
        try replacePictures(list, keeping: 0) { picture in
            let name = list.count > 1 ? "picture\(number)." : ""
            number += 1
            return try traced(picture, name, engine, options, emit)
        }
    }

    private func traced(
        _ picture: ProcessedImage, _ name: String, _ engine: Decoder.Engine, _ options: TraceOptions,
        _ emit: (TraceTensor) throws -> Void
    ) throws -> Tensor {
        var hidden: [[Float]] = []
        var stateShape: [Int] = []
        var attention: [AttentionWeights] = []
        var rows: [AttentionWeights] = []
        let tiles = picture.layout.tiles.count
        let features = try encode(picture, engine) { pixels, features in
            let observe: HiddenStateObserver = { index, state in
                let values = try engine.stream.read(state)
                stateShape = [state.rows, state.columns]
                if index == hidden.count { hidden.append(values) } else { hidden[index] += values }
            }
            try encodeTile(
                pixels, into: features, whole: true, tap: engine.tap,
                observe: options.includesHiddenStates ? observe : nil,
                on: engine.stream)
            rows = engine.tap.takeRows()
            attention += rows
        }
        let leading = hasTiles ? [tiles] : []
        for (index, values) in hidden.enumerated() {
            try emit(TraceTensor("\(name)vision.hidden.\(index)", shape: leading + stateShape, floats: values))
        }
        for layer in rows {
            let values = attention.filter { $0.layer == layer.layer }.flatMap(\.values)
            try emit(
                TraceTensor(
                    "\(name)vision.attn.\(layer.layer)", shape: leading + [layer.heads, layer.queries, layer.keys],
                    floats: values))
        }
        let shape = hasTiles ? [tiles, tokensPerTile, features.columns] : [features.rows, features.columns]
        try emit(TraceTensor("\(name)image_features", shape: shape, floats: engine.stream.read(features)))
        return features
    }
}
