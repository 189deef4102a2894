import AttentionTypes
import Checkpoint
import Compute
import Foundation
import JSON
import Media
import Transformer

// Florence-2 (Xiao et al. 2023, "Florence-2: Advancing a Unified Representation for a Variety of Vision Tasks"): a DaViT
// tower whose features stand before the words of a prompt in BART's encoder; BART's decoder attends to both. Reference:
// transformers' modeling_florence2, and the code in the original repositories.

// MARK: - Configuration

extension Florence2 {
    package struct Configuration: Sendable, Hashable {
        package var text: BARTConfiguration
        package var tower: DaViTTower.Configuration
        /// Rows or columns of places that there are embeddings for.
        package var edgePositions: Int
        package var temporalPositions: Int
        /// The token that begins a prompt.
        package var beginToken: Int
        /// The checkpoint keeps the projection as `[inputs, outputs]`, as the original repositories do.
        package var projectionIsTransposed = false

        /// Rows of the picture's features: their mean, then one for each place.
        package var pictureRows: Int { 1 + (tower.grids.last.map { $0.rows * $0.columns } ?? 0) }

        /// Reads a Hugging Face `config.json`, transformers' or that of the original repositories, and the picture's size
        /// from `preprocessor_config.json`.
        package init(_ file: ModelConfiguration) throws {
            let (main, part) = (file.main, try file.main.object("text_config"))
            var defaults = BARTConfiguration()
            defaults.vocabulary = 51289
            defaults.decoderVocabulary = 51289
            text = try BARTConfiguration(file, part: part, defaults: defaults)
            beginToken = try part.int("bos_token_id", default: 0)
            let vision = try main.object("vision_config")
            let edges = try vision.objectIfPresent("image_pos_embed")
            edgePositions = try edges?.int("max_pos_embeddings") ?? vision.int("max_position_embeddings", default: 50)
            let temporal = try vision.objectIfPresent("visual_temporal_embedding")
            temporalPositions =
                try temporal?.int("max_temporal_embeddings") ?? vision.int("max_temporal_embeddings", default: 100)
            let size = try file.preprocessor.objectIfPresent("size")
            tower = try DaViTTower.Configuration(
                vision, height: try size?.intIfPresent("height") ?? 768, width: try size?.intIfPresent("width") ?? 768)
            try ModelError.requireRange(
                main.file,
                [
                    ("text_config.bos_token_id", beginToken, .from(0, to: text.vocabulary - 1)),
                    ("vision_config.max_position_embeddings", edgePositions, .from(1, to: 8192)),
                    ("vision_config.max_temporal_embeddings", temporalPositions, .from(1, to: 65536)),
                ])
            let grid = tower.grids[tower.grids.count - 1]
            guard grid.rows <= edgePositions, grid.columns <= edgePositions, pictureRows + 2 <= text.positions else {
                throw ModelError.configuration(
                    file: file.preprocessor.file, key: "size",
                    problem:
                        "a picture of \(tower.imageHeight)×\(tower.imageWidth) makes \(grid.rows)×\(grid.columns) places; the model has embeddings for \(edgePositions) in a row, and \(text.positions) positions"
                )
            }
            let projection = try vision.int("projection_dim", default: text.hiddenSize)
            guard projection == text.hiddenSize else {
                throw ModelError.configuration(
                    file: main.file, key: "vision_config.projection_dim",
                    problem: "\(projection) is not the text's width, \(text.hiddenSize)")
            }
        }
    }
}

