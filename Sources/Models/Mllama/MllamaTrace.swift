import Compute
import NumberFormats
import Media
import Transformer

extension Mllama {
    /// A greedy run on pictures that writes down what the model computed: `aspect_ratio_ids`, `aspect_ratio_mask` and
    /// `cross_attention_mask` as transformers' processor gives them; `vision.attn.local.L` and `vision.attn.global.L`
    /// `[heads, queries, keys]`, with `pictureN.` before the name where there are several pictures; `vision.out` `[pictures,
    /// tiles, patches + 1, features]`; `cross_attention_states` `[pictures · tiles, patches + 1, size]`; then what
    /// `trace(prompt:options:)` writes.
    package func trace(
        pictures list: [ProcessedImage], prompt: [Int], options: TraceOptions, includingHiddenStates: Bool = false,
        emit: (TraceTensor) throws -> Void
    ) throws {
        let engine = try tokenDecoder.loaded()
        let before = (engine.tap.selection, engine.tap.queryRows)
        defer {
            (engine.tap.selection, engine.tap.queryRows) = before
            engine.tap.releaseRows()
        }
        engine.tap.selection = options.selection
        engine.tap.queryRows = options.encoderRows
        keepPictures(0)
        let vision = configuration.vision
        let (tiles, tokens) = (vision.maximumTiles, vision.tokensPerTile)
        var features: [Float] = []
        var states: [Float] = []
        for (index, picture) in list.enumerated() {
            try read(picture) { output, projected in
                features += self.interleaved(try engine.stream.read(output))
                states += try engine.stream.read(projected)
            }
            let name = list.count > 1 ? "picture\(index)." : ""
            for weights in engine.tap.takeRows() {
                let layer = weights.layer - vision.localLayers
                try emit(
                    TraceTensor(
                        "\(name)vision.attn.\(layer < 0 ? "local.\(weights.layer)" : "global.\(layer)")", weights))
            }
        }
        if !list.isEmpty {
            let count = list.count
            try emit(
                TraceTensor("vision.out", shape: [count, tiles, tokens, vision.featureSize], floats: features))
            try emit(
                TraceTensor(
                    "cross_attention_states", shape: [count * tiles, tokens, configuration.text.size], floats: states))
            try emit(TraceTensor("aspect_ratio_ids", integers: list.map { $0.layout.aspectRatioID ?? 0 }))
            try emit(
                TraceTensor("aspect_ratio_mask", shape: [count, tiles], integers: list.flatMap(\.layout.slotMask)))
            try memory.place(prompt, at: 0)
            try emit(
                TraceTensor(
                    "cross_attention_mask", shape: [prompt.count, count, tiles],
                    integers: memory.crossAttentionMask(positions: prompt.count).flatMap { $0 }))
        }
        try trace(prompt: prompt, options: options, includingHiddenStates: includingHiddenStates, emit: emit)
    }

    /// Features in the reference's order: of the intermediate states, channel c of all comes before channel c + 1 of any.
    private func interleaved(_ features: [Float]) -> [Float] {
        let vision = configuration.vision
        let (size, groups, width) = (vision.layer.size, vision.intermediateLayers.count, vision.featureSize)
        var result = features
        for row in stride(from: 0, to: features.count, by: width) {
            for group in 0..<groups {
                for channel in 0..<size {
                    result[row + size + channel * groups + group] = features[row + (1 + group) * size + channel]
                }
            }
        }
        return result
    }
}
