import Checkpoint
import Compute
import NumberFormats
import Media
import Transformer
import JSON

extension Mllama {
    /// The sizes of the vision tower.
    package struct VisionConfiguration: Sendable, Hashable {
        package var layer = VisionTower.LayerShape(
            hiddenSize: 1280, heads: 16, intermediateSize: 5120, epsilon: 1e-5, activation: .gelu)
        /// Layers whose contributions have no gates, then layers whose contributions do.
        package var localLayers = 32
        package var globalLayers = 8
        /// Local layers whose inputs are features too.
        package var intermediateLayers = [3, 7, 15, 23, 30]
        package var grid = PatchGrid(imageHeight: 448, imageWidth: 448, patchSize: 14)
        package var maximumTiles = 4
        /// Grids of tiles, numbered from 1.
        package var aspectRatios = 8

        package init() {}

        /// Reads `vision_config`.
        init(_ file: JSONReader) throws {
            func key(_ name: String) -> String { file.path(of: name) }
            let tower = try VisionTower.Configuration(
                file: file.file,
                family: .init(
                    hiddenSize: 1280, layers: 32, heads: 16, intermediateSize: 5120, imageSize: 448, patchSize: 14,
                    activation: "gelu",
                    epsilon: 1e-5,
                    hasClassToken: true, patchHasBias: false, hasPreNorm: true, hasFinalNorm: true),
                sizes: .init(
                    hiddenSize: (key("hidden_size"), file.int("hidden_size", default: 1280)),
                    heads: (key("attention_heads"), file.int("attention_heads", default: 16)),
                    layers: (key("num_hidden_layers"), file.int("num_hidden_layers", default: 32)),
                    intermediateSize: (key("intermediate_size"), file.int("intermediate_size", default: 5120)),
                    patchSize: (key("patch_size"), file.int("patch_size", default: 14)),
                    imageHeight: (key("image_size"), file.int("image_size", default: 448)),
                    imageWidth: (key("image_size"), file.int("image_size", default: 448))),
                activation: Activation(named: "hidden_act", in: file, default: "gelu"),
                epsilon: Float(file.double("norm_eps", default: 1e-5)))
            layer = tower.layer
            localLayers = tower.layers
            grid = tower.grid
            globalLayers = try file.int("num_global_layers", default: 8)
            maximumTiles = try file.int("max_num_tiles", default: 4)
            let channels = try file.int("num_channels", default: 3)
            try ModelError.requireRange(
                file.file,
                [
                    (key("num_global_layers"), globalLayers, .from(0, to: 1024)),
                    (key("max_num_tiles"), maximumTiles, .from(1, to: 64)),
                    (key("num_channels"), channels, .from(3, to: 3)),
                ])
            // Without a list, all grids of at most so many tiles.
            let grids = (1...maximumTiles).reduce(0) { $0 + maximumTiles / $1 }
            aspectRatios =
                try file.has("supported_aspect_ratios") ? file.intLists("supported_aspect_ratios").count : grids
            intermediateLayers = try file.ints("intermediate_layers_indices", default: intermediateLayers)
            for index in intermediateLayers where !(0...localLayers).contains(index) {
                throw ModelError.configuration(
                    file: file.file, key: key("intermediate_layers_indices"),
                    problem: "there is no layer \(index) among \(localLayers)")
            }
            let width = try file.int("vision_output_dim", default: featureSize)
            guard width == featureSize else {
                throw ModelError.configuration(
                    file: file.file, key: key("vision_output_dim"),
                    problem:
                        "\(width) is not what the last and \(intermediateLayers.count) intermediate states of \(layer.hiddenSize) make, \(featureSize)"
                )
            }
        }

        /// Class token and patches of a tile.
        var tokensPerTile: Int { grid.count + 1 }
        /// Rows of a tile in the sequence: a multiple of 8.
        var rowsPerTile: Int { (tokensPerTile + 7) / 8 * 8 }
        var featureSize: Int { layer.hiddenSize * (1 + intermediateLayers.count) }
    }
}

