import Compute

/// A Swin transformer (Liu et al. 2021) as Donut has it (Kim et al. 2022, "OCR-free Document Understanding Transformer"):
/// stages of blocks whose attention stays within windows, every other block's rolled by half a window; between stages, four
/// neighbors become one place of twice the channels. Reference: transformers' modeling_donut_swin.
package final class SwinTower: PictureEncoder {
    package struct Stage: Sendable, Hashable {
        package var depth: Int
        package var heads: Int

        package init(depth: Int, heads: Int) {
            self.depth = depth
            self.heads = heads
        }
    }

    package struct Configuration: Sendable, Hashable {
        /// The picture in patches.
        package var patches: PatchGrid
        /// Channels of the first stage; each further one has twice as many.
        package var channels: Int
        package var stages: [Stage]
        package var window: Int
        package var feedForwardRatio: Double
        package var hasBias: Bool
        package var epsilon: Float
        package var activation: Activation

        package init(
            patches: PatchGrid, channels: Int, stages: [Stage], window: Int, feedForwardRatio: Double, hasBias: Bool,
            epsilon: Float, activation: Activation
        ) {
            self.patches = patches
            self.channels = channels
            self.stages = stages
            self.window = window
            self.feedForwardRatio = feedForwardRatio
            self.hasBias = hasBias
            self.epsilon = epsilon
            self.activation = activation
        }

        package func channels(ofStage index: Int) -> Int { channels << index }

        /// Rows and columns of each stage's places.
        package var grids: [(rows: Int, columns: Int)] {
            var size = (rows: patches.rows, columns: patches.columns)
            return stages.indices.map { index in
                if index > 0 { size = ((size.rows + 1) / 2, (size.columns + 1) / 2) }
                return size
            }
        }

        /// Grids of a stage's blocks, by whether they are rolled; a grid no larger than a window has none of these.
        func windows(ofStage index: Int) -> [WindowGrid] {
            let grid = grids[index]
            let isCut = min(grid.rows, grid.columns) > window
            return [0, isCut ? window / 2 : 0].map {
                WindowGrid(rows: grid.rows, columns: grid.columns, window: window, shift: $0)
            }
        }

        func intermediateSize(ofStage index: Int) -> Int { Int(Double(channels(ofStage: index)) * feedForwardRatio) }
    }

    package let configuration: Configuration
    private let embedding: PatchEmbedding
    private let norm: LayerNorm
    private let stages: [StageLayers]
    private let input: InputBuffer
    private let states: Slot
    private let scratch: Scratch

    /// Declares the tower.
    package init(
        _ scope: ParameterScope, configuration c: Configuration, workspace: Workspace, phase: String = "vision"
    ) {
        configuration = c
        embedding = PatchEmbedding(
            scope("embeddings.patch_embeddings.projection"), grid: c.patches, hiddenSize: c.channels, bias: true)
        norm = LayerNorm(scope("embeddings.norm"), size: c.channels)
        var layer = 0
        stages = c.stages.indices.map { index in
            defer { layer += c.stages[index].depth }
            return StageLayers(scope("encoder.layers.\(index)"), configuration: c, index: index, firstLayer: layer)
        }
        input = InputBuffer(label: "picture patches", byteCount: c.patches.count * c.patches.patchValues * 4)
        let largest = zip(c.grids, c.stages.indices).map { $0.rows * $0.columns * c.channels(ofStage: $1) }.max() ?? 1
        states = workspace.reserve("places", rows: largest, columns: 1, phase: phase)
        scratch = Scratch(workspace, configuration: c, largest: largest, phase: phase)
    }

    // MARK: PictureEncoder

    package var imageHeight: Int { configuration.patches.imageHeight }
    package var imageWidth: Int { configuration.patches.imageWidth }
    package var layerCount: Int { configuration.stages.reduce(0) { $0 + $1.depth } }
    package var outputSize: Int { configuration.channels(ofStage: configuration.stages.count - 1) }
    package var leadingTokens: Int { 0 }
    package var gridColumns: Int { configuration.grids.last?.columns ?? 1 }
    package var tokenPixels: Int { configuration.patches.patchSize << (configuration.stages.count - 1) }
    package var tokens: Int { configuration.grids.last.map { $0.rows * $0.columns } ?? 0 }
    package var resources: [any DeviceResource] { [input] + stages.flatMap(\.resources) }

    /// `observe` receives the places `[places, channels]` before the first stage, and behind each stage and its merging.
    package func encode(
        _ pixels: ArraySlice<Float>, tap: AttentionTap, observe: HiddenStateObserver?, on stream: CommandStream
    ) throws -> Tensor {
        let c = configuration
        guard pixels.count == c.patches.pixelValues else {
            throw TransformerError.inputShape(
                what: "the pixels of a picture", expected: [3, imageHeight, imageWidth], actual: [pixels.count])
        }
        // The device may still be reading the last picture's.
        try stream.finish()
        input.buffer.write(c.patches.arrange(pixels))
        let patches = Tensor(buffer: input.buffer, rows: c.patches.count, columns: c.patches.patchValues)
        var x = states.packed(patches.rows, columns: c.channels)
        try embedding(patches, positions: nil, into: x, on: stream)
        try norm(x, into: x, on: stream)
        for (index, stage) in stages.enumerated() {
            try observe?(index, x)
            for block in stage.blocks { try block(x, scratch, tap: tap, on: stream) }
            try stage.merging?(&x, states, scratch, on: stream)
        }
        try observe?(stages.count, x)
        return x
    }
}

