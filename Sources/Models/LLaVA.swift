import Checkpoint
import Compute
import Formats
import Media
import Transformer

// LLaVA 1.5 (Liu et al. 2023): a CLIP tower whose features, through a projector of two layers, take the places of image
// tokens among a Llama's tokens. Reference: transformers' modeling_llava. Also as llama.cpp has it: a GGUF file of the text
// model and one of tower and projector ("mmproj").

// MARK: - Configuration

extension LLaVA {
    public struct Configuration: Sendable, Hashable {
        public var text: Llama.Configuration
        public var vision: VisionTower.Configuration
        /// The hidden states whose channels the projector reads side by side: 0 before the first layer, i after layer i − 1.
        public var featureLayers: [Int]
        /// Whether the class token is one of a picture's tokens.
        public var keepsClassToken = false
        public var projectorActivation = Activation.gelu
        public var projectorHasBias = true
        /// The token that stands for a patch in a prompt.
        public var imageToken: Int

        /// Tokens of a picture.
        public var pictureTokens: Int { keepsClassToken ? vision.tokens : vision.grid.count }

        /// Reads a Hugging Face `config.json`.
        public init(_ file: ConfigurationObject) throws {
            let textFile = try file.objectIfPresent("text_config") ?? ConfigurationObject(file: file.file, keyPath: ["text_config"], members: [:])
            let visionFile =
                try file.objectIfPresent("vision_config") ?? ConfigurationObject(file: file.file, keyPath: ["vision_config"], members: [:])
            try Self.require(textFile, "llama")
            try Self.require(visionFile, "clip_vision_model")
            text = try Llama.Configuration(textFile)
            text.isTied = try text.isTied || file.bool("tie_word_embeddings", default: false)
            vision = try VisionTower.Configuration(visionFile, family: .clip)
            let layers = vision.layers
            featureLayers = try file.ints("vision_feature_layer", default: [-2]).map { layer in
                let index = layer < 0 ? layers + 1 + layer : layer
                guard (0...layers).contains(index) else {
                    throw ModelError.configuration(
                        file: file.file, key: "vision_feature_layer", problem: "there is no hidden state \(layer) of \(layers) layers")
                }
                return index
            }
            guard !featureLayers.isEmpty else {
                throw ModelError.configuration(file: file.file, key: "vision_feature_layer", problem: "names no layer")
            }
            switch try file.string("vision_feature_select_strategy", default: "default") {
            case "default": keepsClassToken = false
            case "full": keepsClassToken = true
            case let other:
                throw ModelError.configuration(
                    file: file.file, key: "vision_feature_select_strategy", problem: "“\(other)” is not known (known: default, full)")
            }
            projectorActivation = try Activation(named: "projector_hidden_act", in: file, default: "gelu")
            projectorHasBias = try file.bool("multimodal_projector_bias", default: true)
            imageToken = try file.int("image_token_index", default: file.int("image_token_id", default: 32000))
        }

        private static func require(_ part: ConfigurationObject, _ type: String) throws {
            let actual = try part.string("model_type", default: type)
            guard actual == type else {
                throw ModelError.configuration(
                    file: part.file, key: (part.keyPath + ["model_type"]).joined(separator: "."),
                    problem: "LLaVA with “\(actual)” is not supported; supported is \(type)")
            }
        }

