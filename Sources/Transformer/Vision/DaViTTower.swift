import Compute

/// A vision tower of dual attention (Ding et al. 2022, "DaViT: Dual Attention Vision Transformers"): stages of ever fewer
/// places and more channels; in each, blocks of attention between places of a window and blocks of attention between
/// channels take turns, every attention and feed-forward behind a depthwise convolution. Reference: transformers'
/// `Florence2VisionBackbone`.
package final class DaViTTower {
    package struct Stage: Sendable, Hashable {
        package var channels: Int
        package var depth: Int
        /// Heads of attention in windows.
        package var heads: Int
        /// Groups of channels that attend to each other.
        package var groups: Int
        /// The convolution before the blocks.
        package var kernel: Int
        package var stride: Int
        package var padding: Int
        /// True where the norm comes before the convolution instead of behind it.
        package var normalizesInput: Bool

        package init(
            channels: Int, depth: Int, heads: Int, groups: Int, kernel: Int, stride: Int, padding: Int,
            normalizesInput: Bool
        ) {
            self.channels = channels
            self.depth = depth
            self.heads = heads
            self.groups = groups
            self.kernel = kernel
            self.stride = stride
            self.padding = padding
            self.normalizesInput = normalizesInput
        }

        /// Places along an edge that the convolution leaves of so many.
        package func size(of edge: Int) -> Int { (edge + 2 * padding - kernel) / stride + 1 }

        /// The places that each place of the result reads, row after row; nil is padding.
        func neighborhoods(rows: Int, columns: Int) -> [Int?] {
            (0..<size(of: rows) * size(of: columns)).flatMap { place in
                (0..<kernel * kernel).map { tap in
                    let row = place / self.size(of: columns) * stride - padding + tap / kernel
                    let column = place % self.size(of: columns) * stride - padding + tap % kernel
                    return (0..<rows).contains(row) && (0..<columns).contains(column) ? row * columns + column : nil
                }
            }
        }
    }

    package struct Configuration: Sendable, Hashable {
        package var imageHeight: Int
        package var imageWidth: Int
        package var stages: [Stage]
        package var window: Int
        /// Size of the feed-forwards' inner layer in multiples of the channels.
        package var feedForwardRatio: Double
        package var hasBias: Bool
        package var activation: Activation

        package init(
            imageHeight: Int, imageWidth: Int, stages: [Stage], window: Int, feedForwardRatio: Double, hasBias: Bool,
            activation: Activation
        ) {
            self.imageHeight = imageHeight
            self.imageWidth = imageWidth
            self.stages = stages
            self.window = window
            self.feedForwardRatio = feedForwardRatio
            self.hasBias = hasBias
            self.activation = activation
        }

        /// Rows and columns of each stage's places.
        package var grids: [(rows: Int, columns: Int)] {
            var size = (rows: imageHeight, columns: imageWidth)
            return stages.map { stage in
                size = (stage.size(of: size.rows), stage.size(of: size.columns))
                return size
            }
        }

        func intermediateSize(_ stage: Stage) -> Int { Int(Double(stage.channels) * feedForwardRatio) }
    }

    package let configuration: Configuration
    private let stages: [StageLayers]
    /// The places of the pixels that the first convolution reads, as the host arranges them.
    private let input: InputBuffer
    private let states: [Slot]
    private let scratch: Scratch

    /// Declares the tower.
    package init(
        _ scope: ParameterScope, configuration c: Configuration, workspace: Workspace, phase: String = "vision"
    ) {
        configuration = c
        let grids = c.grids
        let first = c.stages[0]
        var layer = 0
        stages = c.stages.indices.map { index in
            StageLayers(
                scope, configuration: c, index: index, grids: grids, firstLayer: &layer)
        }
        input = InputBuffer(
            label: "picture patches", byteCount: grids[0].rows * grids[0].columns * 3 * first.kernel * first.kernel * 4)
        let largest = zip(grids, c.stages).map { $0.rows * $0.columns * $1.channels }.max() ?? 1
        states = (0..<2).map { workspace.reserve("places \($0)", rows: largest, columns: 1, phase: phase) }
        scratch = Scratch(workspace, configuration: c, largest: largest, phase: phase)
    }

    package var stageCount: Int { stages.count }
    /// Memory besides weights and workspace.
    package var resources: [any DeviceResource] { [input] + stages.flatMap(\.resources) }

    /// Runs the tower over one picture.
    /// - Parameters:
    ///   - pixels: `[3, imageHeight, imageWidth]`, normalized.
    ///   - observe: receives each stage's output `[places, channels]`, from index 0 on.
    /// - Returns: the last stage's output, `[places, channels]`; it is overwritten by the next run.
    package func callAsFunction(
        _ pixels: ArraySlice<Float>, tap: AttentionTap, observe: HiddenStateObserver?, on stream: CommandStream
    ) throws -> Tensor {
        let c = configuration
        guard pixels.count == 3 * c.imageHeight * c.imageWidth else {
            throw TransformerError.inputShape(
                what: "the pixels of a picture", expected: [3, c.imageHeight, c.imageWidth], actual: [pixels.count])
        }
        // The device may still be reading the last picture's.
        try stream.finish()
        let (grids, first) = (c.grids, c.stages[0])
        input.buffer.write(arrange(pixels))
        let patches = Tensor(
            buffer: input.buffer, rows: grids[0].rows * grids[0].columns, columns: 3 * first.kernel * first.kernel)
        var x = states[0].packed(patches.rows, columns: first.channels)
        for (index, stage) in stages.enumerated() {
            if index > 0 {
                try stage.shrink(&x, states[0], scratch, on: stream)
            } else {
                try stage.embed(patches, into: x, on: stream)
            }
            for block in stage.blocks {
                try Task.checkCancellation()
                try block(x, other: states[1].packed(x.rows, columns: x.columns), scratch, tap: tap, on: stream)
            }
            try observe?(index, x)
        }
        return x
    }

    /// Pixels as the first convolution reads them: `[places, 3 · kernel²]`, channel after channel.
    private func arrange(_ pixels: ArraySlice<Float>) -> [Float] {
        let c = configuration
        let taps = c.stages[0].kernel * c.stages[0].kernel
        let neighborhoods = c.stages[0].neighborhoods(rows: c.imageHeight, columns: c.imageWidth)
        let plane = c.imageHeight * c.imageWidth
        return pixels.withUnsafeBufferPointer { pixels in
            var result: [Float] = []
            result.reserveCapacity(3 * neighborhoods.count)
            for first in stride(from: 0, to: neighborhoods.count, by: taps) {
                for channel in 0..<3 {
                    for place in neighborhoods[first..<first + taps] {
                        result.append(place.map { pixels[channel * plane + $0] } ?? 0)
                    }
                }
            }
            return result
        }
    }
}

