import Checkpoint
import Compute
import JSON
import AttentionTypes
import NumberFormats
import Media
import Transformer

// Llama 3.2 Vision ("The Llama 3 Herd of Models", 2024, section 7): Llama's decoder with layers between its own that
// attend to pictures by gated cross-attention. Reference: transformers' modeling_mllama.

// MARK: - Configuration

extension Mllama {
    package struct Configuration: Sendable, Hashable {
        /// Sizes of the decoder, cross-attention layers counted among its layers.
        package var text: Llama.Configuration
        package var vision: VisionConfiguration
        /// Layers that attend to pictures.
        package var crossLayers: [Int]
        /// The token that stands for a picture; it has an embedding, but no logit.
        package var pictureToken: Int
        /// Pictures that memory is planned for; it grows for more.
        package var pictures = 1

        /// Values for keys that a `text_config` lacks.
        private static let textDefaults: JSONObject = [
            "vocab_size": .integer(128_256), "hidden_size": .integer(4096), "num_hidden_layers": .integer(40),
            "num_attention_heads": .integer(32), "num_key_value_heads": .integer(8),
            "intermediate_size": .integer(14_336),
            "rms_norm_eps": .number(1e-5), "max_position_embeddings": .integer(131_072), "rope_theta": .number(500_000),
        ]

        /// Reads a Hugging Face `config.json`.
        package init(_ file: JSONReader) throws {
            let given = try file.objectIfPresent("text_config")
            let members = Self.textDefaults.merging(JSONObject((given?.members ?? [:]).filter { !$0.value.isNull }))
            let textFile = JSONReader(.object(members), file: file.file, path: "text_config")
            text = try Llama.Configuration(textFile)
            vision = try VisionConfiguration(file.object("vision_config", default: [:]))
            crossLayers = Set(try textFile.ints("cross_attention_layers", default: [3, 8, 13, 18, 23, 28, 33, 38]))
                .sorted()
            for layer in crossLayers where !(0..<text.layers).contains(layer) {
                throw ModelError.configuration(
                    file: file.file, key: "text_config.cross_attention_layers",
                    problem: "there is no layer \(layer) among \(text.layers)")
            }
            guard crossLayers.count < text.layers else {
                throw ModelError.configuration(
                    file: file.file, key: "text_config.cross_attention_layers",
                    problem: "no layer is left that attends to the text")
            }
            pictureToken = try file.int("image_token_index", default: file.int("image_token_id", default: 128_256))
            try ModelError.requireRange(
                file.file, [("image_token_index", pictureToken, .from(0, to: inputVocabulary - 1))])
        }

        /// Embeddings there are: eight more than logits, of which pictures take one.
        var inputVocabulary: Int { text.vocabulary + 8 }
    }
}

// MARK: - Blocks

extension Mllama.Configuration {
    /// Gated cross-attention to pictures and a gated feed-forward, each behind a norm. Without pictures it does nothing.
    fileprivate func pictureBlock(_ index: Int, _ scope: ParameterScope) -> TransformerBlock {
        let attention = scope("cross_attn")
        func headNorm(_ name: String) -> RMSNorm {
            RMSNorm(attention(name), size: text.headDimension, epsilon: text.epsilon)
        }
        return TransformerBlock(
            crossAttention: .init(
                .crossAttention(
                    attention, layer: index, hiddenSize: text.hiddenSize, sourceSize: text.hiddenSize,
                    shape: text.attentionShape,
                    names: .init(output: "o_proj", inputsHaveBias: false, outputHasBias: false),
                    options: .init(queryNorm: headNorm("q_norm"), keyNorm: headNorm("k_norm"))),
                norms: .pre(text.norm(scope("input_layernorm"))), gate: Gate(scope, "cross_attn_attn_gate")),
            feedForward: .init(
                GatedFeedForward(
                    scope("mlp"), hiddenSize: text.hiddenSize, intermediateSize: text.intermediateSize,
                    activation: text.activation),
                norms: .pre(text.norm(scope("post_attention_layernorm"))), gate: Gate(scope, "cross_attn_mlp_gate")))
    }
}

// MARK: - Model

