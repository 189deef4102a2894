import Checkpoint
import Compute
import NumberFormats
import Media
import Transformer
import JSON

// Idefics3 and SmolVLM (Laurençon et al. 2024; Marafioti et al. 2025): a SigLIP tower over the tiles of a picture and over
// the whole of it, whose patches are merged by pixel shuffle (Shi et al. 2016, turned round) to few tokens, among a
// Llama's tokens. Reference: transformers' modeling_idefics3, modeling_smolvlm and processing_smolvlm. Also as a pair of GGUF
// files, as LLaVA.

// MARK: - Configuration

extension SmolVLM {
    package struct Configuration: Sendable, Hashable {
        package var text: Llama.Configuration
        package var vision: VisionTower.Configuration
        /// Patches along an edge that become one token.
        package var scaleFactor = 2
        package var imageToken = 128_257

        /// Tokens of one tile.
        package var tokensPerTile: Int { vision.grid.count / (scaleFactor * scaleFactor) }

        /// Reads a Hugging Face `config.json`.
        package init(_ file: JSONReader) throws {
            let textFile =
                try file.object("text_config", default: [:])
            let visionFile =
                try file.object("vision_config", default: [:])
            let type = try textFile.string("model_type", default: "llama")
            // Idefics3's first checkpoints called their Llama so.
            guard ["llama", "VLlama3"].contains(type) else {
                throw ModelError.configuration(
                    file: file.file, key: "text_config.model_type",
                    problem: "SmolVLM with “\(type)” is not supported; supported is llama")
            }
            text = try Llama.Configuration(textFile)
            text.isTied = try text.isTied || file.bool("tie_word_embeddings", default: false)
            vision = try VisionTower.Configuration(visionFile, family: .siglip)
            scaleFactor = try file.int("scale_factor", default: 2)
            imageToken = try file.int("image_token_id", default: 128_257)
            try requireWholeTokens(file.file, key: "scale_factor")
        }

        /// Reads the metadata of a text model's GGUF file and of its "mmproj" file.
        init(gguf: GGUFMetadata, checkpoint: Checkpoint, projector: GGUFProjector) throws {
            try projector.requireType("idefics3")
            text = try Llama.Configuration(gguf: gguf, checkpoint: checkpoint)
            vision = try projector.vision(family: .siglip, gelu: .geluTanh)
            scaleFactor = try projector.metadata.int(Self.scaleKey)
            imageToken = try GGUFProjector.imageToken(gguf, vocabulary: text.vocabulary)
            try requireWholeTokens(projector.metadata.file, key: Self.scaleKey)
        }

        private static let scaleKey = "clip.vision.projector.scale_factor"

        private func requireWholeTokens(_ file: String, key: String) throws {
            let grid = vision.grid
            guard scaleFactor > 0, grid.rows % scaleFactor == 0, grid.columns % scaleFactor == 0 else {
                throw ModelError.configuration(
                    file: file, key: key,
                    problem: "\(grid.rows)×\(grid.columns) patches do not divide by \(scaleFactor)")
            }
        }
    }
}

// MARK: - Model

