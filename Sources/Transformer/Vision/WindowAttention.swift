import AttentionTypes
import Compute

/// A grid of places cut into square windows, padded right and below, and perhaps rolled so that windows overlap those of
/// the block before (Liu et al. 2021, "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows").
package struct WindowGrid: Sendable, Hashable {
    package let rows: Int
    package let columns: Int
    /// Places along a window's edge.
    package let window: Int
    /// Places that the padded grid is rolled up and left by.
    package let shift: Int

    package init(rows: Int, columns: Int, window: Int, shift: Int = 0) {
        self.rows = rows
        self.columns = columns
        self.window = window
        self.shift = shift
    }

    package var places: Int { rows * columns }
    package var windowColumns: Int { (columns + window - 1) / window }
    package var windowRows: Int { (rows + window - 1) / window }
    package var count: Int { windowRows * windowColumns }
    /// Places of a window.
    package var windowPlaces: Int { window * window }

    /// The place of the grid at each place of each window; nil where it is padding.
    package var placesByWindow: [Int?] {
        let (height, width) = (windowRows * window, windowColumns * window)
        return (0..<count).flatMap { number in
            (0..<windowPlaces).map { place in
                let row = (number / windowColumns * window + place / window + shift) % height
                let column = (number % windowColumns * window + place % window + shift) % width
                return row < rows && column < columns ? row * columns + column : nil
            }
        }
    }

    /// Parts of a window that were not neighbors before the roll, by place; all 0 in most windows.
    func regions(ofWindow number: Int) -> [Int] {
        let isLastRow = shift > 0 && number / windowColumns == windowRows - 1
        let isLastColumn = shift > 0 && number % windowColumns == windowColumns - 1
        return (0..<windowPlaces).map { place in
            (isLastRow && place / window >= window - shift ? 2 : 0)
                + (isLastColumn && place % window >= window - shift ? 1 : 0)
        }
    }
}

/// Numbers that kernels read, such as rows to gather; the same for every input.
package final class IndexTable: DeviceResource {
    private let label: String
    private let count: Int
    private let values: () -> [Int?]
    private var buffer: Buffer?

    /// - Parameter values: the numbers; nil stands for no row.
    package init(label: String, count: Int, values: @escaping () -> [Int?]) {
        self.label = label
        self.count = count
        self.values = values
    }

    package var plannedBuffers: [PlannedBuffer] {
        [PlannedBuffer(purpose: .staging, label: label, byteCount: 4 * count)]
    }

    package func allocate(on device: Device) throws {
        let list = values()
        precondition(list.count == count, "\(label): \(list.count) numbers for \(count)")
        let buffer = try device.makeBuffer(byteCount: 4 * count, purpose: .staging, label: label, access: .upload)
        buffer.write(list.map { $0.map { UInt32($0) } ?? CommandStream.noRow })
        self.buffer = buffer
    }

    package func release() { buffer = nil }

    /// `[1, count]`
    package var tensor: Tensor {
        guard let buffer else { preconditionFailure("\(label) are not allocated") }
        return Tensor(buffer: buffer, rows: 1, columns: count, format: .i32)
    }
}

/// The tables by which the blocks of a grid gather their windows and bring them back.
package struct WindowTables {
    package let grid: WindowGrid
    let placesByWindow: IndexTable
    let rowsByPlace: IndexTable

    package init(_ grid: WindowGrid, label: String) {
        self.grid = grid
        placesByWindow = IndexTable(label: "\(label), places by window", count: grid.count * grid.windowPlaces) {
            grid.placesByWindow
        }
        rowsByPlace = IndexTable(label: "\(label), windows by place", count: grid.places) {
            var rows = [Int?](repeating: nil, count: grid.places)
            for (row, place) in grid.placesByWindow.enumerated() {
                if let place { rows[place] = row }
            }
            return rows
        }
    }

    package var resources: [any DeviceResource] { [placesByWindow, rowsByPlace] }
}