        /// Reads the metadata of a text model's GGUF file and of its "mmproj" file.
        public init(gguf: GGUFMetadata, checkpoint: Checkpoint, projector: GGUFMetadata, projectorCheckpoint: Checkpoint) throws {
            text = try Llama.Configuration(gguf: gguf, checkpoint: checkpoint)
            let type = try projector.stringIfPresent("clip.projector_type") ?? "mlp"
            guard type == "mlp", try projector.bool("clip.has_vision_encoder", default: true) else {
                throw ModelError.configuration(
                    file: projector.file, key: "clip.projector_type", problem: "“\(type)” is not supported; LLaVA 1.5 has “mlp”")
            }
            func int(_ name: String) throws -> (key: String, value: Int) { ("clip.vision.\(name)", try projector.int("clip.vision.\(name)")) }
            let image = try int("image_size")
            let activation: Activation =
                if try projector.bool("clip.use_gelu", default: false) { .gelu }
                else if try projector.bool("clip.use_silu", default: false) { .silu } else { .quickGelu }
            vision = try VisionTower.Configuration(
                file: projector.file, family: .clip,
                sizes: .init(
                    size: int("embedding_length"), heads: int("attention.head_count"), layers: int("block_count"),
                    hidden: int("feed_forward_length"), patchSize: int("patch_size"), imageHeight: image, imageWidth: image),
                activation: activation,
                epsilon: Float(projector.doubleIfPresent("clip.vision.attention.layer_norm_epsilon") ?? 1e-5))
            // Files are written with the layers up to the one whose features are read, unless they name others.
            let layers = vision.layers
            featureLayers = projector["clip.vision.feature_layer"] == nil ? [layers] : try projector.ints("clip.vision.feature_layer")
            guard !featureLayers.isEmpty, featureLayers.allSatisfy({ (0...layers).contains($0) }) else {
                throw ModelError.configuration(
                    file: projector.file, key: "clip.vision.feature_layer", problem: "\(featureLayers) are no hidden states of \(layers) layers")
            }
            projectorHasBias = projectorCheckpoint.contains("mm.0.bias")
            // Vocabularies of text models converted before the picture was added lack the token: then it is one beyond them.
            let tokens = gguf["tokenizer.ggml.tokens"] == nil ? [] : try gguf.strings("tokenizer.ggml.tokens")
            imageToken = tokens.firstIndex(of: "<image>") ?? text.vocabulary
        }
    }
}

// MARK: - Model

/// LLaVA on a device.
public final class LLaVA: PictureDecoder {
    public let configuration: Configuration
    public let text: Llama
    public let pictures: PictureTokens
    private let tower: VisionTower
    private let projection: (Linear, Linear)
    /// Channels of the chosen hidden states side by side, `[tokens, size · layers]`.
    private let chosen: Slot
    /// `[tokens, text size]`
    private let projected: Slot

    /// Declares the model; nothing is allocated.
    public init(configuration c: Configuration) {
        configuration = c
        let (parameters, workspace) = (ParameterList(), Workspace())
        tower = VisionTower(
            ParameterScope(list: parameters, prefix: "vision_tower.vision_model.", purpose: .weightsVision), configuration: c.vision,
            names: .clip, workspace: workspace)
        let projector = ParameterScope(list: parameters, prefix: "multi_modal_projector.", purpose: .weightsProjector)
        let width = c.vision.layer.size * c.featureLayers.count
        projection = (
            Linear(projector("linear_1"), inputs: width, outputs: c.text.size, bias: c.projectorHasBias),
            Linear(projector("linear_2"), inputs: c.text.size, outputs: c.text.size, bias: c.projectorHasBias)
        )
        chosen = workspace.reserve("vision features", rows: c.vision.tokens, columns: width, phase: "vision")
        projected = workspace.reserve("projected", rows: c.vision.tokens, columns: c.text.size, phase: "vision")
        pictures = PictureTokens(token: c.imageToken)
        text = Llama(
            configuration: c.text, scope: ParameterScope(list: parameters, prefix: "language_model.", purpose: .weightsDecoder),
            workspace: workspace, resources: [tower.input], pictures: pictures)
    }

    public var decoder: TokenDecoder { text.decoder }
    public var parameters: ParameterList { text.parameters }
    public var patchGrid: PatchGrid { configuration.vision.grid }
    public var tokensPerTile: Int { configuration.pictureTokens }
    public var mergedPatches: Int { 1 }
    public var hasClassToken: Bool { configuration.keepsClassToken }
    public var hasTiles: Bool { false }