extension VisionTower.LayerNames {
    fileprivate static func mllama(gates: (attention: String, feedForward: String)?) -> VisionTower.LayerNames {
        VisionTower.LayerNames(
            attentionNorm: "input_layernorm",
            attention: .separate(
                .init(
                    query: "self_attn.q_proj", key: "self_attn.k_proj", value: "self_attn.v_proj",
                    output: "self_attn.o_proj", inputsHaveBias: false, outputHasBias: false)),
            feedForwardNorm: "post_attention_layernorm", feedForward: ("mlp.fc1", "mlp.fc2"), gates: gates)
    }
}

/// Mllama's vision tower: all tiles of a picture as one sequence, empty tiles included. Each tile is a class token, its
/// patches, and zeros up to a multiple of 8; positions count within a tile, and tiles have positions of their own.
final class MllamaVision: DeviceResource {
    let configuration: Mllama.VisionConfiguration
    private let patches: PatchEmbedding
    private let classToken: Parameter
    private let positions: Parameter
    private let positionsGate: Gate
    private let tilePositions: Parameter
    private let preTiles: Parameter
    private let preTilesGate: Gate
    private let postTiles: Parameter
    private let postTilesGate: Gate
    private let preNorm: LayerNorm
    private let postNorm: LayerNorm
    /// Local blocks, then global ones.
    private let encoder: Encoder

    private let input: InputBuffer
    private let scaledPositions: Slot
    private let tileOffsets: Slot
    private let features: Slot

    init(_ scope: ParameterScope, configuration c: Mllama.VisionConfiguration, workspace: Workspace, phase: String) {
        configuration = c
        let (size, tokens, tiles, grids) = (c.layer.hiddenSize, c.tokensPerTile, c.maximumTiles, c.aspectRatios + 1)
        patches = PatchEmbedding(scope("patch_embedding"), grid: c.grid, hiddenSize: size, bias: false)
        classToken = scope.vector("class_embedding", count: size)
        let positional = scope("gated_positional_embedding")
        positions = positional.table("embedding", rows: tokens, columns: size)
        positionsGate = Gate(positional, "gate")
        tilePositions = positional.matrix("tile_embedding.weight", outputs: grids, inputs: tiles * tokens * size)
        let (pre, post) = (scope("pre_tile_positional_embedding"), scope("post_tile_positional_embedding"))
        preTiles = pre.matrix("embedding.weight", outputs: grids, inputs: tiles * size)
        preTilesGate = Gate(pre, "gate")
        postTiles = post.matrix("embedding.weight", outputs: grids, inputs: tiles * size)
        postTilesGate = Gate(post, "gate")
        preNorm = LayerNorm(scope("layernorm_pre"), size: size)
        let local = (0..<c.localLayers).map {
            TransformerBlock.vision(
                scope("transformer.layers.\($0)"), layer: $0, shape: c.layer, names: .mllama(gates: nil))
        }
        postNorm = LayerNorm(scope("layernorm_post"), size: size)
        let global = (0..<c.globalLayers).map {
            TransformerBlock.vision(
                scope("global_transformer.layers.\($0)"), layer: c.localLayers + $0, shape: c.layer,
                names: .mllama(gates: ("gate_attn", "gate_ffn")))
        }
        let rows = tiles * c.rowsPerTile
        input = InputBuffer(
            label: "picture patches", byteCount: 4 * (tiles * c.grid.count * c.grid.patchValues + rows + 1))
        encoder = Encoder(
            blocks: local + global, finalNorm: nil, hiddenSize: size, rows: rows, workspace: workspace, phase: phase)
        scaledPositions = workspace.reserve("positions", rows: tokens, columns: size, phase: phase)
        tileOffsets = workspace.reserve("tile positions", rows: tiles, columns: size, phase: phase)
        features = workspace.reserve("picture features", rows: tiles * tokens, columns: c.featureSize, phase: phase)
    }

    var plannedBuffers: [PlannedBuffer] { input.plannedBuffers }
    func allocate(on device: Device) throws { try input.allocate(on: device) }
    func release() { input.release() }

