import Checkpoint
import Compute
import NumberFormats
import Media
import Transformer
import JSON

// LLaVA 1.5 (Liu et al. 2023): a CLIP tower whose features, through a projector of two layers, take the places of image
// tokens among a Llama's tokens. Reference: transformers' modeling_llava. Also as llama.cpp has it: a GGUF file of the text
// model and one of tower and projector ("mmproj").

// MARK: - Configuration

extension LLaVA {
    package struct Configuration: Sendable, Hashable {
        package var text: Llama.Configuration
        package var vision: VisionTower.Configuration
        /// The hidden states whose channels the projector reads side by side: 0 before the first layer, i after layer i − 1.
        package var featureLayers: [Int]
        /// True where the class token is one of a picture's tokens.
        package var keepsClassToken = false
        package var projectorActivation = Activation.gelu
        package var projectorHasBias = true
        /// The token that stands for a patch in a prompt.
        package var imageToken: Int

        /// Tokens of a picture.
        package var pictureTokens: Int { keepsClassToken ? vision.tokens : vision.grid.count }

        /// Reads a Hugging Face `config.json`.
        package init(_ file: JSONReader) throws {
            let textFile =
                try file.object("text_config", default: [:])
            let visionFile =
                try file.object("vision_config", default: [:])
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
                        file: file.file, key: "vision_feature_layer",
                        problem: "there is no hidden state \(layer) of \(layers) layers")
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
                    file: file.file, key: "vision_feature_select_strategy",
                    problem: "“\(other)” is not known (known: default, full)")
            }
            projectorActivation = try Activation(named: "projector_hidden_act", in: file, default: "gelu")
            projectorHasBias = try file.bool("multimodal_projector_bias", default: true)
            imageToken = try file.int("image_token_index", default: file.int("image_token_id", default: 32000))
        }

        private static func require(_ part: JSONReader, _ type: String) throws {
            let actual = try part.string("model_type", default: type)
            guard actual == type else {
                throw ModelError.configuration(
                    file: part.file, key: part.path(of: "model_type"),
                    problem: "LLaVA with “\(actual)” is not supported; supported is \(type)")
            }
        }

        /// Reads the metadata of a text model's GGUF file and of its "mmproj" file.
        init(gguf: GGUFMetadata, checkpoint: Checkpoint, projector: GGUFProjector) throws {
            try projector.requireType("mlp")
            text = try Llama.Configuration(gguf: gguf, checkpoint: checkpoint)
            vision = try projector.vision(family: .clip, gelu: .gelu)
            // Files are written with the layers up to the one whose features are read, unless they name others.
            let (layers, key) = (vision.layers, "clip.vision.feature_layer")
            featureLayers = projector.metadata[key] == nil ? [layers] : try projector.metadata.ints(key)
            guard !featureLayers.isEmpty, featureLayers.allSatisfy({ (0...layers).contains($0) }) else {
                throw ModelError.configuration(
                    file: projector.metadata.file, key: key,
                    problem: "\(featureLayers) are no hidden states of \(layers) layers")
            }
            projectorHasBias = projector.checkpoint.contains("mm.0.bias")
            imageToken = try GGUFProjector.imageToken(gguf, vocabulary: text.vocabulary)
        }
    }
}

// MARK: - Model