// MARK: - Layers

extension DaViTTower {
    /// Scratch memory of all blocks.
    fileprivate struct Scratch {
        /// Rows of a feed-forward that run at once.
        static let rows = 1 << 14
        let normalized: Slot
        let neighborhoods: Slot
        let fused: Slot
        let context: Slot
        let weights: Slot
        let intermediate: Slot
        let windows: WindowAttention.Scratch

        init(_ workspace: Workspace, configuration c: Configuration, largest: Int, phase: String) {
            let grids = c.grids
            func most(_ size: (Stage, Int) -> Int) -> Int {
                zip(c.stages, grids).map { size($0, $1.rows * $1.columns) }.max() ?? 1
            }
            func reserve(_ label: String, _ values: Int) -> Slot {
                workspace.reserve(label, rows: values, columns: 1, phase: phase)
            }
            normalized = reserve("normalized places", largest)
            neighborhoods = reserve(
                "neighborhoods",
                zip(c.stages.indices.dropFirst(), grids.dropFirst()).map { index, grid in
                    grid.rows * grid.columns * c.stages[index].kernel * c.stages[index].kernel
                        * c.stages[index - 1].channels
                }.max() ?? 1)
            fused = reserve("query, key, value of channels", 3 * largest)
            context = reserve("context of channels", largest)
            weights = reserve(
                "weights of channels", most { stage, _ in stage.channels * stage.channels / stage.groups })
            intermediate = reserve("intermediate", most { c.intermediateSize($0) * min($1, Self.rows) })
            windows = WindowAttention.Scratch(
                workspace,
                stages: zip(c.stages, grids).map {
                    (WindowGrid(rows: $1.rows, columns: $1.columns, window: c.window), $0.channels)
                }, phase: phase)
        }
    }