extension DaViTTower.Configuration {
    /// Reads the part of a `config.json` that describes the tower.
    fileprivate init(_ file: JSONReader, height: Int, width: Int) throws {
        func list(_ key: String, _ fallback: [Int]) throws -> [Int] { try file.ints(key, default: fallback) }
        let channels = try list("embed_dim", list("dim_embed", [128, 256, 512, 1024]))
        let lists = [
            ("depths", try list("depths", [1, 1, 9, 1])), ("num_heads", try list("num_heads", [4, 8, 16, 32])),
            ("num_groups", try list("num_groups", [4, 8, 16, 32])),
            ("patch_size", try list("patch_size", [7, 3, 3, 3])),
            ("patch_stride", try list("patch_stride", [4, 2, 2, 2])),
            ("patch_padding", try list("patch_padding", [3, 1, 1, 1])),
        ]
        let prenorms = try file.memberIfPresent("patch_prenorm")?.elements().map { try $0.bool() }
        let norms = prenorms ?? channels.indices.map { $0 > 0 }
        func problem(_ key: String, _ problem: String) -> ModelError {
            .configuration(file: file.file, key: file.path(of: key), problem: problem)
        }
        guard (1...8).contains(channels.count) else {
            throw problem("embed_dim", "\(channels.count) stages are not 1 to 8")
        }
        for (key, values) in lists + [("patch_prenorm", norms.map { $0 ? 1 : 0 })] where values.count != channels.count
        {
            throw problem(key, "\(values.count) values for \(channels.count) stages")
        }
        let window = try file.int("window_size", default: 12)
        try ModelError.requireRange(
            file.file,
            [
                (file.path(of: "window_size"), window, .from(1, to: 64)), ("size", height, .from(1, to: 8192)),
                ("size", width, .from(1, to: 8192)),
            ]
                + channels.map { (file.path(of: "embed_dim"), $0, .from(1, to: 65536)) }
                + lists.flatMap { key, values in
                    values.map {
                        (file.path(of: key), $0, key == "patch_padding" ? .from(0, to: 64) : .from(1, to: 1024))
                    }
                })
        for (stage, size) in channels.enumerated() {
            let (heads, groups) = (lists[1].1[stage], lists[2].1[stage])
            guard size % heads == 0, size / heads <= AttentionSelection.largestHead, size % groups == 0 else {
                throw problem(
                    size % groups == 0 ? "num_heads" : "num_groups",
                    "\(heads) heads of at most \(AttentionSelection.largestHead) elements and \(groups) groups do not divide \(size) channels"
                )
            }
        }
        let ratio = try file.double("mlp_ratio", default: 4)
        guard ratio > 0, ratio <= 64 else { throw problem("mlp_ratio", "\(ratio) is not within 0…64") }
        self.init(
            imageHeight: height, imageWidth: width,
            stages: channels.indices.map { stage in
                DaViTTower.Stage(
                    channels: channels[stage], depth: lists[0].1[stage], heads: lists[1].1[stage],
                    groups: lists[2].1[stage], kernel: lists[3].1[stage], stride: lists[4].1[stage],
                    padding: lists[5].1[stage], normalizesInput: norms[stage])
            }, window: window, feedForwardRatio: ratio, hasBias: try file.bool("qkv_bias", default: true),
            activation: try Activation(named: "activation_function", in: file, default: "gelu"))
        for (grid, stage) in zip(grids, stages) where grid.rows < 1 || grid.columns < 1 {
            throw problem("patch_stride", "\(height)×\(width) pixels are too few for a kernel of \(stage.kernel)")
        }
    }
}

// MARK: - Projector

/// The tower's places → rows before the prompt: with embeddings of their row, column and time, their mean first.
private struct FlorenceProjector {
    private let columnEmbeddings: Parameter
    private let rowEmbeddings: Parameter
    private let temporal: Parameter
    private let projection: Parameter
    private let norm: LayerNorm
    private let columns: IndexTable
    private let rows: IndexTable
    private let positions: Slot
    private let tokens: Slot
    private let zeros: Slot
    private let features: Slot

