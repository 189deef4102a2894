import Compute
import Formats

/// Attention (Vaswani et al. 2017), the only one in the house: softmax(q·kᵀ·scale + mask)·v over heads, of a sequence
/// over itself or over another one's output. Models configure it and none declares it again, so the tap sits here.
public final class Attention {
    public let kind: AttentionKind
    public let layer: Int
    public let shape: AttentionShape
    private let projections: Projections
    private let output: Linear
    private let rotary: RotaryPositions?

    private enum Projections {
        /// Query, key and value of the same input, fused.
        case own(Linear)
        /// Queries of this sequence; keys and values, fused, of another.
        case other(query: Linear, keyValue: Linear)
    }

    /// What attention needs besides its input: scratch and the tap.
    public struct Workspace {
        /// `[rows, (heads + 2 · kvHeads) · headDimension]`
        public let queryKeyValue: Slot
        /// `[rows, heads · headDimension]`
        public let context: Slot
        /// `[heads, rows]`, for passes over many positions.
        public let logSumExp: Slot

        public init(_ workspace: Transformer.Workspace, rows: Int, shape: AttentionShape, phase: String) {
            let width = shape.heads * shape.headDimension
            let kvWidth = shape.keyValueHeads * shape.headDimension
            queryKeyValue = workspace.reserve("query, key, value", rows: rows, columns: width + 2 * kvWidth, phase: phase)
            context = workspace.reserve("context", rows: rows, columns: width, phase: phase)
            logSumExp = workspace.reserve("log-sum-exp", rows: shape.heads, columns: rows, phase: phase)
        }
    }

    private init(
        kind: AttentionKind, layer: Int, shape: AttentionShape, projections: Projections, output: Linear, rotary: RotaryPositions? = nil
    ) {
        self.kind = kind
        self.layer = layer
        self.shape = shape
        self.projections = projections
        self.output = output
        self.rotary = rotary
    }

    /// Self-attention of ready layers: `fused` gives query, key and value side by side.
    public convenience init(
        kind: AttentionKind, layer: Int, shape: AttentionShape, fused: Linear, output: Linear, rotary: RotaryPositions? = nil
    ) {
        self.init(kind: kind, layer: layer, shape: shape, projections: .own(fused), output: output, rotary: rotary)
    }

    /// Self-attention whose query, key and value projections have separate names in the checkpoint.
    public static func selfAttention(
        _ scope: ParameterScope, kind: AttentionKind, layer: Int, size: Int, shape: AttentionShape, names: Names = .init()
    ) -> Attention {
        let fused = names.fuse(
            [names.query, names.key, names.value], in: scope, inputs: size, outputs: shape.heads * shape.headDimension)
        return Attention(
            kind: kind, layer: layer, shape: shape, projections: .own(fused),
            output: Linear(scope(names.output), inputs: shape.heads * shape.headDimension, outputs: size, bias: names.hasBias))
    }

    /// Cross-attention to a sequence of `sourceSize` features.
    public static func crossAttention(
        _ scope: ParameterScope, layer: Int, size: Int, sourceSize: Int, shape: AttentionShape, names: Names = .init()
    ) -> Attention {
        let query = Linear(scope(names.query), inputs: size, outputs: shape.heads * shape.headDimension, bias: names.hasBias)
        let keyValue = names.fuse(
            [names.key, names.value], in: scope, inputs: sourceSize, outputs: shape.keyValueHeads * shape.headDimension)
        return Attention(
            kind: .cross, layer: layer, shape: shape, projections: .other(query: query, keyValue: keyValue),
            output: Linear(scope(names.output), inputs: shape.heads * shape.headDimension, outputs: size, bias: names.hasBias))
    }