    /// A convolution and the blocks behind it.
    fileprivate struct StageLayers {
        let blocks: [Block]
        private let convolution: Linear
        private let norm: LayerNorm
        private let normalizesInput: Bool
        private let neighborhoods: IndexTable?
        private let tables: WindowTables
        private let kernel: Int
        private let channels: Int

        init(
            _ scope: ParameterScope, configuration c: Configuration, index: Int,
            grids: [(rows: Int, columns: Int)], firstLayer: inout Int
        ) {
            let (stage, grid) = (c.stages[index], grids[index])
            let inputs = index == 0 ? 3 : c.stages[index - 1].channels
            let embed = scope("convs.\(index)")
            convolution = Linear(
                weight: index == 0
                    ? embed.patches(
                        "conv.weight", outputs: stage.channels, channels: inputs, patchSize: stage.kernel)
                    : embed.planeConvolution(
                        "conv.weight", outputs: stage.channels, inputs: inputs, side: stage.kernel),
                bias: embed.vector("conv.bias", count: stage.channels))
            norm = LayerNorm(embed("norm"), size: stage.normalizesInput ? inputs : stage.channels)
            normalizesInput = stage.normalizesInput
            kernel = stage.kernel
            channels = stage.channels
            neighborhoods =
                index == 0
                ? nil
                : IndexTable(
                    label: "neighborhoods of stage \(index)",
                    count: grid.rows * grid.columns * stage.kernel * stage.kernel
                ) { stage.neighborhoods(rows: grids[index - 1].rows, columns: grids[index - 1].columns) }
            let tables = WindowTables(
                WindowGrid(rows: grid.rows, columns: grid.columns, window: c.window), label: "stage \(index)")
            self.tables = tables
            let layer = firstLayer
            firstLayer += stage.depth
            blocks = (0..<stage.depth).flatMap { depth in
                let block = scope("blocks.\(index).\(depth)")
                return [
                    Block(windows: block("spatial_block"), c, stage, tables: tables, layer: layer + depth),
                    Block(channels: block("channel_block"), c, stage, gridColumns: grid.columns),
                ]
            }
        }

        var resources: [any DeviceResource] { tables.resources + (neighborhoods.map { [$0] } ?? []) }

        /// The first stage's places of patches `[places, values]`, into x `[places, channels]`.
        func embed(_ patches: Tensor, into x: Tensor, on stream: CommandStream) throws {
            try convolution(patches, into: x, on: stream)
            if !normalizesInput { try norm(x, into: x, on: stream) }
        }

        /// The last stage's output → this one's input, in the same place.
        func shrink(_ x: inout Tensor, _ place: Slot, _ scratch: Scratch, on stream: CommandStream) throws {
            guard let neighborhoods else { return }
            var source = x
            if normalizesInput {
                source = scratch.normalized.packed(x.rows, columns: x.columns)
                try norm(x, into: source, on: stream)
            }
            let taps = kernel * kernel
            let count = neighborhoods.tensor.columns / taps
            let gathered = scratch.neighborhoods.packed(count * taps, columns: x.columns)
            try stream.gatherRows(source, index: neighborhoods.tensor, into: gathered)
            x = place.packed(count, columns: channels)
            try embed(
                scratch.neighborhoods.packed(count, columns: taps * source.columns), into: x, on: stream)
        }
    }