    init(_ scope: ParameterScope, configuration c: Florence2.Configuration, workspace: Workspace) {
        let channels = c.tower.stages[c.tower.stages.count - 1].channels
        let grid = c.tower.grids[c.tower.grids.count - 1]
        let places = grid.rows * grid.columns
        let embed = scope("image_position_embed")
        columnEmbeddings = embed.table(
            "column_embeddings.weight", rows: c.edgePositions, columns: channels - channels / 2)
        rowEmbeddings = embed.table("row_embeddings.weight", rows: c.edgePositions, columns: channels / 2)
        let count = c.temporalPositions
        temporal = scope.optionalTable("visual_temporal_embed.pos_idx_to_embed", rows: count, columns: channels) {
            // Sines and cosines in turn.
            (0..<count * channels).map { index in
                let (position, column) = (index / channels, index % channels)
                let angle = Double(position) * pow(10000, -Double(column / 2 * 2) / Double(channels))
                return Float(column % 2 == 0 ? sin(angle) : cos(angle))
            }
        }
        let width = c.text.hiddenSize
        projection =
            c.projectionIsTransposed
            ? scope.transposedMatrix("image_projection.weight", outputs: width, inputs: channels)
            : scope.matrix("image_projection.weight", outputs: width, inputs: channels)
        norm = LayerNorm(scope("image_proj_norm"), size: width)
        columns = IndexTable(label: "columns of places", count: places) { (0..<places).map { $0 % grid.columns } }
        rows = IndexTable(label: "rows of places", count: places) { (0..<places).map { $0 / grid.columns } }
        func reserve(_ label: String, _ rows: Int, _ columns: Int, _ phase: String) -> Slot {
            workspace.reserve(label, rows: rows, columns: columns, phase: phase)
        }
        positions = reserve("positions of places", places, channels, "vision")
        tokens = reserve("places with positions", places + 1, channels, "vision")
        zeros = reserve("query of the mean", 1, channels, "vision")
        // The text encoder reads these while its own phase runs.
        features = reserve("picture features", places + 1, width, "encoder")
    }

    var resources: [any DeviceResource] { [columns, rows] }

    /// - Parameter x: `[places, channels]`
    /// - Returns: `[1 + places, hiddenSize]`
    func callAsFunction(_ x: Tensor, on stream: CommandStream) throws -> Tensor {
        let (positions, tokens) = (positions.tensor, tokens.tensor)
        let split = columnEmbeddings.columns
        try stream.gatherRows(
            columnEmbeddings.tensor, index: columns.tensor, into: positions.columns(0..<split))
        try stream.gatherRows(
            rowEmbeddings.tensor, index: rows.tensor, into: positions.columns(split..<positions.columns))
        let places = tokens.rows(1..<tokens.rows)
        try stream.add(x, positions, into: places)
        try stream.add(places, temporal.tensor.rows(0..<1).repeated(places.rows), into: places)
        // Attention of a query of zeros is the mean.
        try stream.fill(zeros.tensor.byteRange, with: 0)
        let size = (1...AttentionSelection.largestHead).last { x.columns % $0 == 0 } ?? 1
        try stream.attention(
            shape: AttentionShape(heads: x.columns / size, headDimension: size), query: zeros.tensor, key: places,
            value: places, into: tokens.rows(0..<1))
        let out = features.tensor
        try stream.linear(tokens, weight: projection.matrix, bias: nil, into: out)
        try norm(out, into: out, on: stream)
        return out
    }
}

// MARK: - Model