    /// The projections' names in a checkpoint.
    public struct Names: Sendable {
        public var query = "q_proj"
        public var key = "k_proj"
        public var value = "v_proj"
        public var output = "out_proj"
        /// Projections that may have no bias.
        public var withoutBias: Set<String> = []
        /// Whether any projection has a bias.
        public var hasBias = true
        public init() {}
        public init(
            query: String, key: String, value: String, output: String, withoutBias: Set<String> = [], hasBias: Bool = true
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

    // MARK: Passes over many positions

    /// Every position attends to every position: residual += output(attention(x)), x `[rows, size]` and possibly the
    /// residual itself. `bias` is added to the scores: positions, masks, or both.
    public func encode(
        _ x: Tensor, bias: AttentionBias? = nil, addingTo residual: Tensor, workspace: Workspace, tap: AttentionTap,
        on stream: CommandStream
    ) throws {
        guard case .own(let fused) = projections else { preconditionFailure("cross-attention does not encode") }
        let qkv = workspace.queryKeyValue.rows(x.rows)
        try fused(x, into: qkv, on: stream)
        try attend(
            query: qkv.columns(0..<width), key: qkv.columns(width..<width + keyValueWidth),
            value: qkv.columns(width + keyValueWidth..<width + 2 * keyValueWidth), firstPosition: nil, bias: bias,
            addingTo: residual, workspace: workspace, tap: tap, on: stream)
    }

    /// Positions `firstPosition…` attend to themselves and all before them; their keys and values join the cache.
    public func prefill(
        _ x: Tensor, firstPosition: Int, bias: AttentionBias? = nil, cache: KeyValueCache, addingTo residual: Tensor, workspace: Workspace, tap: AttentionTap,
        on stream: CommandStream
    ) throws {
        guard case .own(let fused) = projections else { preconditionFailure("cross-attention has no growing cache") }
        let end = firstPosition + x.rows
        let query = workspace.queryKeyValue.rows(x.rows).columns(0..<width)
        try fused(x, outputs: 0..<width, into: query, on: stream)
        let entries = cache.keysAndValues(layer: layer)
        try fused(x, outputs: width..<width + 2 * keyValueWidth, into: entries.rows(firstPosition..<end), on: stream)
        try rotary?.turn(query, firstPosition: firstPosition, on: stream)
        try rotary?.turn(entries.rows(firstPosition..<end).columns(0..<keyValueWidth), firstPosition: firstPosition, on: stream)
        let known = entries.rows(0..<end)
        try attend(
            query: query, key: known.columns(0..<keyValueWidth), value: known.columns(keyValueWidth..<2 * keyValueWidth),
            firstPosition: firstPosition, bias: bias, addingTo: residual, workspace: workspace, tap: tap, on: stream)
    }

    /// Computes the keys and values of the source once, for all steps to come.
    public func remember(source: Tensor, in cache: KeyValueCache, on stream: CommandStream) throws {
        guard case .other(_, let keyValue) = projections else { preconditionFailure("self-attention has no source") }
        try keyValue(source, into: cache.keysAndValues(layer: layer).rows(0..<source.rows), on: stream)
    }

    /// Positions attend to the remembered source. `mask`, `[1, sourceCount]`, is added to every query's scores.
    public func readSource(
        _ x: Tensor, sourceCount: Int, mask: Tensor? = nil, cache: KeyValueCache, addingTo residual: Tensor, workspace: Workspace,
        tap: AttentionTap, on stream: CommandStream
    ) throws {
        guard case .other(let query, _) = projections else { preconditionFailure("self-attention has no source") }
        let queries = workspace.queryKeyValue.rows(x.rows).columns(0..<width)
        try query(x, into: queries, on: stream)
        let entries = cache.keysAndValues(layer: layer).rows(0..<sourceCount)
        try attend(
            query: queries, key: entries.columns(0..<keyValueWidth), value: entries.columns(keyValueWidth..<2 * keyValueWidth),
            firstPosition: nil, bias: mask.map { AttentionBias(mask: $0, queries: x.rows) }, addingTo: residual, workspace: workspace,
            tap: tap, on: stream)
    }

    private func attend(
        query: Tensor, key: Tensor, value: Tensor, firstPosition: Int?, bias: AttentionBias?, addingTo residual: Tensor,
        workspace: Workspace, tap: AttentionTap, on stream: CommandStream
    ) throws {
        let watched = tap.wantsRows(kind, layer: layer)
        // Behind a mask the sum of a row may be too small against its maximum for f32: rows are then summed anew.
        let logSumExp = watched && bias == nil ? workspace.logSumExp.tensor : nil
        let context = workspace.context.rows(query.rows)
        var shape = shape
        shape.causalOffset = firstPosition
        try stream.attention(shape: shape, query: query, key: key, value: value, bias: bias, logSumExp: logSumExp, into: context)
        if watched {
            try tap.capture(
                kind, layer: layer, shape: shape, query: query, key: key, bias: bias, logSumExp: logSumExp, on: stream)
        }
        try output(context, residual: residual, into: residual, on: stream)
    }

    // MARK: Decode: one new position for each hypothesis

    /// Appends each hypothesis' new key and value to the cache at the step's position, and attends to all so far.
    public func decode(
        _ x: any LinearInput, step: StepBuffer, bias: DecodeBias? = nil, cache: KeyValueCache, addingTo residual: Tensor, workspace: Workspace, tap: AttentionTap,
        on stream: CommandStream
    ) throws {
        guard case .own(let fused) = projections else { preconditionFailure("cross-attention has no growing cache") }
        let qkv = workspace.queryKeyValue.rows(x.rows)
        try fused(x, into: qkv, on: stream)
        let context = workspace.context.rows(x.rows)
        try stream.attentionDecode(
            shape: shape, query: qkv.columns(0..<width),
            append: (qkv.columns(width..<width + keyValueWidth), qkv.columns(width + keyValueWidth..<width + 2 * keyValueWidth)),
            key: cache.keys(layer: layer), value: cache.values(layer: layer), keyCapacity: cache.capacity, keyCount: .step,
            step: step, rotary: rotary?.decode, bias: bias, capture: tap.decodeDestination(kind, layer: layer), into: context)
        try output(context, residual: residual, into: residual, on: stream)
    }

    /// Each hypothesis' new position attends to the remembered source, which all hypotheses share. `mask` as for
    /// `readSource`.
    public func decodeSource(
        _ x: any LinearInput, sourceCount: Int, mask: Tensor? = nil, step: StepBuffer, cache: KeyValueCache, addingTo residual: Tensor,
        workspace: Workspace, tap: AttentionTap, on stream: CommandStream
    ) throws {
        guard case .other(let query, _) = projections else { preconditionFailure("self-attention has no source") }
        let queries = workspace.queryKeyValue.rows(x.rows).columns(0..<width)
        try query(x, into: queries, on: stream)
        let context = workspace.context.rows(x.rows)
        try stream.attentionDecode(
            shape: shape, query: queries, append: nil, key: cache.keys(layer: layer), value: cache.values(layer: layer),
            keyCapacity: 0, keyCount: .fixed(sourceCount), step: step, bias: mask.map { DecodeBias(values: $0, isByDistance: false) },
            capture: tap.decodeDestination(kind, layer: layer), into: context)
        try output(context, residual: residual, into: residual, on: stream)
    }
}

extension AttentionBias {
    /// What a mask adds to the score of an excluded key: so much that nothing is left of the score in f32, as with the
    /// lowest finite number in the reference, so that a row of which every key is excluded is uniform over all of them.
    public static let excluded: Float = -1e30

    /// One row, `[1, keys]`, for all heads and queries.
    public init(mask: Tensor, queries: Int) {
        var rows = mask
        rows.rows = queries
        rows.rowStride = 0
        self.init(values: rows, isPerHead: false)
    }
}