    /// Attention between the places of a window, or between channels, and a feed-forward; each behind a convolution.
    fileprivate struct Block {
        private enum Attention {
            case windows(WindowAttention)
            case channels(fused: Linear, output: Linear, groups: Int)
        }

        private let convolutions: [(weight: Parameter, bias: Parameter)]
        private let norms: [LayerNorm]
        private let attention: Attention
        private let feedForward: FeedForward
        private let gridColumns: Int

        private init(
            _ scope: ParameterScope, _ c: Configuration, _ stage: Stage, gridColumns: Int, attention: Attention
        ) {
            convolutions = ["conv1", "conv2"].map {
                (
                    scope.planeKernels("\($0).weight", channels: stage.channels, side: 3),
                    scope.vector("\($0).bias", count: stage.channels)
                )
            }
            norms = ["norm1", "norm2"].map { LayerNorm(scope($0), size: stage.channels) }
            feedForward = FeedForward(
                scope("ffn"), hiddenSize: stage.channels, intermediateSize: c.intermediateSize(stage),
                activation: c.activation)
            self.gridColumns = gridColumns
            self.attention = attention
        }

        private static func layers(_ scope: ParameterScope, _ c: Configuration, _ stage: Stage) -> (Linear, Linear) {
            (
                Linear(scope("qkv"), inputs: stage.channels, outputs: 3 * stage.channels, bias: c.hasBias),
                Linear(scope("proj"), inputs: stage.channels, outputs: stage.channels)
            )
        }

        init(windows scope: ParameterScope, _ c: Configuration, _ stage: Stage, tables: WindowTables, layer: Int) {
            let (fused, output) = Self.layers(scope("window_attn"), c, stage)
            self.init(
                scope, c, stage, gridColumns: tables.grid.columns,
                attention: .windows(
                    WindowAttention(
                        layer: layer,
                        shape: AttentionShape(heads: stage.heads, headDimension: stage.channels / stage.heads),
                        fused: fused, output: output, tables: tables)))
        }

        init(channels scope: ParameterScope, _ c: Configuration, _ stage: Stage, gridColumns: Int) {
            let (fused, output) = Self.layers(scope("channel_attn"), c, stage)
            self.init(
                scope, c, stage, gridColumns: gridColumns,
                attention: .channels(fused: fused, output: output, groups: stage.groups))
        }

        /// x `[places, channels]` in place; `other` is scratch of the same shape.
        func callAsFunction(
            _ x: Tensor, other: Tensor, _ scratch: Scratch, tap: AttentionTap, on stream: CommandStream
        ) throws {
            try convolve(0, x, into: other, on: stream)
            let normalized = scratch.normalized.packed(x.rows, columns: x.columns)
            try norms[0](other, into: normalized, on: stream)
            switch attention {
            case .windows(let attention):
                try attention(normalized, addingTo: other, scratch: scratch.windows, tap: tap, on: stream)
            case .channels(let fused, let output, let groups):
                let qkv = scratch.fused.packed(x.rows, columns: 3 * x.columns)
                try fused(normalized, into: qkv, on: stream)
                let parts = (0..<3).map { qkv.columns($0 * x.columns..<($0 + 1) * x.columns) }
                let context = scratch.context.packed(x.rows, columns: x.columns)
                try stream.channelAttention(
                    query: parts[0], key: parts[1], value: parts[2], scale: 1 / Float(x.rows).squareRoot(),
                    weights: scratch.weights.packed(x.columns, columns: x.columns / groups), into: context)
                try output(context, residual: other, into: other, on: stream)
            }
            try convolve(1, other, into: x, on: stream)
            for first in stride(from: 0, to: x.rows, by: Scratch.rows) {
                let rows = first..<min(first + Scratch.rows, x.rows)
                let (x, normalized) = (x.rows(rows), normalized.rows(rows))
                try norms[1](x, into: normalized, on: stream)
                try feedForward(
                    normalized,
                    hidden: scratch.intermediate.packed(rows.count, columns: feedForward.scratchColumns), residual: x,
                    into: x, on: stream)
            }
        }

        private func convolve(_ index: Int, _ x: Tensor, into out: Tensor, on stream: CommandStream) throws {
            let (weight, bias) = convolutions[index]
            try stream.addDepthwiseConvolution(
                x, gridColumns: gridColumns, weight: weight.tensor, bias: bias.tensor, into: out)
        }
    }
}