/// Llama 3.2 Vision on a device. Without pictures it is Llama.
package final class Mllama: PictureReader {
    package let configuration: Configuration
    package let decoder: Decoder
    let pictures: MllamaPictures
    private let vision: MllamaVision
    private let projector: Linear
    private let projected: Slot

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let (parameters, workspace) = (ParameterList(), Workspace())
        let (phase, width) = ("vision", c.vision.layer.hiddenSize)
        vision = MllamaVision(
            ParameterScope(list: parameters, prefix: "vision_model.", purpose: .weightsVision), configuration: c.vision,
            workspace: workspace, phase: phase)
        let projection = ParameterScope(list: parameters, prefix: "multi_modal_projector.", purpose: .weightsProjector)
        projector = Linear(
            weight: projection.interleavedMatrix(
                "weight", outputs: c.text.hiddenSize, first: width, groups: c.vision.intermediateLayers.count,
                size: width),
            bias: projection.vector("bias", count: c.text.hiddenSize))
        let keysPerPicture = c.vision.maximumTiles * c.vision.tokensPerTile
        projected = workspace.reserve(
            "projected features", rows: keysPerPicture, columns: c.text.hiddenSize, phase: phase)
        pictures = MllamaPictures(
            placeholder: c.pictureToken, keysPerTile: c.vision.tokensPerTile, tilesPerPicture: c.vision.maximumTiles,
            room: c.pictures)
        let root = ParameterScope(list: parameters, prefix: "language_model.", purpose: .weightsDecoder)
        let rotary = c.text.rotary
        decoder = Decoder(
            c.text.declaration(
                "Llama 3.2 Vision", root, inputVocabulary: c.inputVocabulary,
                source: .init(capacity: c.pictures * keysPerPicture, isRequired: false, visibility: pictures)
            ) { index, scope in
                c.crossLayers.contains(index)
                    ? c.pictureBlock(index, scope) : c.text.block(index, scope, rotary)
            },
            parameters: parameters, workspace: workspace, resources: [vision])
    }

    /// Reads one more picture: its keys and values are computed and kept.
    /// - Parameter observe: receives the tower's features and the features that the decoder attends to, while they are
    ///   there.
    private func read(
        _ picture: ProcessedImage, observe: ((_ features: Tensor, _ projected: Tensor) throws -> Void)? = nil
    ) throws {
        let engine = try decoder.loaded()
        let features = try vision(picture, tap: engine.tap, on: engine.stream)
        let states = projected.tensor
        try projector(features, into: states, on: engine.stream)
        try observe?(features, states)
        try pictures.add(tiles: picture.layout.tiles.count, on: engine.device)
        try decoder.appendSource(states)
    }

    /// Drops the pictures from `count` on, and all text.
    private func keepPictures(_ count: Int) {
        pictures.keep(count)
        decoder.source?.keep(pictures.keyCount)
        decoder.forget(from: 0)
    }
}

// MARK: - Pictures

extension Mllama {
    package var capabilities: ModelCapabilities { .init(inputs: [.prompt, .pictures], watchedAttention: .cross) }
    package var encoderLayers: Int { configuration.vision.localLayers + configuration.vision.globalLayers }
    package var mostPictures: Int? { nil }
    package var picturePlaceholder: String? { "<|image|>" }
    package var pictureToken: Int? { configuration.pictureToken }
    package func pictureText(for layout: ImageLayout) -> String { "<|image|>" }
    package func pictureTokens(for layout: ImageLayout) -> Int { 0 }

    package func readPictures(_ list: [ProcessedImage], keeping count: Int) throws {
        _ = try decoder.loaded()
        if count == list.count, count == pictures.tiles.count { return }
        keepPictures(min(count, list.count))
        try decoder.abandoningFailures {
            for picture in list[pictures.tiles.count...] { try read(picture) }
        }
    }

    /// Each tile's class token and patches; keys of empty tiles are padding.
    package func pictureKeys(_ layouts: [ImageLayout], in tokens: [Int]) -> [[PatchKey]] {
        let vision = configuration.vision
        return layouts.enumerated().map { index, layout in
            (0..<vision.maximumTiles).flatMap { tile in
                let first = (index * vision.maximumTiles + tile) * vision.tokensPerTile
                guard tile < layout.tiles.count else {
                    return (0..<vision.tokensPerTile).map { PatchKey(key: first + $0, tile: tile) }
                }
                return PatchKey.keys(
                    ofTile: tile, in: layout, patchSize: vision.grid.patchSize, leadingTokens: 1, from: first)
            }
        }
    }