/// LLaVA on a device.
package final class LLaVA: PromptPictureReader {
    package let configuration: Configuration
    package let text: Llama
    package let pictures: PictureTokens
    private let tower: VisionTower
    private let projection: (Linear, Linear)
    /// Channels of the chosen hidden states side by side, `[tokens, size · layers]`.
    private let chosen: Slot
    /// `[tokens, text size]`
    private let projected: Slot

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let (parameters, workspace) = (ParameterList(), Workspace())
        tower = VisionTower(
            ParameterScope(list: parameters, prefix: "vision_tower.vision_model.", purpose: .weightsVision),
            configuration: c.vision,
            names: .clip, workspace: workspace)
        let projector = ParameterScope(list: parameters, prefix: "multi_modal_projector.", purpose: .weightsProjector)
        let width = c.vision.layer.hiddenSize * c.featureLayers.count
        projection = (
            Linear(projector("linear_1"), inputs: width, outputs: c.text.hiddenSize, bias: c.projectorHasBias),
            Linear(
                projector("linear_2"), inputs: c.text.hiddenSize, outputs: c.text.hiddenSize, bias: c.projectorHasBias)
        )
        chosen = workspace.reserve("vision features", rows: c.vision.tokens, columns: width, phase: "vision")
        projected = workspace.reserve("projected", rows: c.vision.tokens, columns: c.text.hiddenSize, phase: "vision")
        pictures = PictureTokens(placeholder: c.imageToken)
        text = Llama(
            configuration: c.text,
            scope: ParameterScope(list: parameters, prefix: "language_model.", purpose: .weightsDecoder),
            workspace: workspace, resources: [tower.input], overrides: pictures)
    }

    package var decoder: Decoder { text.decoder }
    package var patchGrid: PatchGrid { configuration.vision.grid }
    package var tokensPerTile: Int { configuration.pictureTokens }
    package var mergedPatches: Int { 1 }
    package var hasClassToken: Bool { configuration.keepsClassToken }
    package var encoderLayers: Int { configuration.vision.layers }
    package var hasTiles: Bool { false }

    package func encodeTile(
        _ pixels: ArraySlice<Float>, into features: Tensor, whole: Bool, tap: AttentionTap,
        observe: HiddenStateObserver?, on stream: CommandStream
    ) throws {
        let (size, layers) = (configuration.vision.layer.hiddenSize, configuration.featureLayers)
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
        try projection.0(
            chosen.tensor.rows(rows), activation: configuration.projectorActivation, into: hidden, on: stream)
        try projection.1(hidden, into: features, on: stream)
    }

    // MARK: Prompts

    package var picturePlaceholder: String? { "<image>" }
    package func pictureText(for layout: ImageLayout) -> String {
        String(repeating: "<image>", count: pictureTokens(for: layout))
    }
    package static var defaultImageProcessor: String { "CLIP" }

    package static func imageProcessor(of files: ModelFiles) throws -> any ImageProcessor {
        guard let projector = try files.projector.map(GGUFProjector.init) else {
            return try ImageProcessors.make(try ImageProcessorConfiguration(of: files), fallback: defaultImageProcessor)
        }
        var configuration = try projector.imageProcessor("CLIP")
        let edge = try projector.metadata.int("clip.vision.image_size")
        configuration.size = .init(shortestEdge: edge)
        configuration.cropSize = .init(height: edge, width: edge)
        return try ImageProcessors.make(configuration)
    }
}

// MARK: - Files

extension LLaVA {
    package static var modelTypes: [String] { ["llava"] }

    package static func make(from files: ModelFiles) throws -> LLaVA {
        let source = try weightSource(of: files)
        var configuration: Configuration
        if let gguf = files.checkpoint.gguf {
            guard let projector = files.projector else {
                throw ModelError.configuration(
                    file: files.path, key: "general.architecture",
                    problem: "pictures need the tower's file as well: give it with --mmproj")
            }
            configuration = try Configuration(
                gguf: gguf, checkpoint: files.checkpoint, projector: GGUFProjector(projector))
        } else if let file = files.configuration {
            configuration = try Configuration(file.main)
            // A stored tensor decides against the configuration.
            if source.contains("language_model.lm_head.weight") { configuration.text.isTied = false }
        } else {
            throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
        }
        configuration.text.makeRoom(for: files.options.contextLength)
        let model = LLaVA(configuration: configuration)
        try source.assignFormats(to: model.parameters)
        return model
    }

    package func weightSource(of files: ModelFiles) throws -> WeightSource { try Self.weightSource(of: files) }

    package static func weightSource(of files: ModelFiles) throws -> WeightSource {
        guard let projector = try files.projector.map(GGUFProjector.init) else {
            return WeightSource(checkpoint: files.checkpoint, naming: LLaVANaming())
        }
        return try projector.weightSource(
            with: files.checkpoint, text: "language_model.", tower: "vision_tower.vision_model.",
            projector: [
                "multi_modal_projector.linear_1.weight": "mm.0.weight",
                "multi_modal_projector.linear_1.bias": "mm.0.bias",
                "multi_modal_projector.linear_2.weight": "mm.2.weight",
                "multi_modal_projector.linear_2.bias": "mm.2.bias",
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
        guard let (prefix, others) = Self.spellings.first(where: { key.hasPrefix($0.0) }) else {
            return [StoredSlice(key)]
        }
        return others.map { StoredSlice($0 + key.dropFirst(prefix.count)) }
    }
}