    /// The shape of pixels a picture must have.
    private func check(_ picture: ProcessedImage) throws {
        let c = configuration
        let expected = [c.maximumTiles, 3, c.grid.imageHeight, c.grid.imageWidth]
        let layout = picture.layout
        guard layout.slotCount == c.maximumTiles, layout.tileHeight == c.grid.imageHeight,
            layout.tileWidth == c.grid.imageWidth,
            picture.pixelValues.count == expected.reduce(1, *), (1...c.maximumTiles).contains(layout.tiles.count)
        else {
            throw TransformerError.inputShape(
                what: "the tiles of a picture", expected: expected,
                actual: [layout.slotCount, 3, layout.tileHeight, layout.tileWidth])
        }
        guard let id = layout.aspectRatioID, (1...c.aspectRatios).contains(id) else {
            throw TransformerError.inputShape(
                what: "the number of a picture's grid of tiles", expected: [c.aspectRatios],
                actual: [layout.aspectRatioID ?? 0])
        }
    }

    /// Runs the tower over one picture.
    /// - Returns: features `[tiles · (patches + 1), featureSize]`, empty tiles included: the last state, then the
    ///   intermediate ones in order. Overwritten by the next run.
    func callAsFunction(_ picture: ProcessedImage, tap: AttentionTap, on stream: CommandStream) throws -> Tensor {
        try check(picture)
        // The device may still be reading the last picture's.
        try stream.finish()
        let masks = writeInput(picture)
        let x = encoder.states(rowCount)
        try embed(into: x, on: stream)
        let size = configuration.layer.hiddenSize
        let local = 0..<configuration.localLayers
        try encoder.run(
            x, blocks: local, masks: masks, tap: tap,
            observe: { index, state in
                try Task.checkCancellation()
                try self.keep(state, index: index, on: stream)
            }, on: stream)
        try keep(x, index: local.count, on: stream)
        try postNorm(x, into: x, on: stream)
        let offsets = try lookUp(postTiles, gate: postTilesGate, on: stream)
        for tile in 0..<configuration.maximumTiles {
            let rows = x.rows(tile * configuration.rowsPerTile..<(tile + 1) * configuration.rowsPerTile)
            try stream.add(rows, offsets.repeated(row: tile, count: rows.rows), into: rows)
        }
        try encoder.run(
            x, blocks: local.upperBound..<encoder.blocks.count, masks: masks, tap: tap,
            observe: { _, _ in try Task.checkCancellation() }, on: stream)
        try copyTokens(of: x, into: features.tensor.columns(0..<size), on: stream)
        return features.tensor
    }

    // MARK: Input

    private var patchBytes: Int {
        4 * configuration.maximumTiles * configuration.grid.count * configuration.grid.patchValues
    }
    private var rowCount: Int { configuration.maximumTiles * configuration.rowsPerTile }

    /// Puts patches, mask and the grid's number where the device reads them.
    /// - Returns: masks by runs: rows of padding see real rows only, real rows see everything.
    private func writeInput(_ picture: ProcessedImage) -> [MaskRun] {
        let c = configuration
        var patches: [Float] = []
        patches.reserveCapacity(patchBytes / 4)
        for tile in 0..<c.maximumTiles { patches += c.grid.arrange(picture.tile(tile)) }
        input.buffer.write(patches)
        let tiles = picture.layout.tiles.count
        let isReal = (0..<rowCount).map { $0 / c.rowsPerTile < tiles && $0 % c.rowsPerTile < c.tokensPerTile }
        input.buffer.write(isReal.map { $0 ? Float(0) : AttentionBias.excluded }, at: patchBytes)
        input.buffer.write([UInt32(picture.layout.aspectRatioID ?? 0)], at: patchBytes + 4 * rowCount)
        let mask = Tensor(buffer: input.buffer, byteOffset: patchBytes, rows: 1, columns: rowCount)
        var runs: [MaskRun] = []
        var first = 0
        for row in 1...rowCount where row == rowCount || isReal[row] != isReal[first] {
            runs.append(MaskRun(queries: first..<row, mask: isReal[first] ? nil : mask))
            first = row
        }
        return runs
    }

