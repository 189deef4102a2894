import Checkpoint
import Compute
import AttentionTypes
import NumberFormats
import Media
import Transformer
import JSON

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
        /// Pictures to make room for; more get theirs when they come.
        package var pictures = 1

        /// What the text model is where a `text_config` says nothing.
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
            try ModelError.requireRange(file.file, [("image_token_index", pictureToken, 0...inputVocabulary - 1)])
        }

        /// Embeddings there are: eight more than logits, of which pictures take one.
        var inputVocabulary: Int { text.vocabulary + 8 }
    }
}

// MARK: - Layers

/// Cross-attention to pictures and a feed-forward, each behind a norm and a gate. Without pictures it does nothing.
private struct PictureLayer: DecoderLayer {
    private let attentionNorm: RMSNorm
    private let attention: Attention
    private let feedForwardNorm: RMSNorm
    private let feedForward: GatedFeedForward
    private let feedForwardGate: Gate

    /// - Parameter cacheLayer: its number among the layers that keep keys and values of pictures.
    init(_ scope: ParameterScope, index: Int, cacheLayer: Int, _ c: Llama.Configuration) {
        attentionNorm = RMSNorm(scope("input_layernorm"), size: c.size, epsilon: c.epsilon)
        let own = scope("cross_attn")
        attention = .crossAttention(
            own, layer: index, size: c.size, sourceSize: c.size, shape: c.attentionShape,
            names: .init(query: "q_proj", key: "k_proj", value: "v_proj", output: "o_proj", hasBias: false),
            additions: .init(
                queryNorm: RMSNorm(own("q_norm"), size: c.headDimension, epsilon: c.epsilon),
                keyNorm: RMSNorm(own("k_norm"), size: c.headDimension, epsilon: c.epsilon),
                gate: Gate(scope, "cross_attn_attn_gate"),
                cacheLayer: cacheLayer))
        feedForwardNorm = RMSNorm(scope("post_attention_layernorm"), size: c.size, epsilon: c.epsilon)
        feedForward = GatedFeedForward(scope("mlp"), size: c.size, hidden: c.hidden, activation: c.activation)
        feedForwardGate = Gate(scope, "cross_attn_mlp_gate")
    }

    var attentionHeads: Int { attention.shape.heads }
    var attentionKind: AttentionKind { .cross }
    var scratchColumns: Int { feedForward.scratchColumns }
    var hasGates: Bool { true }

    /// Computes the keys and values of a picture's features, `[keys, size]`.
    func remember(_ features: Tensor, in cache: KeyValueCache, from row: Int, on stream: CommandStream) throws {
        try attention.remember(source: features, in: cache, from: row, on: stream)
    }

    func prefill(_ x: Tensor, firstPosition: Int, _ pass: DecoderPass) throws {
        guard let memory = pass.memory else { return }
        try attentionNorm(x, into: pass.normalized, on: pass.stream)
        try attention.readSource(
            pass.normalized, sourceCount: memory.count, masks: memory.masks, cache: memory.cache, addingTo: x,
            workspace: pass.attention,
            tap: pass.tap, on: pass.stream)
        try finish(x, memory, pass)
    }

    func decode(_ x: Tensor, step: StepBuffer, _ pass: DecoderPass) throws {
        guard let memory = pass.memory else { return }
        try attentionNorm(x, into: pass.normalized, on: pass.stream)
        try attention.decodeSource(
            pass.normalized, sourceCount: memory.count, mask: memory.masks.first?.mask, step: step, cache: memory.cache,
            addingTo: x,
            workspace: pass.attention, tap: pass.tap, on: pass.stream)
        try finish(x, memory, pass)
    }

    /// The feed-forward, for rows that see something.
    private func finish(_ x: Tensor, _ memory: DecoderMemoryView, _ pass: DecoderPass) throws {
        guard let block = pass.attention.block?.rows(x.rows) else {
            preconditionFailure("the decoder has no place for gated blocks")
        }
        for rows in memory.seeing {
            let rows = rows.clamped(to: 0..<x.rows)
            let (x, normalized, block) = (x.rows(rows), pass.normalized.rows(rows), block.rows(rows))
            try feedForwardNorm(x, into: normalized, on: pass.stream)
            try feedForward(normalized, hidden: pass.hidden.rows(rows), residual: nil, into: block, on: pass.stream)
            try feedForwardGate(block, addingTo: x, on: pass.stream)
        }
    }
}

// MARK: - Model