    public func encodeTile(
        _ pixels: ArraySlice<Float>, into features: Tensor, whole: Bool, tap: AttentionTap,
        observe: ((_ index: Int, _ state: Tensor) throws -> Void)?, on stream: CommandStream
    ) throws {
        let (size, layers) = (configuration.vision.layer.size, configuration.featureLayers)
        _ = try tower.run(
            pixels, layers: whole ? nil : layers.max(), tap: tap,
            observe: { index, state in
                try observe?(index, state)
                for (place, layer) in layers.enumerated() where layer == index {
                    try stream.convert(state, into: self.chosen.tensor.columns(place * size..<(place + 1) * size))
                }
            }, on: stream)
        let rows = configuration.vision.tokens - tokensPerTile..<configuration.vision.tokens
        let hidden = projected.tensor.rows(rows)
        try projection.0(chosen.tensor.rows(rows), activation: configuration.projectorActivation, into: hidden, on: stream)
        try projection.1(hidden, into: features, on: stream)
    }

    // MARK: Prompts

    public var picturePlaceholder: String? { "<image>" }
    public func pictureText(for layout: ImageLayout) -> String { String(repeating: "<image>", count: pictureTokens(for: layout)) }
    public static var usualImageProcessor: String { "CLIP" }

    public static func imageProcessor(of files: ModelFiles) throws -> any ImageProcessor {
        guard let projector = files.projector?.gguf else {
            return try ImageProcessors.make(try ImageProcessorConfiguration(of: files), fallback: usualImageProcessor)
        }
        var configuration = ImageProcessorConfiguration(type: "CLIP")
        let edge = try projector.int("clip.vision.image_size")
        configuration.size = .init(shortestEdge: edge)
        configuration.cropSize = .init(height: edge, width: edge)
        if projector["clip.vision.image_mean"] != nil { configuration.imageMean = try projector.floats("clip.vision.image_mean").map(Double.init) }
        if projector["clip.vision.image_std"] != nil { configuration.imageStd = try projector.floats("clip.vision.image_std").map(Double.init) }
        return try ImageProcessors.make(configuration)
    }
}

// MARK: - Files

extension LLaVA {
    public static var modelTypes: [String] { ["llava"] }

    public static func make(from files: ModelFiles) throws -> LLaVA { try make(from: files, contextLength: nil) }

    /// - Parameter contextLength: positions to make room for; by default those the model has, up to 4,096.
    public static func make(from files: ModelFiles, contextLength: Int?) throws -> LLaVA {
        let source = try weightSource(of: files)
        var configuration: Configuration
        if let gguf = files.checkpoint.gguf {
            guard let projector = files.projector, let metadata = projector.gguf else {
                throw ModelError.configuration(
                    file: files.path, key: "general.architecture", problem: "pictures need the tower's file as well: give it with --mmproj")
            }
            configuration = try Configuration(
                gguf: gguf, checkpoint: files.checkpoint, projector: metadata, projectorCheckpoint: projector)
        } else if let file = files.configuration {
            configuration = try Configuration(file.main)
            // A tensor that is there wins over a configuration that says it is not.
            if source.contains("language_model.lm_head.weight") { configuration.text.isTied = false }
        } else {
            throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
        }
        if let contextLength = contextLength ?? files.options.contextLength {
            configuration.text.contextLength = max(1, min(contextLength, configuration.text.trainedPositions))
        }
        let model = LLaVA(configuration: configuration)
        try source.assignFormats(to: model.parameters)
        return model
    }

    public static func naming(of files: ModelFiles) -> any CheckpointNaming { LLaVANaming() }

    public static func weightSource(of files: ModelFiles) throws -> WeightSource {
        guard files.checkpoint.format == .gguf, let projector = files.projector else {
            return WeightSource(checkpoint: files.checkpoint, naming: LLaVANaming())
        }
        return WeightSource(joining: [
            WeightSource(checkpoint: files.checkpoint, naming: GGUFLLaVATextNaming()),
            WeightSource(checkpoint: projector, naming: try GGUFClipNaming(projector)),
        ])
    }
}