    /// A grid's row of a table, opened by a gate, `[tiles, size]`.
    private func lookUp(_ table: Parameter, gate: Gate, on stream: CommandStream) throws -> Tensor {
        try lookUp(table, gate: gate, into: tileOffsets.tensor, on: stream)
        return tileOffsets.tensor
    }

    private func lookUp(_ table: Parameter, gate: Gate, into out: Tensor, on stream: CommandStream) throws {
        let id = Tensor(buffer: input.buffer, byteOffset: patchBytes + 4 * rowCount, rows: 1, columns: 1, format: .i32)
        let row = Tensor(buffer: out.buffer, byteOffset: out.byteOffset, rows: 1, columns: out.rows * out.columns)
        try stream.embed(tokens: id, firstPosition: 0, table: table.matrix, scale: gate.opening, into: row)
    }

    /// Patches, class tokens and all positions, then the first norm; zeros where tiles are filled up.
    private func embed(into x: Tensor, on stream: CommandStream) throws {
        let c = configuration
        let size = c.layer.hiddenSize
        // The features come later: until then their place holds the tiles' positions.
        let place = features.tensor
        let positions = Tensor(
            buffer: place.buffer, byteOffset: place.byteOffset, rows: c.maximumTiles * c.tokensPerTile, columns: size)
        try lookUp(tilePositions, gate: positionsGate, into: positions, on: stream)
        let shared = scaledPositions.tensor
        try stream.convert(self.positions.tensor, scale: 1 - positionsGate.opening, into: shared)
        let offsets = try lookUp(preTiles, gate: preTilesGate, on: stream)
        for tile in 0..<c.maximumTiles {
            let rows = x.rows(tile * c.rowsPerTile..<(tile + 1) * c.rowsPerTile)
            let own = positions.rows(tile * c.tokensPerTile..<(tile + 1) * c.tokensPerTile)
            try stream.add(own, shared, into: own)
            let ofPatches = own.rows(1..<c.tokensPerTile)
            try stream.add(ofPatches, offsets.repeated(row: tile, count: ofPatches.rows), into: ofPatches)
            try stream.add(classToken.tensor, own.rows(0..<1), into: rows.rows(0..<1))
            let tilePatches = Tensor(
                buffer: input.buffer, byteOffset: 4 * tile * c.grid.count * c.grid.patchValues, rows: c.grid.count,
                columns: c.grid.patchValues)
            try patches(tilePatches, positions: ofPatches, into: rows.rows(1..<c.tokensPerTile), on: stream)
            let tokens = rows.rows(0..<c.tokensPerTile)
            try preNorm(tokens, into: tokens, on: stream)
            if c.rowsPerTile > c.tokensPerTile {
                try stream.fill(rows.rows(c.tokensPerTile..<c.rowsPerTile).byteRange, with: 0)
            }
        }
    }

    // MARK: Features

    /// Keeps the input of a local layer (or, at their number, what the last one put out), where it is a feature.
    private func keep(_ x: Tensor, index: Int, on stream: CommandStream) throws {
        let size = configuration.layer.hiddenSize
        for (place, wanted) in configuration.intermediateLayers.enumerated() where wanted == index {
            try copyTokens(of: x, into: features.tensor.columns((1 + place) * size..<(2 + place) * size), on: stream)
        }
    }

    /// The rows of all tiles without what fills them up.
    private func copyTokens(of x: Tensor, into out: Tensor, on stream: CommandStream) throws {
        let c = configuration
        for tile in 0..<c.maximumTiles {
            try stream.convert(
                x.rows(tile * c.rowsPerTile..<tile * c.rowsPerTile + c.tokensPerTile),
                into: out.rows(tile * c.tokensPerTile..<(tile + 1) * c.tokensPerTile))
        }
    }
}

extension Tensor {
    /// One row as often as wanted.
    fileprivate func repeated(row: Int, count: Int) -> Tensor {
        var view = rows(row..<row + 1)
        view.rows = count
        view.rowStride = 0
        return view
    }
}
