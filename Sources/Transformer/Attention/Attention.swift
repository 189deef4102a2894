import Compute
import AttentionTypes
import NumberFormats

/// Attention (Vaswani et al. 2017), the only one in the house: softmax(q·kᵀ·scale + mask)·v over heads, of a sequence
/// over itself or over another one's output. Models configure it and none declares it again, so the tap sits here.
package final class Attention {
    package let kind: AttentionKind
    package let layer: Int
    package let shape: AttentionShape
    private let projections: Projections
    private let output: Linear
    private let rotary: RotaryPositions?
    private let additions: Additions

    private enum Projections {
        /// Query, key and value of the same input, fused.
        case own(Linear)
        /// Queries of this sequence; keys and values, fused, of another.
        case other(query: Linear, keyValue: Linear)
    }

    /// What attention needs besides its input: scratch and the tap.
    package struct Workspace {
        /// `[rows, (heads + 2 · kvHeads) · headDimension]`
        package let queryKeyValue: Slot
        /// `[rows, heads · headDimension]`
        package let context: Slot
        /// `[heads, rows]`, for passes over many positions.
        package let logSumExp: Slot
        /// `[rows, size]`, for what a gate lets through; only where there are gates.
        package let block: Slot?

        /// - Parameter gatedSize: the model's size, where some block of the phase has a gate.
        package init(
            _ workspace: Transformer.Workspace, rows: Int, shape: AttentionShape, phase: String, gatedSize: Int? = nil
        ) {
            let width = shape.heads * shape.headDimension
            let kvWidth = shape.keyValueHeads * shape.headDimension
            queryKeyValue = workspace.reserve(
                "query, key, value", rows: rows, columns: width + 2 * kvWidth, phase: phase)
            context = workspace.reserve("context", rows: rows, columns: width, phase: phase)
            logSumExp = workspace.reserve("log-sum-exp", rows: shape.heads, columns: rows, phase: phase)
            block = gatedSize.map { workspace.reserve("gated block", rows: rows, columns: $0, phase: phase) }
        }
    }

    /// What some architectures add to plain attention.
    package struct Additions {
        /// Norms over the elements of each head, before positions are turned in.
        package var queryNorm: RMSNorm?
        package var keyNorm: RMSNorm?
        /// Opens the contribution to the residual; see `Workspace.block`.
        package var gate: Gate?
        /// The layer's number in its cache, where not all layers have one there.
        package var cacheLayer: Int?

        package init(queryNorm: RMSNorm? = nil, keyNorm: RMSNorm? = nil, gate: Gate? = nil, cacheLayer: Int? = nil) {
            self.queryNorm = queryNorm
            self.keyNorm = keyNorm
            self.gate = gate
            self.cacheLayer = cacheLayer
        }
    }

    private init(
        kind: AttentionKind, layer: Int, shape: AttentionShape, projections: Projections, output: Linear,
        rotary: RotaryPositions? = nil,
        additions: Additions
    ) {
        self.kind = kind
        self.layer = layer
        self.shape = shape
        self.projections = projections
        self.output = output
        self.rotary = rotary
        self.additions = additions
    }

    /// Self-attention of ready layers: `fused` gives query, key and value side by side.
    package convenience init(
        kind: AttentionKind, layer: Int, shape: AttentionShape, fused: Linear, output: Linear,
        rotary: RotaryPositions? = nil,
        additions: Additions = .init()
    ) {
        self.init(
            kind: kind, layer: layer, shape: shape, projections: .own(fused), output: output, rotary: rotary,
            additions: additions)
    }

    /// Cross-attention of ready layers: `keyValue` gives the source's keys and values side by side.
    package convenience init(
        layer: Int, shape: AttentionShape, query: Linear, keyValue: Linear, output: Linear,
        additions: Additions = .init()
    ) {
        keyValue.weight.isReadEachStep = false
        self.init(
            kind: .cross, layer: layer, shape: shape, projections: .other(query: query, keyValue: keyValue),
            output: output,
            additions: additions)
    }

    /// Self-attention whose query, key and value projections have separate names in the checkpoint.
    package static func selfAttention(
        _ scope: ParameterScope, kind: AttentionKind, layer: Int, size: Int, shape: AttentionShape,
        names: Names = .init(),
        additions: Additions = .init()
    ) -> Attention {
        let fused = names.fuse(
            [names.query, names.key, names.value], in: scope, inputs: size, outputs: shape.heads * shape.headDimension)
        return Attention(
            kind: kind, layer: layer, shape: shape, fused: fused,
            output: Linear(
                scope(names.output), inputs: shape.heads * shape.headDimension, outputs: size, bias: names.hasBias),
            additions: additions)
    }

    /// Cross-attention to a sequence of `sourceSize` features.
    package static func crossAttention(
        _ scope: ParameterScope, layer: Int, size: Int, sourceSize: Int, shape: AttentionShape, names: Names = .init(),
        additions: Additions = .init()
    ) -> Attention {
        let query = Linear(
            scope(names.query), inputs: size, outputs: shape.heads * shape.headDimension, bias: names.hasBias)
        let keyValue = names.fuse(
            [names.key, names.value], in: scope, inputs: sourceSize, outputs: shape.keyValueHeads * shape.headDimension)
        return Attention(
            layer: layer, shape: shape, query: query, keyValue: keyValue,
            output: Linear(
                scope(names.output), inputs: shape.heads * shape.headDimension, outputs: size, bias: names.hasBias),
            additions: additions)
    }

    /// The projections' names in a checkpoint.
    package struct Names: Sendable {
        package var query = "q_proj"
        package var key = "k_proj"
        package var value = "v_proj"
        package var output = "out_proj"
        /// Projections that may have no bias.
        package var withoutBias: Set<String> = []
        /// Whether any projection has a bias.
        package var hasBias = true
        package init() {}
        package init(
            query: String, key: String, value: String, output: String, withoutBias: Set<String> = [],
            hasBias: Bool = true
        ) {
            self.query = query
            self.key = key
            self.value = value
            self.output = output
            self.withoutBias = withoutBias
            self.hasBias = hasBias
        }

        fileprivate func fuse(_ names: [String], in scope: ParameterScope, inputs: Int, outputs: Int) -> Linear {
            hasBias
                ? Linear(fusing: names, in: scope, inputs: inputs, outputs: outputs, withoutBias: withoutBias)
                : Linear(fusing: names.map { ($0, outputs) }, in: scope, inputs: inputs, bias: false)
        }
    }

    private var width: Int { shape.heads * shape.headDimension }
    private var keyValueWidth: Int { shape.keyValueHeads * shape.headDimension }
    private var cacheLayer: Int { additions.cacheLayer ?? layer }

    // MARK: Passes over many positions

    /// Every position attends to every position: residual += output(attention(x)), x `[rows, size]` and possibly the
    /// residual itself. `bias` is added to the scores: positions, masks, or both; `masks` where runs of queries differ.
    package func encode(
        _ x: Tensor, bias: AttentionBias? = nil, masks: [MaskRun]? = nil, addingTo residual: Tensor,
        workspace: Workspace, tap: AttentionTap,
        on stream: CommandStream
    ) throws {
        guard case .own(let fused) = projections else { preconditionFailure("cross-attention does not encode") }
        let qkv = workspace.queryKeyValue.rows(x.rows)
        try fused(x, into: qkv, on: stream)
        let (query, key) = (qkv.columns(0..<width), qkv.columns(width..<width + keyValueWidth))
        try additions.queryNorm?.normalizeHeads(query, on: stream)
        try additions.keyNorm?.normalizeHeads(key, on: stream)
        precondition(bias == nil || masks == nil, "one bias or masks by runs")
        try attend(
            query: query, key: key, value: qkv.columns(width + keyValueWidth..<width + 2 * keyValueWidth),
            firstPosition: nil,
            runs: masks.map { QueryRun.masked($0, queries: x.rows) } ?? QueryRun.all(x.rows, bias: bias),
            addingTo: residual, workspace: workspace, tap: tap, on: stream)
    }

    /// Positions `firstPosition…` attend to themselves and all before them; their keys and values join the cache.
    package func prefill(
        _ x: Tensor, firstPosition: Int, bias: AttentionBias? = nil, cache: KeyValueCache, addingTo residual: Tensor,
        workspace: Workspace, tap: AttentionTap,
        on stream: CommandStream
    ) throws {
        guard case .own(let fused) = projections else { preconditionFailure("cross-attention has no growing cache") }
        let end = firstPosition + x.rows
        let query = workspace.queryKeyValue.rows(x.rows).columns(0..<width)
        try fused(x, outputs: 0..<width, into: query, on: stream)
        let entries = cache.keysAndValues(layer: cacheLayer)
        try fused(x, outputs: width..<width + 2 * keyValueWidth, into: entries.rows(firstPosition..<end), on: stream)
        try additions.queryNorm?.normalizeHeads(query, on: stream)
        try additions.keyNorm?.normalizeHeads(entries.rows(firstPosition..<end).columns(0..<keyValueWidth), on: stream)
        try rotary?.turn(query, firstPosition: firstPosition, on: stream)
        try rotary?.turn(
            entries.rows(firstPosition..<end).columns(0..<keyValueWidth), firstPosition: firstPosition, on: stream)
        let known = entries.rows(0..<end)
        try attend(
            query: query, key: known.columns(0..<keyValueWidth),
            value: known.columns(keyValueWidth..<2 * keyValueWidth),
            firstPosition: firstPosition, runs: QueryRun.all(x.rows, bias: bias), addingTo: residual,
            workspace: workspace, tap: tap, on: stream)
    }

    /// Computes the keys and values of the source once, for all steps to come. They take the cache's rows from `first`.
    package func remember(source: Tensor, in cache: KeyValueCache, from first: Int = 0, on stream: CommandStream) throws
    {
        guard case .other(_, let keyValue) = projections else { preconditionFailure("self-attention has no source") }
        let entries = cache.keysAndValues(layer: cacheLayer).rows(first..<first + source.rows)
        try keyValue(source, into: entries, on: stream)
        try additions.keyNorm?.normalizeHeads(entries.columns(0..<keyValueWidth), on: stream)
    }

    /// Positions attend to the remembered source. `mask`, `[1, sourceCount]`, is added to every query's scores; `masks`
    /// where runs of queries see different parts of the source.
    package func readSource(
        _ x: Tensor, sourceCount: Int, mask: Tensor? = nil, masks: [MaskRun]? = nil, cache: KeyValueCache,
        addingTo residual: Tensor, workspace: Workspace,
        tap: AttentionTap, on stream: CommandStream
    ) throws {
        let queries = try sourceQueries(x, workspace, on: stream)
        let entries = cache.keysAndValues(layer: cacheLayer).rows(0..<sourceCount)
        precondition(mask == nil || masks == nil, "one mask or masks by runs")
        try attend(
            query: queries, key: entries.columns(0..<keyValueWidth),
            value: entries.columns(keyValueWidth..<2 * keyValueWidth),
            firstPosition: nil,
            runs: masks.map { QueryRun.masked($0, queries: x.rows) }
                ?? QueryRun.all(x.rows, bias: mask.map { AttentionBias(mask: $0, queries: x.rows) }),
            addingTo: residual, workspace: workspace, tap: tap, on: stream)
    }

    /// Queries for the source, `[rows, heads · headDimension]`, without gaps between rows.
    private func sourceQueries(_ x: any LinearInput, _ workspace: Workspace, on stream: CommandStream) throws -> Tensor
    {
        guard case .other(let query, _) = projections else { preconditionFailure("self-attention has no source") }
        let place = workspace.queryKeyValue.tensor
        let queries = Tensor(buffer: place.buffer, byteOffset: place.byteOffset, rows: x.rows, columns: width)
        try query(x, into: queries, on: stream)
        try additions.queryNorm?.normalizeHeads(queries, on: stream)
        return queries
    }

    private func attend(
        query: Tensor, key: Tensor, value: Tensor, firstPosition: Int?, runs: [QueryRun], addingTo residual: Tensor,
        workspace: Workspace, tap: AttentionTap, on stream: CommandStream
    ) throws {
        let runs = try tap.active?.hiding(kind, in: runs, keys: key.rows, on: stream) ?? runs
        let watched = tap.wantsRows(kind, layer: layer)
        // Behind a mask the sum of a row may be too small against its maximum for f32: rows are then summed anew.
        let logSumExp = watched && runs.count == 1 && runs[0].bias == nil ? workspace.logSumExp.tensor : nil
        let context = workspace.context.rows(query.rows)
        var shape = shape
        shape.causalOffset = firstPosition
        for run in runs {
            try stream.attention(
                shape: shape.from(query: run.queries.lowerBound), query: query.rows(run.queries), key: key,
                value: value, bias: run.bias,
                logSumExp: logSumExp, into: context.rows(run.queries))
        }
        if watched {
            try tap.capture(
                kind, layer: layer, shape: shape, query: query, key: key, runs: runs, logSumExp: logSumExp, on: stream)
        }
        try contribute(context, to: residual, workspace, tap, on: stream)
    }

    /// residual += output(context), behind the gate where there is one, and without the heads that were silenced.
    private func contribute(
        _ context: Tensor, to residual: Tensor, _ workspace: Workspace, _ tap: AttentionTap, on stream: CommandStream
    ) throws {
        try tap.active?.silence(kind, layer: layer, context, headDimension: shape.headDimension, on: stream)
        guard let gate = additions.gate else {
            return try output(context, residual: residual, into: residual, on: stream)
        }
        guard let block = workspace.block?.rows(context.rows) else {
            preconditionFailure("the workspace has no place for a gated block")
        }
        try output(context, into: block, on: stream)
        try gate(block, addingTo: residual, on: stream)
    }

    // MARK: Decode: one new position for each hypothesis

    /// Appends each hypothesis' new key and value to the cache at the step's position, and attends to all so far.
    package func decode(
        _ x: any LinearInput, step: StepBuffer, bias: DecodeBias? = nil, cache: KeyValueCache,
        addingTo residual: Tensor, workspace: Workspace, tap: AttentionTap,
        on stream: CommandStream
    ) throws {
        guard case .own(let fused) = projections else { preconditionFailure("cross-attention has no growing cache") }
        let qkv = workspace.queryKeyValue.rows(x.rows)
        try fused(x, into: qkv, on: stream)
        try additions.queryNorm?.normalizeHeads(qkv.columns(0..<width), on: stream)
        try additions.keyNorm?.normalizeHeads(qkv.columns(width..<width + keyValueWidth), on: stream)
        let context = workspace.context.rows(x.rows)
        let bias = try tap.active?.hiding(kind, layer: layer, in: bias, keys: cache.capacity, on: stream) ?? bias
        try stream.attentionDecode(
            shape: shape, query: qkv.columns(0..<width),
            append: (
                qkv.columns(width..<width + keyValueWidth),
                qkv.columns(width + keyValueWidth..<width + 2 * keyValueWidth)
            ),
            key: cache.keys(layer: cacheLayer), value: cache.values(layer: cacheLayer), keyCapacity: cache.capacity,
            keyCount: .step,
            step: step, rotary: rotary?.decode, bias: bias, capture: tap.decodeDestination(kind, layer: layer),
            into: context)
        try contribute(context, to: residual, workspace, tap, on: stream)
    }

    /// Each hypothesis' new position attends to the remembered source, which all hypotheses share. `mask` as for
    /// `readSource`.
    package func decodeSource(
        _ x: any LinearInput, sourceCount: Int, mask: Tensor? = nil, step: StepBuffer, cache: KeyValueCache,
        addingTo residual: Tensor,
        workspace: Workspace, tap: AttentionTap, on stream: CommandStream
    ) throws {
        let queries = try sourceQueries(x, workspace, on: stream)
        let context = workspace.context.rows(x.rows)
        let plain = mask.map { DecodeBias(values: $0, isByDistance: false) }
        let bias = try tap.active?.hiding(kind, layer: layer, in: plain, keys: sourceCount, on: stream) ?? plain
        try stream.attentionDecode(
            shape: shape, query: queries, append: nil, key: cache.keys(layer: cacheLayer),
            value: cache.values(layer: cacheLayer),
            keyCapacity: 0, keyCount: .fixed(sourceCount), step: step, bias: bias,
            capture: tap.decodeDestination(kind, layer: layer), into: context)
        try contribute(context, to: residual, workspace, tap, on: stream)
    }
}

extension AttentionShape {
    /// The shape as the queries from `first` on see it.
    func from(query first: Int) -> AttentionShape {
        var shape = self
        shape.causalOffset = causalOffset.map { $0 + first }
        return shape
    }
}

extension AttentionBias {
    /// What a mask adds to the score of an excluded key: so much that nothing is left of the score in f32, as with the
    /// lowest finite number in the reference, so that a row of which every key is excluded is uniform over all of them.
    package static let excluded: Float = -1e30

    /// One row, `[1, keys]`, for all heads and queries.
    package init(mask: Tensor, queries: Int) {
        self.init(values: mask.repeated(queries), isPerHead: false)
    }
}