// MARK: - Layers

extension SwinTower {
    fileprivate struct Scratch {
        /// Rows of a feed-forward that run at once.
        static let rows = 1 << 14
        let normalized: Slot
        let merged: Slot
        let intermediate: Slot
        let windows: WindowAttention.Scratch

        init(_ workspace: Workspace, configuration c: Configuration, largest: Int, phase: String) {
            func reserve(_ label: String, _ values: Int) -> Slot {
                workspace.reserve(label, rows: values, columns: 1, phase: phase)
            }
            let places = c.grids.map { $0.rows * $0.columns }
            normalized = reserve("normalized places", largest)
            merged = reserve(
                "merged places",
                c.stages.indices.dropLast().map { places[$0 + 1] * 4 * c.channels(ofStage: $0) }.max() ?? 1)
            intermediate = reserve(
                "intermediate",
                c.stages.indices.map { min(places[$0], Self.rows) * c.intermediateSize(ofStage: $0) }.max() ?? 1)
            windows = WindowAttention.Scratch(
                workspace, stages: c.stages.indices.map { (c.windows(ofStage: $0)[0], c.channels(ofStage: $0)) },
                phase: phase)
        }
    }

    fileprivate struct StageLayers {
        let blocks: [Block]
        let merging: Merging?
        let resources: [any DeviceResource]

        init(_ scope: ParameterScope, configuration c: Configuration, index: Int, firstLayer: Int) {
            let grids = c.windows(ofStage: index)
            let names = ["stage \(index)", "stage \(index), rolled"]
            let tables = zip(grids, names).map { WindowTables($0, label: $1) }
            let blocks = (0..<c.stages[index].depth).map { depth in
                Block(
                    scope("blocks.\(depth)"), configuration: c, stage: index, layer: firstLayer + depth,
                    tables: tables[depth % 2])
            }
            self.blocks = blocks
            let isLast = index == c.stages.count - 1
            let merging =
                isLast
                ? nil
                : Merging(
                    scope("downsample"), grid: c.grids[index], channels: c.channels(ofStage: index),
                    label: "merged places of stage \(index)")
            self.merging = merging
            resources =
                tables.flatMap(\.resources) + blocks.map(\.bias) + (merging.map { [$0.neighbors] } ?? [])
        }
    }