    package static var defaultImageProcessor: String { "Mllama" }

    /// Reads pictures and emits `vision.attn.local.L` and `vision.attn.global.L` `[heads, queries, keys]`, with `pictureN.`
    /// before the name where there are several pictures; `vision.out` `[pictures, tiles, patches + 1, features]`;
    /// `cross_attention_states` `[pictures · tiles, patches + 1, size]`; and `aspect_ratio_ids`, `aspect_ratio_mask` and
    /// `cross_attention_mask` as transformers' processor gives them.
    package func traceEncoding(
        _ input: ModelInput?, prompt: [Int], options: TraceOptions, emit: (TraceTensor) throws -> Void
    ) throws {
        let list = try pictures(of: input)
        let engine = try decoder.loaded()
        keepPictures(0)
        guard !list.isEmpty else { return }
        let vision = configuration.vision
        let (count, tiles, tokens) = (list.count, vision.maximumTiles, vision.tokensPerTile)
        var (features, states): ([Float], [Float]) = ([], [])
        for (index, picture) in list.enumerated() {
            try read(picture) { output, projected in
                features += vision.interleaved(try engine.stream.read(output))
                states += try engine.stream.read(projected)
            }
            let name = count > 1 ? "picture\(index)." : ""
            for weights in engine.tap.takeRows() {
                let layer = weights.layer - vision.localLayers
                try emit(
                    TraceTensor(
                        "\(name)vision.attn.\(layer < 0 ? "local.\(weights.layer)" : "global.\(layer)")", weights))
            }
        }
        try emit(TraceTensor("vision.out", shape: [count, tiles, tokens, vision.featureSize], floats: features))
        try emit(
            TraceTensor(
                "cross_attention_states", shape: [count * tiles, tokens, configuration.text.hiddenSize],
                floats: states))
        try emit(TraceTensor("aspect_ratio_ids", integers: list.map { $0.layout.aspectRatioID ?? 0 }))
        try emit(TraceTensor("aspect_ratio_mask", shape: [count, tiles], integers: list.flatMap(\.layout.slotMask)))
        _ = try pictures.prepare(prompt, at: 0)
        try emit(
            TraceTensor(
                "cross_attention_mask", shape: [prompt.count, count, tiles],
                integers: pictures.crossAttentionMask(positions: prompt.count).flatMap { $0 }))
    }
}

extension Mllama.VisionConfiguration {
    /// Features in the reference's order: of the intermediate states, channel c of all comes before channel c + 1 of any.
    fileprivate func interleaved(_ features: [Float]) -> [Float] {
        let (size, groups, width) = (layer.hiddenSize, intermediateLayers.count, featureSize)
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

// MARK: - Files

extension Mllama {
    package static var modelTypes: [String] { ["mllama"] }

    package func weightSource(of files: ModelFiles) throws -> WeightSource {
        if let gguf = files.checkpoint.gguf { return try OllamaMllama(gguf, files).weightSource() }
        return WeightSource(checkpoint: files.checkpoint, naming: Naming())
    }

    package static func imageProcessor(of files: ModelFiles) throws -> any ImageProcessor {
        if let gguf = files.checkpoint.gguf { return try OllamaMllama(gguf, files).imageProcessor() }
        return try ImageProcessors.make(try ImageProcessorConfiguration(of: files), fallback: defaultImageProcessor)
    }

    package static func make(from files: ModelFiles) throws -> Mllama {
        var configuration: Configuration
        if let gguf = files.checkpoint.gguf {
            configuration = try OllamaMllama(gguf, files).configuration()
        } else if let file = files.configuration {
            configuration = try Configuration(file.main)
        } else {
            throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
        }
        configuration.text.makeRoom(for: files.options.contextLength)
        let model = Mllama(configuration: configuration)
        try model.assignStoredFormats(of: files)
        return model
    }

    /// The published names, and those that transformers 5 writes: `model.language_model.layers…`, `lm_head`.
    struct Naming: CheckpointNaming {
        func candidates(for key: String) -> [StoredSlice] {
            let text = "language_model.model."
            let head = "language_model."
            let other =
                if key.hasPrefix(text) {
                    "model.language_model." + key.dropFirst(text.count)
                } else if key.hasPrefix(head) {
                    String(key.dropFirst(head.count))
                } else { "model." + key }
            return [StoredSlice(key), StoredSlice(other)]
        }
    }
}