/// SmolVLM or Idefics3 on a device.
package final class SmolVLM: PromptPictureReader {
    package let configuration: Configuration
    package let text: Llama
    package let pictures: PictureTokens
    private let tower: VisionTower
    private let projection: Linear
    /// Patches merged to tokens, `[tokens, size · scale²]`
    private let merged: Slot

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let (parameters, workspace) = (ParameterList(), Workspace())
        // Positions number the patches of a whole tile row by row, which is what position ids come to when every tile is
        // full, as the processor makes them.
        tower = VisionTower(
            ParameterScope(list: parameters, prefix: "model.vision_model.", purpose: .weightsVision),
            configuration: c.vision,
            names: .clip, workspace: workspace)
        let width = c.vision.layer.hiddenSize * c.scaleFactor * c.scaleFactor
        projection = Linear(
            ParameterScope(
                list: parameters, prefix: "model.connector.modality_projection.proj.", purpose: .weightsProjector),
            inputs: width, outputs: c.text.hiddenSize, bias: false)
        merged = workspace.reserve("merged patches", rows: c.tokensPerTile, columns: width, phase: "vision")
        pictures = PictureTokens(placeholder: c.imageToken)
        text = Llama(
            configuration: c.text, scope: ParameterScope(list: parameters, prefix: "text.", purpose: .weightsDecoder),
            workspace: workspace, resources: [tower.input], overrides: pictures)
    }

    package var decoder: Decoder { text.decoder }
    package var patchGrid: PatchGrid { configuration.vision.grid }
    package var tokensPerTile: Int { configuration.tokensPerTile }
    package var mergedPatches: Int { configuration.scaleFactor }
    package var hasClassToken: Bool { false }
    package var encoderLayers: Int { configuration.vision.layers }
    package var hasTiles: Bool { true }

    package func encodeTile(
        _ pixels: ArraySlice<Float>, into features: Tensor, whole: Bool, tap: AttentionTap,
        observe: HiddenStateObserver?, on stream: CommandStream
    ) throws {
        let patches = try tower.encode(pixels, tap: tap, observe: observe, on: stream)
        try merge(patches, into: merged.tensor, on: stream)
        try projection(merged.tensor, into: features, on: stream)
    }

    /// Pixel shuffle: a square of patches, row by row, becomes one token, their channels end to end.
    private func merge(_ patches: Tensor, into out: Tensor, on stream: CommandStream) throws {
        let (scale, size, grid) = (configuration.scaleFactor, configuration.vision.layer.hiddenSize, patchGrid)
        let across = grid.columns / scale
        for row in 0..<grid.rows {
            // Neighbors in a row of patches lie side by side already: `scale` of them are a stretch of a token.
            let first = patches.rows(row * grid.columns..<row * grid.columns + 1)
            let stretches = Tensor(
                buffer: first.buffer, byteOffset: first.byteOffset, rows: across, columns: scale * size)
            let place = row % scale * scale * size
            let tokens = row / scale * across..<(row / scale + 1) * across
            try stream.convert(stretches, into: out.rows(tokens).columns(place..<place + scale * size))
        }
    }

    // MARK: Prompts

    package var picturePlaceholder: String? { "<image>" }

    /// The tiles row by row, each behind its place in the grid, a line break after each row; then the whole picture.
    package func pictureText(for layout: ImageLayout) -> String {
        let tile = String(repeating: "<image>", count: tokensPerTile)
        var text = ""
        for row in 0..<layout.rows {
            for column in 0..<layout.columns {
                text += "<fake_token_around_image><row_\(row + 1)_col_\(column + 1)>" + tile
            }
            text += "\n"
        }
        return text + (layout.rows > 0 ? "\n" : "") + "<fake_token_around_image><global-img>" + tile
            + "<fake_token_around_image>"
    }

    package static var defaultImageProcessor: String { "Idefics3" }

    package static func imageProcessor(of files: ModelFiles) throws -> any ImageProcessor {
        guard let projector = try files.projector.map(GGUFProjector.init) else {
            return try ImageProcessors.make(try ImageProcessorConfiguration(of: files), fallback: defaultImageProcessor)
        }
        var configuration = try projector.imageProcessor("Idefics3")
        let tile = try projector.metadata.int("clip.vision.image_size")
        configuration.maxImageSize = .init(longestEdge: tile)
        // All published models cut into four tiles along the longer edge; later files say so.
        configuration.size = .init(
            longestEdge: try projector.metadata.intIfPresent("clip.vision.preproc_image_size") ?? 4 * tile)
        return try ImageProcessors.make(configuration)
    }
}

// MARK: - Files

extension SmolVLM {
    package static var modelTypes: [String] { ["smolvlm", "idefics3"] }

    package static func make(from files: ModelFiles) throws -> SmolVLM {
        let source = try weightSource(of: files)
        var configuration: Configuration
        if let gguf = files.checkpoint.gguf, let projector = files.projector {
            configuration = try Configuration(
                gguf: gguf, checkpoint: files.checkpoint, projector: GGUFProjector(projector))
        } else if let file = files.configuration {
            configuration = try Configuration(file.main)
            // A stored tensor decides against the configuration.
            if source.contains("text.lm_head.weight") { configuration.text.isTied = false }
        } else {
            throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
        }
        configuration.text.makeRoom(for: files.options.contextLength)
        let model = SmolVLM(configuration: configuration)
        try source.assignFormats(to: model.parameters)
        return model
    }

    package func weightSource(of files: ModelFiles) throws -> WeightSource { try Self.weightSource(of: files) }

    package static func weightSource(of files: ModelFiles) throws -> WeightSource {
        guard let projector = try files.projector.map(GGUFProjector.init) else {
            return WeightSource(checkpoint: files.checkpoint, naming: SmolVLMNaming())
        }
        return try projector.weightSource(
            with: files.checkpoint, text: "text.", tower: "model.vision_model.",
            projector: ["model.connector.modality_projection.proj.weight": "mm.model.fc.weight"])
    }
}

/// The text model's parts are not below one name in the files.
private struct SmolVLMNaming: CheckpointNaming {
    private static let spellings = [("text.model.", "model.text_model."), ("text.lm_head.", "lm_head.")]

    func candidates(for key: String) -> [StoredSlice] {
        for (own, stored) in Self.spellings where key.hasPrefix(own) {
            return [StoredSlice(stored + key.dropFirst(own.count))]
        }
        return [StoredSlice(key)]
    }
}