    /// Window attention and feed-forward, each behind a norm.
    fileprivate struct Block {
        private let norms: (LayerNorm, LayerNorm)
        private let attention: WindowAttention
        private let feedForward: FeedForward
        let bias: WindowBias

        init(_ scope: ParameterScope, configuration c: Configuration, stage: Int, layer: Int, tables: WindowTables) {
            let (channels, heads) = (c.channels(ofStage: stage), c.stages[stage].heads)
            norms = (
                LayerNorm(scope("layernorm_before"), size: channels, epsilon: c.epsilon),
                LayerNorm(scope("layernorm_after"), size: channels, epsilon: c.epsilon)
            )
            let own = scope("attention.self")
            bias = WindowBias(own, grid: tables.grid, heads: heads)
            attention = WindowAttention(
                layer: layer, shape: AttentionShape(heads: heads, headDimension: channels / heads),
                fused: Linear(
                    fusing: ["query", "key", "value"].map { ($0, channels) }, in: own, inputs: channels,
                    bias: c.hasBias),
                output: Linear(scope("attention.output.dense"), inputs: channels, outputs: channels), tables: tables,
                bias: bias)
            feedForward = FeedForward(
                scope, names: ("intermediate.dense", "output.dense"), hiddenSize: channels,
                intermediateSize: c.intermediateSize(ofStage: stage), activation: c.activation)
        }

        /// x `[places, channels]` in place.
        func callAsFunction(_ x: Tensor, _ scratch: Scratch, tap: AttentionTap, on stream: CommandStream) throws {
            let normalized = scratch.normalized.packed(x.rows, columns: x.columns)
            try norms.0(x, into: normalized, on: stream)
            try attention(normalized, addingTo: x, scratch: scratch.windows, tap: tap, on: stream)
            for first in stride(from: 0, to: x.rows, by: Scratch.rows) {
                let rows = first..<min(first + Scratch.rows, x.rows)
                let (x, normalized) = (x.rows(rows), normalized.rows(rows))
                try norms.1(x, into: normalized, on: stream)
                try feedForward(
                    normalized,
                    hidden: scratch.intermediate.packed(rows.count, columns: feedForward.scratchColumns), residual: x,
                    into: x, on: stream)
            }
        }
    }

    /// Four neighbors → one place of twice the channels.
    fileprivate struct Merging {
        let neighbors: IndexTable
        private let count: Int
        private let norm: LayerNorm
        private let reduction: Linear

        init(_ scope: ParameterScope, grid: (rows: Int, columns: Int), channels: Int, label: String) {
            let (rows, columns) = ((grid.rows + 1) / 2, (grid.columns + 1) / 2)
            count = rows * columns
            neighbors = IndexTable(label: label, count: 4 * count) {
                (0..<rows * columns).flatMap { place in
                    [(0, 0), (1, 0), (0, 1), (1, 1)].map { down, right in
                        let (row, column) = (place / columns * 2 + down, place % columns * 2 + right)
                        return row < grid.rows && column < grid.columns ? row * grid.columns + column : nil
                    }
                }
            }
            norm = LayerNorm(scope("norm"), size: 4 * channels)
            reduction = Linear(scope("reduction"), inputs: 4 * channels, outputs: 2 * channels, bias: false)
        }

        /// x `[places, channels]` → `[places / 4, 2 · channels]`, in the same place.
        func callAsFunction(_ x: inout Tensor, _ place: Slot, _ scratch: Scratch, on stream: CommandStream) throws {
            let channels = x.columns
            let merged = scratch.merged.packed(count, columns: 4 * channels)
            try stream.gatherRows(
                x, index: neighbors.tensor, into: scratch.merged.packed(4 * count, columns: channels))
            try norm(merged, into: merged, on: stream)
            x = place.packed(count, columns: 2 * channels)
            try reduction(merged, into: x, on: stream)
        }
    }
}