/// The published names, those transformers 5 writes, and those of a text model saved inside `model`.
private struct LLaVANaming: CheckpointNaming {
    private static let spellings: [(String, [String])] = [
        ("language_model.lm_head.", ["language_model.lm_head.", "lm_head."]),
        ("language_model.model.", ["language_model.model.", "model.language_model.", "language_model."]),
        (
            "vision_tower.vision_model.",
            ["vision_tower.vision_model.", "vision_tower.", "model.vision_tower.vision_model.", "model.vision_tower."]
        ),
        ("multi_modal_projector.", ["multi_modal_projector.", "model.multi_modal_projector."]),
    ]

    func candidates(for key: String) -> [StoredSlice] {
        guard let (prefix, others) = Self.spellings.first(where: { key.hasPrefix($0.0) }) else { return [StoredSlice(key)] }
        return others.map { StoredSlice($0 + key.dropFirst(prefix.count)) }
    }
}

/// Llama's names in GGUF files, asked for as LLaVA's text model.
private struct GGUFLLaVATextNaming: CheckpointNaming {
    func candidates(for key: String) -> [StoredSlice] {
        let prefix = "language_model."
        return key.hasPrefix(prefix) ? GGUFLlamaNaming().candidates(for: String(key.dropFirst(prefix.count))) : []
    }
}

/// Where llama.cpp's "mmproj" files keep CLIP's tower and LLaVA's projector.
struct GGUFClipNaming: CheckpointNaming {
    private let modules: [String: String]

    private static let names = [
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.out_proj": "attn_out",
        "layer_norm1": "ln1", "layer_norm2": "ln2", "mlp.fc1": "ffn_up", "mlp.fc2": "ffn_down",
    ]
    private static let tops = [
        "vision_tower.vision_model.embeddings.class_embedding": "v.class_embd",
        "vision_tower.vision_model.embeddings.patch_embedding.weight": "v.patch_embd.weight",
        "vision_tower.vision_model.embeddings.position_embedding.weight": "v.position_embd.weight",
        "vision_tower.vision_model.pre_layrnorm.weight": "v.pre_ln.weight", "vision_tower.vision_model.pre_layrnorm.bias": "v.pre_ln.bias",
        "multi_modal_projector.linear_1.weight": "mm.0.weight", "multi_modal_projector.linear_1.bias": "mm.0.bias",
        "multi_modal_projector.linear_2.weight": "mm.2.weight", "multi_modal_projector.linear_2.bias": "mm.2.bias",
    ]

    /// Most files call the first feed-forward layer "down" and the second "up", later ones the other way round: the bias of
    /// the first is as long as the hidden layer.
    init(_ checkpoint: Checkpoint) throws {
        var modules = Self.names
        if checkpoint.contains("v.blk.0.ffn_down.weight"), checkpoint.contains("v.blk.0.ln2.weight"),
            try checkpoint.entry("v.blk.0.ffn_down.weight").shape.last == checkpoint.entry("v.blk.0.ln2.weight").shape.last
        {
            modules["mlp.fc1"] = "ffn_down"
            modules["mlp.fc2"] = "ffn_up"
        }
        self.modules = modules
    }

    func candidates(for key: String) -> [StoredSlice] {
        if let top = Self.tops[key] { return [StoredSlice(top)] }
        let prefix = "vision_tower.vision_model.encoder.layers."
        guard key.hasPrefix(prefix), let dot = key.lastIndex(of: ".") else { return [] }
        let parts = key[..<dot].dropFirst(prefix.count).split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let module = modules[String(parts[1])] else { return [] }
        return [StoredSlice("v.blk.\(parts[0]).\(module)\(key[dot...])")]
    }
}