/// Florence-2 on a device: a picture and a prompt in, a text out, which may hold places of the picture as `<loc_N>`.
package final class Florence2: PromptedPictureReader {
    package let configuration: Configuration
    private let parts: BARTParts
    private let tower: DaViTTower
    private let projector: FlorenceProjector
    /// Receives the tower's stages and, behind them, the picture's features, for traces.
    private var observeTower: HiddenStateObserver?

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let (parameters, workspace) = (ParameterList(), Workspace())
        tower = DaViTTower(
            ParameterScope(list: parameters, prefix: "model.vision_tower.", purpose: .weightsVision),
            configuration: c.tower, workspace: workspace)
        projector = FlorenceProjector(
            ParameterScope(list: parameters, prefix: "model.multi_modal_projector.", purpose: .weightsProjector),
            configuration: c, workspace: workspace)
        parts = BARTParts(
            name: "Florence-2", configuration: c.text, prefix: "model.language_model.",
            sourcePositions: c.text.positions, parameters: parameters, workspace: workspace,
            resources: tower.resources + projector.resources)
    }

    package var decoder: Decoder { parts.decoder }
    package var encoderLayers: Int { parts.textEncoder.layerCount }
    package var startTokens: [Int] { [configuration.text.startToken] }
    package var endTokens: Set<Int> { configuration.text.endTokens }
    package static var defaultImageProcessor: String { "CLIP" }

    // MARK: PromptedPictureReader

    package var pictureRows: Int { configuration.pictureRows }
    package var emptyPrompt: [Int] { [configuration.beginToken] + endTokens.sorted().prefix(1) }
    package var promptVocabulary: Int { configuration.text.vocabulary }
    /// Places in the picture, `<loc_0>` to `<loc_999>`.
    package func isAnswerText(_ piece: String) -> Bool { piece.hasPrefix("<loc_") }
    package func promptText(for text: String) throws -> String { try Florence2Task.prompt(for: text) }

    package func encode(_ picture: ProcessedImage, tokens: [Int]) throws {
        _ = try decoder.loaded()
        try parts.textEncoder.check(tokens, mask: nil, after: pictureRows, model: family)
        try decoder.encode { engine, observe in
            let places = try tower(picture.pixelValues[...], tap: engine.tap, observe: observeTower, on: engine.stream)
            let features = try projector(places, on: engine.stream)
            try observeTower?(tower.stageCount, features)
            let (output, mask) = try parts.textEncoder(
                tokens, mask: nil, after: features, tap: engine.tap, observe: observe, on: engine.stream)
            return (output, nil, mask)
        }
    }

    package func pictureKeys(_ layouts: [ImageLayout], in tokens: [Int]) -> [[PatchKey]] {
        let grid = configuration.tower.grids[configuration.tower.grids.count - 1]
        let pixels = configuration.tower.stages.reduce(1) { $0 * $1.stride }
        return layouts.map {
            PatchKey.keys(
                ofTile: 0, in: $0, patchSize: pixels, grid: (grid.rows, grid.columns), leadingTokens: 1, from: 0)
        }
    }

    /// Emits `vision.stage.i` `[channels, rows, columns]`, `vision.window_attn.L` `[windows, heads, queries, keys]`,
    /// `image_features`, and of the text encoder `enc.hidden.i`, `enc.attn.L` and `enc.out`.
    package func traceEncoding(
        _ input: ModelInput?, prompt: [Int], options: TraceOptions, emit: (TraceTensor) throws -> Void
    ) throws {
        let engine = try decoder.loaded()
        guard let input else { throw TransformerError.nothingEncoded(model: family) }
        var found: [TraceTensor] = []
        observeTower = { [configuration, stageCount = tower.stageCount] index, state in
            let values = try engine.stream.read(state)
            guard index < stageCount else {
                found.append(TraceTensor("image_features", shape: [state.rows, state.columns], floats: values))
                return
            }
            let (rows, columns) = (state.rows, state.columns)
            let grid = configuration.tower.grids[index]
            found.append(
                TraceTensor(
                    "vision.stage.\(index)", shape: [columns, grid.rows, grid.columns],
                    floats: (0..<rows * columns).map { values[$0 % rows * columns + $0 / rows] }))
        }
        defer { observeTower = nil }
        try encode(input)
        for tensor in found { try emit(tensor) }
        for state in decoder.takeHiddenStates() { try emit(TraceTensor("enc.hidden.\(state.index)", state)) }
        let rows = engine.tap.takeRows()
        for kind in [AttentionKind.vision, .encoder] {
            let name = kind == .vision ? "vision" : "enc"
            for layer in Dictionary(grouping: rows.filter { $0.kind == kind }, by: \.layer).sorted(by: {
                $0.key < $1.key
            }) { try emit(TraceTensor(name, layer: layer.key, layer.value)) }
        }
        let output = try decoder.readEncoderOutput()
        try emit(TraceTensor("enc.out", shape: output.shape, floats: output.values))
    }
}

// MARK: - Files

extension Florence2 {
    package static var modelTypes: [String] { ["florence2"] }

    package static func make(from files: ModelFiles) throws -> Florence2 {
        guard let file = files.configuration else {
            throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
        }
        var configuration = try Configuration(file)
        configuration.projectionIsTransposed = files.checkpoint.contains("image_projection")
        let aliases = EmbeddingAliases(checkpoint: files.checkpoint, naming: Florence2Naming())
        if try aliases.areDifferent("lm_head.weight", "model.language_model.shared.weight") {
            configuration.text.isTied = false
        }
        configuration.text.makeRoom(for: files.options.contextLength)
        let model = Florence2(configuration: configuration)
        try model.assignStoredFormats(of: files)
        return model
    }

    package func weightSource(of files: ModelFiles) -> WeightSource {
        WeightSource(checkpoint: files.checkpoint, naming: Florence2Naming())
    }
}