/// Llama 3.2 Vision on a device. Without pictures it is Llama.
package final class Mllama: DecoderOnlyModel {
    package let configuration: Configuration
    package let parameters = ParameterList()
    package let tokenDecoder: TokenDecoder
    let memory: PictureMemory
    private let vision: MllamaVision
    private let projector: Linear
    private let projected: Slot
    private let pictureLayers: [PictureLayer]

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let workspace = Workspace()
        let phase = "vision"
        vision = MllamaVision(
            ParameterScope(list: parameters, prefix: "vision_model.", purpose: .weightsVision), configuration: c.vision,
            workspace: workspace, phase: phase)
        let projection = ParameterScope(list: parameters, prefix: "multi_modal_projector.", purpose: .weightsProjector)
        projector = Linear(
            weight: projection.interleavedMatrix(
                "weight", outputs: c.text.size, first: c.vision.layer.size, groups: c.vision.intermediateLayers.count,
                size: c.vision.layer.size),
            bias: projection.vector("bias", count: c.text.size))
        let keysPerPicture = c.vision.maximumTiles * c.vision.tokensPerTile
        projected = workspace.reserve("projected features", rows: keysPerPicture, columns: c.text.size, phase: phase)
        memory = PictureMemory(
            placeholder: c.pictureToken, keysPerTile: c.vision.tokensPerTile, tilesPerPicture: c.vision.maximumTiles,
            layers: c.crossLayers.count, keyValueWidth: c.text.keyValueHeads * c.text.headDimension, room: c.pictures)

        let root = ParameterScope(list: parameters, prefix: "language_model.", purpose: .weightsDecoder)
        let scope = root("model")
        let embedding = scope.matrix("embed_tokens.weight", outputs: c.inputVocabulary, inputs: c.text.size)
        let rotary = RotaryPositions(
            shape: RotaryShape(headDimension: c.text.headDimension, rotaryDimension: c.text.rotaryDimension),
            positions: c.text.contextLength, theta: c.text.theta, scaling: c.text.rotaryScaling)
        var layers: [any DecoderLayer] = []
        var pictureLayers: [PictureLayer] = []
        for index in 0..<c.text.layers {
            let layer = scope("layers.\(index)")
            if c.crossLayers.contains(index) {
                let own = PictureLayer(layer, index: index, cacheLayer: pictureLayers.count, c.text)
                pictureLayers.append(own)
                layers.append(own)
            } else {
                layers.append(Llama.layer(index, layer, c.text, rotary, cacheLayer: index - pictureLayers.count))
            }
        }
        self.pictureLayers = pictureLayers
        let norm = RMSNorm(scope("norm"), size: c.text.size, epsilon: c.text.epsilon)
        let output =
            c.text.isTied ? embedding : root.matrix("lm_head.weight", outputs: c.text.vocabulary, inputs: c.text.size)
        tokenDecoder = TokenDecoder(
            shape: .init(
                name: "Llama 3.2 Vision", size: c.text.size, vocabulary: c.text.vocabulary,
                inputVocabulary: c.inputVocabulary,
                contextLength: c.text.contextLength, attention: c.text.attentionShape, passRows: c.text.passRows),
            parameters: parameters,
            parts: .init(
                embedding: embedding, positions: nil, rotary: rotary, layers: layers, norm: norm, output: output,
                memory: memory),
            workspace: workspace, resources: [vision])
    }

    /// Reads one more picture: its keys and values are computed and kept.
    /// - Parameter observe: hears the tower's features and what the decoder attends to, while they are there.
    func read(_ picture: ProcessedImage, observe: ((_ features: Tensor, _ projected: Tensor) throws -> Void)? = nil)
        throws
    {
        guard let stream = tokenDecoder.stream, let tap else {
            throw ModelError.notLoaded(model: tokenDecoder.shape.name)
        }
        let features = try vision(picture, tap: tap, on: stream)
        let states = projected.tensor
        try projector(features, into: states, on: stream)
        try observe?(features, states)
        tokenDecoder.forgetRecordings()
        try memory.add(tiles: picture.layout.tiles.count, on: stream) { row in
            for layer in pictureLayers { try layer.remember(states, in: memory.cache, from: row, on: stream) }
        }
        try stream.finish()
        tokenDecoder.forget(from: 0)
    }

    /// Forgets the pictures from `count` on, and all text.
    func keepPictures(_ count: Int) {
        memory.keep(count)
        tokenDecoder.forget(from: 0)
    }
}

// MARK: - Pictures

extension Mllama: PicturePromptModel {
    package var visionLayers: Int { configuration.vision.localLayers + configuration.vision.globalLayers }
    package var pictureAttention: AttentionKind { .cross }
    package var mostPictures: Int? { nil }
    package var picturePlaceholder: String? { "<|image|>" }
    package var pictureToken: Int? { configuration.pictureToken }
    package func pictureText(for layout: ImageLayout) -> String { "<|image|>" }
    package func pictureTokens(for layout: ImageLayout) -> Int { 0 }

    package func readPictures(_ pictures: [ProcessedImage], keeping count: Int) throws {
        guard tokenDecoder.stream != nil else { throw ModelError.notLoaded(model: tokenDecoder.shape.name) }
        if count == pictures.count, count == memory.pictures.count { return }
        keepPictures(min(count, pictures.count))
        for picture in pictures[memory.pictures.count...] { try read(picture) }
    }

    /// Each tile's class token and patches; keys of empty tiles are padding.
    package func pictureKeys(_ layouts: [ImageLayout], in tokens: [Int]) -> [[PatchKey]] {
        let vision = configuration.vision
        return layouts.enumerated().map { index, layout in
            (0..<vision.maximumTiles).flatMap { tile in
                let first = (index * vision.maximumTiles + tile) * vision.tokensPerTile
                guard tile < layout.tiles.count else {
                    return (0..<vision.tokensPerTile).map { PatchKey(key: first + $0, tile: tile, content: .padding) }
                }
                return PatchKey.keys(
                    ofTile: tile, in: layout, patchSize: vision.grid.patchSize, leadingTokens: 1, from: first)
            }
        }
    }

    package static var usualImageProcessor: String { "Mllama" }
}

// MARK: - Files

extension Mllama {
    package static var modelTypes: [String] { ["mllama"] }

    package static func naming(of files: ModelFiles) -> any CheckpointNaming { Naming() }

    package static func make(from files: ModelFiles) throws -> Mllama {
        guard let file = files.configuration else {
            throw ModelError.configuration(
                file: files.path, key: "model_type",
                problem: "Llama 3.2 Vision is read from Hugging Face folders; there is no config.json")
        }
        var configuration = try Configuration(file.main)
        configuration.text.makeRoom(for: files.options.contextLength)
        let model = Mllama(configuration: configuration)
        try weightSource(of: files).assignFormats(to: model.parameters)
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