/// Self-attention within the windows of a grid. Padding is attended to as any place.
package struct WindowAttention {
    private let layer: Int
    private let shape: AttentionShape
    private let fused: Linear
    private let output: Linear
    private let tables: WindowTables
    private let bias: WindowBias?

    /// - Parameters:
    ///   - fused: gives query, key and value side by side.
    ///   - bias: added to the scores of each window.
    package init(
        layer: Int, shape: AttentionShape, fused: Linear, output: Linear, tables: WindowTables,
        bias: WindowBias? = nil
    ) {
        self.layer = layer
        self.shape = shape
        self.fused = fused
        self.output = output
        self.tables = tables
        self.bias = bias
    }

    /// Scratch memory that the blocks of a tower share, of the size of the largest.
    package struct Scratch {
        /// Rows of windows that run at once, at most, where a window has no more.
        private static let rows = 1 << 14
        private let gathered: Slot
        private let queryKeyValue: Slot
        private let context: Slot

        /// - Parameter stages: grids with their channels.
        package init(_ workspace: Workspace, stages: [(grid: WindowGrid, channels: Int)], phase: String) {
            let piece = stages.map { Self.windows(of: $0.grid) * $0.grid.windowPlaces * $0.channels }.max() ?? 1
            gathered = workspace.reserve("windows", rows: piece, columns: 1, phase: phase)
            queryKeyValue = workspace.reserve("query, key, value of windows", rows: piece, columns: 3, phase: phase)
            context = workspace.reserve(
                "context of windows",
                rows: stages.map { $0.grid.count * $0.grid.windowPlaces * $0.channels }.max() ?? 1, columns: 1,
                phase: phase)
        }

        /// Windows that run at once.
        fileprivate static func windows(of grid: WindowGrid) -> Int {
            min(grid.count, max(1, rows / grid.windowPlaces))
        }

        fileprivate func gathered(_ rows: Int, _ columns: Int) -> Tensor { gathered.packed(rows, columns: columns) }
        fileprivate func queryKeyValue(_ rows: Int, _ columns: Int) -> Tensor {
            queryKeyValue.packed(rows, columns: columns)
        }
        fileprivate func context(_ rows: Int, _ columns: Int) -> Tensor { context.packed(rows, columns: columns) }
    }

    /// x += output(attention(normalized)), both `[places, channels]`; `normalized` is scratch from then on.
    package func callAsFunction(
        _ normalized: Tensor, addingTo x: Tensor, scratch: Scratch, tap: AttentionTap, on stream: CommandStream
    ) throws {
        let (grid, channels) = (tables.grid, x.columns)
        let places = grid.windowPlaces
        let context = scratch.context(grid.count * places, channels)
        let isWatched = tap.wantsRows(.vision, layer: layer)
        let piece = Scratch.windows(of: grid)
        for first in stride(from: 0, to: grid.count, by: piece) {
            try Task.checkCancellation()
            let windows = first..<min(first + piece, grid.count)
            let gathered = scratch.gathered(windows.count * places, channels)
            try stream.gatherRows(
                normalized,
                index: tables.placesByWindow.tensor.columns(windows.lowerBound * places..<windows.upperBound * places),
                into: gathered)
            let qkv = scratch.queryKeyValue(gathered.rows, 3 * channels)
            try fused(gathered, into: qkv, on: stream)
            for window in windows {
                let rows = qkv.rows((window - first) * places..<(window - first + 1) * places)
                let (query, key) = (rows.columns(0..<channels), rows.columns(channels..<2 * channels))
                let bias = bias?.bias(ofWindow: window)
                try stream.attention(
                    shape: shape, query: query, key: key, value: rows.columns(2 * channels..<3 * channels), bias: bias,
                    into: context.rows(window * places..<(window + 1) * places))
                if isWatched {
                    try tap.capture(
                        .vision, layer: layer, shape: shape, query: query, key: key,
                        runs: QueryRun.all(places, bias: bias), logSumExp: nil, on: stream)
                }
            }
        }
        try tap.active?.silence(
            .vision, layer: layer, context, headDimension: shape.headDimension, on: stream)
        try stream.gatherRows(context, index: tables.rowsByPlace.tensor, into: normalized)
        try output(normalized, residual: x, into: x, on: stream)
    }
}

/// Relative positions within windows (Liu et al. 2021): a learned term for each distance in rows and columns and each
/// head. Where windows were rolled, −100 keeps places apart that were no neighbors; as in the reference, not −∞.
package final class WindowBias: DeviceResource {
    private let grid: WindowGrid
    private let heads: Int
    private let label: String
    /// `[(2 · window − 1)², heads]`
    private let table: Parameter
    private var buffer: Buffer?

    /// - Parameter scope: the attention that holds `relative_position_bias_table`.
    package init(_ scope: ParameterScope, grid: WindowGrid, heads: Int) {
        self.grid = grid
        self.heads = heads
        let distances = 2 * grid.window - 1
        label = "position bias of \(scope.prefix)"
        table = scope.table("relative_position_bias_table", rows: distances * distances, columns: heads)
    }

    /// Windows that differ in what they see: inside, in the last column, in the last row, in the corner.
    private var kinds: Int { grid.shift > 0 ? 4 : 1 }
    private var valuesOfKind: Int { heads * grid.windowPlaces * grid.windowPlaces }

    package var plannedBuffers: [PlannedBuffer] {
        [PlannedBuffer(purpose: .activations, label: label, byteCount: 4 * kinds * valuesOfKind)]
    }

    package func allocate(on device: Device) throws {
        buffer = try device.makeBuffer(byteCount: 4 * kinds * valuesOfKind, purpose: .activations, label: label)
    }

    package func derive(on stream: CommandStream) throws {
        guard let buffer else { return }
        let terms = try stream.read(table.tensor)
        let (window, places, distances) = (grid.window, grid.windowPlaces, 2 * grid.window - 1)
        var values = [Float]()
        values.reserveCapacity(kinds * valuesOfKind)
        for kind in 0..<kinds {
            let regions = grid.regions(ofWindow: firstWindow(ofKind: kind))
            for head in 0..<heads {
                for query in 0..<places {
                    for key in 0..<places {
                        let row = query / window - key / window + window - 1
                        let column = query % window - key % window + window - 1
                        values.append(
                            terms[(row * distances + column) * heads + head]
                                + (regions[query] == regions[key] ? 0 : -100))
                    }
                }
            }
        }
        let writer = try DeviceWriter(device: buffer.device)
        try values.withUnsafeBytes { try writer.write($0, to: buffer, at: 0) }
        try writer.finish()
    }

    package func release() { buffer = nil }

    /// A window of a kind.
    private func firstWindow(ofKind kind: Int) -> Int {
        (kind & 2 != 0 ? (grid.windowRows - 1) * grid.windowColumns : 0) + (kind & 1 != 0 ? grid.windowColumns - 1 : 0)
    }

    /// `[heads · places, places]`
    func bias(ofWindow number: Int) -> AttentionBias {
        guard let buffer else { preconditionFailure("\(label) is not allocated") }
        let isLastRow = number / grid.windowColumns == grid.windowRows - 1
        let isLastColumn = number % grid.windowColumns == grid.windowColumns - 1
        let kind = kinds == 1 ? 0 : (isLastRow ? 2 : 0) + (isLastColumn ? 1 : 0)
        return AttentionBias(
            values: Tensor(
                buffer: buffer, byteOffset: 4 * kind * valuesOfKind, rows: heads * grid.windowPlaces,
                columns: grid.windowPlaces), isPerHead: true)
    }
}
