import Compute
import AttentionTypes
import NumberFormats

/// Attention (Vaswani et al. 2017): softmax(q·kᵀ·scale + mask)·v over heads, of a sequence over itself or over another
/// one's output. All models use this one, so attention is captured here.
package final class Attention {
    package let kind: AttentionKind
    package let layer: Int
    package let shape: AttentionShape
    private let projections: Projections
    private let output: Linear
    private let options: Options

    private enum Projections {
        /// Query, key and value of the same input, fused.
        case own(Linear)
        /// Queries of this sequence; keys and values, fused, of another.
        case other(query: Linear, keyValue: Linear)
    }

    /// Scratch memory that the attention layers of a stack share, of the size of the largest.
    package struct Scratch {
        /// `[rows, (heads + 2 · kvHeads) · headDimension]`
        private let queryKeyValueRows: Slot
        /// `[rows, heads · headDimension]`
        private let contextRows: Slot
        /// `[heads, rows]`, for passes over many positions.
        let logSumExp: Slot

        package init(_ workspace: Workspace, rows: Int, shapes: [AttentionShape], phase: String) {
            func largest(_ size: (AttentionShape) -> Int) -> Int { shapes.map(size).max() ?? 1 }
            queryKeyValueRows = workspace.reserve(
                "query, key, value", rows: rows,
                columns: largest { ($0.heads + 2 * $0.keyValueHeads) * $0.headDimension }, phase: phase)
            contextRows = workspace.reserve(
                "context", rows: rows, columns: largest { $0.heads * $0.headDimension }, phase: phase)
            logSumExp = workspace.reserve("log-sum-exp", rows: largest(\.heads), columns: rows, phase: phase)
        }

        func queryKeyValue(_ rows: Int, columns: Int) -> Tensor { queryKeyValueRows.packed(rows, columns: columns) }
        func context(_ rows: Int, columns: Int) -> Tensor { contextRows.packed(rows, columns: columns) }
    }

    /// Options that some architectures add to plain attention.
    package struct Options {
        /// Norms over the elements of each head, before rotary positions.
        package var queryNorm: RMSNorm?
        package var keyNorm: RMSNorm?
        /// Rotary positions of queries and keys; each layer may have its own.
        package var rotary: RotaryPositions?

        package init(queryNorm: RMSNorm? = nil, keyNorm: RMSNorm? = nil, rotary: RotaryPositions? = nil) {
            self.queryNorm = queryNorm
            self.keyNorm = keyNorm
            self.rotary = rotary
        }
    }

    private init(
        kind: AttentionKind, layer: Int, shape: AttentionShape, projections: Projections, output: Linear,
        options: Options
    ) {
        self.kind = kind
        self.layer = layer
        self.shape = shape
        self.projections = projections
        self.output = output
        self.options = options
    }

    /// Self-attention of declared layers: `fused` gives query, key and value side by side.
    package convenience init(
        kind: AttentionKind, layer: Int, shape: AttentionShape, fused: Linear, output: Linear,
        options: Options = .init()
    ) {
        self.init(
            kind: kind, layer: layer, shape: shape, projections: .own(fused), output: output, options: options)
    }

    /// Cross-attention of declared layers: `keyValue` gives the source's keys and values side by side.
    package convenience init(
        layer: Int, shape: AttentionShape, query: Linear, keyValue: Linear, output: Linear, options: Options = .init()
    ) {
        keyValue.weight.isReadEachStep = false
        self.init(
            kind: .cross, layer: layer, shape: shape, projections: .other(query: query, keyValue: keyValue),
            output: output, options: options)
    }

    /// Self-attention whose query, key and value projections have separate names in the checkpoint.
    package static func selfAttention(
        _ scope: ParameterScope, kind: AttentionKind = .selfAttention, layer: Int, hiddenSize: Int,
        shape: AttentionShape, names: Names = .init(), options: Options = .init()
    ) -> Attention {
        let fused = names.fuse(
            [(names.query, shape.width), (names.key, shape.keyValueWidth), (names.value, shape.keyValueWidth)],
            in: scope, inputs: hiddenSize)
        return Attention(
            kind: kind, layer: layer, shape: shape, fused: fused,
            output: names.outputLayer(in: scope, shape: shape, hiddenSize: hiddenSize), options: options)
    }

    /// Cross-attention to a sequence of `sourceSize` features.
    package static func crossAttention(
        _ scope: ParameterScope, layer: Int, hiddenSize: Int, sourceSize: Int, shape: AttentionShape,
        names: Names = .init(), options: Options = .init()
    ) -> Attention {
        Attention(
            layer: layer, shape: shape,
            query: Linear(scope(names.query), inputs: hiddenSize, outputs: shape.width, bias: names.inputsHaveBias),
            keyValue: names.fuse(
                [(names.key, shape.keyValueWidth), (names.value, shape.keyValueWidth)], in: scope, inputs: sourceSize),
            output: names.outputLayer(in: scope, shape: shape, hiddenSize: hiddenSize), options: options)
    }

    /// The projections' names in a checkpoint, and their biases.
    package struct Names: Sendable {
        package var query = "q_proj"
        package var key = "k_proj"
        package var value = "v_proj"
        package var output = "out_proj"
        /// Projections whose bias the checkpoint may lack; zeros stand in for it.
        package var optionalBiases: Set<String> = []
        /// True where query, key and value have biases.
        package var inputsHaveBias = true
        package var outputHasBias = true

        package init(
            query: String = "q_proj", key: String = "k_proj", value: String = "v_proj", output: String = "out_proj",
            optionalBiases: Set<String> = [], inputsHaveBias: Bool = true, outputHasBias: Bool = true
        ) {
            self.query = query
            self.key = key
            self.value = value
            self.output = output
            self.optionalBiases = optionalBiases
            self.inputsHaveBias = inputsHaveBias
            self.outputHasBias = outputHasBias
        }

        fileprivate func fuse(_ layers: [(name: String, outputs: Int)], in scope: ParameterScope, inputs: Int) -> Linear
        {
            Linear(fusing: layers, in: scope, inputs: inputs, bias: inputsHaveBias, optionalBiases: optionalBiases)
        }

        fileprivate func outputLayer(in scope: ParameterScope, shape: AttentionShape, hiddenSize: Int) -> Linear {
            Linear(scope(output), inputs: shape.width, outputs: hiddenSize, bias: outputHasBias)
        }
    }

    private var width: Int { shape.width }
    private var keyValueWidth: Int { shape.keyValueWidth }
    var rotary: RotaryPositions? { options.rotary }

    // MARK: Passes over many positions

    /// Every position attends to every position: residual += output(attention(x)), x `[rows, hiddenSize]` and possibly the
    /// residual itself. `bias` is added to the scores; `masks` where runs of queries see different keys.
    package func encode(
        _ x: any LinearInput, bias: AttentionBias? = nil, masks: [MaskRun]? = nil, addingTo residual: ResidualStream,
        scratch: Scratch, tap: AttentionTap, on stream: CommandStream
    ) throws {
        guard case .own(let fused) = projections else { preconditionFailure("cross-attention does not encode") }
        let qkv = scratch.queryKeyValue(x.rows, columns: width + 2 * keyValueWidth)
        try fused(x, into: qkv, on: stream)
        let (query, key) = (qkv.columns(0..<width), qkv.columns(width..<width + keyValueWidth))
        try options.queryNorm?.normalizeHeads(query, on: stream)
        try options.keyNorm?.normalizeHeads(key, on: stream)
        try rotary?.turn(query, firstPosition: 0, on: stream)
        try rotary?.turn(key, firstPosition: 0, on: stream)
        precondition(bias == nil || masks == nil, "one bias or masks by runs")
        try attend(
            query: query, key: key, value: qkv.columns(width + keyValueWidth..<width + 2 * keyValueWidth),
            firstPosition: nil,
            runs: masks.map { QueryRun.masked($0, queries: x.rows) } ?? QueryRun.all(x.rows, bias: bias),
            addingTo: residual, scratch: scratch, tap: tap, on: stream)
    }

    /// Positions `firstPosition…` attend to themselves and all before them; their keys and values join the cache.
    /// - Parameter spans: rows that attend to each other both ways, ascending; not together with `bias`.
    package func prefill(
        _ input: any LinearInput, firstPosition: Int, bias: AttentionBias? = nil, spans: [Range<Int>] = [],
        cache: KeyValueCache,
        addingTo residual: ResidualStream, scratch: Scratch, tap: AttentionTap, on stream: CommandStream
    ) throws {
        guard case .own(let fused) = projections else { preconditionFailure("cross-attention has no growing cache") }
        precondition(bias == nil || spans.isEmpty, "one bias or spans")
        // Two layers read it: the norm is taken once.
        let x = try input.resolved(on: stream)
        let end = firstPosition + x.rows
        let entries = cache.keysAndValues(layer: layer)
        let new = entries.rows(firstPosition..<end)
        let qkv = scratch.queryKeyValue(x.rows, columns: width + 2 * keyValueWidth)
        let query = qkv.columns(0..<width)
        // Keys and values are computed in f32, in place where the cache has it.
        let keysAndValues = new.format == .f32 ? new : qkv.columns(width..<width + 2 * keyValueWidth)
        if new.format == .f32 {
            try fused(x, outputs: 0..<width, into: query, on: stream)
            try fused(x, outputs: width..<width + 2 * keyValueWidth, into: new, on: stream)
        } else {
            try fused(x, into: qkv, on: stream)
        }
        let newKeys = keysAndValues.columns(0..<keyValueWidth)
        try options.queryNorm?.normalizeHeads(query, on: stream)
        try options.keyNorm?.normalizeHeads(newKeys, on: stream)
        try rotary?.turn(query, firstPosition: firstPosition, on: stream)
        try rotary?.turn(newKeys, firstPosition: firstPosition, on: stream)
        if new.format != .f32 { try stream.convert(keysAndValues, into: new) }
        let known = entries.rows(0..<end)
        try attend(
            query: query, key: known.columns(0..<keyValueWidth),
            value: known.columns(keyValueWidth..<2 * keyValueWidth), firstPosition: firstPosition,
            runs: spans.isEmpty
                ? QueryRun.all(x.rows, bias: bias)
                : QueryRun.causal(x.rows, spans: spans, firstPosition: firstPosition),
            addingTo: residual, scratch: scratch, tap: tap, on: stream)
    }

    /// Computes the keys and values of a source once, for all steps to come. They take the cache's rows from `first`.
    /// - Parameter staging: `[rows, 2 · width]` f32, in which they are computed where the cache has another format.
    package func cacheKeysAndValues(
        of source: Tensor, in cache: KeyValueCache, from first: Int = 0, staging: Slot? = nil, on stream: CommandStream
    ) throws {
        guard case .other(_, let keyValue) = projections else { preconditionFailure("self-attention has no source") }
        let entries = cache.keysAndValues(layer: layer).rows(first..<first + source.rows)
        guard let staging else {
            try keyValue(source, into: entries, on: stream)
            return try options.keyNorm?.normalizeHeads(entries.columns(0..<keyValueWidth), on: stream) ?? ()
        }
        for start in stride(from: 0, to: source.rows, by: staging.rows) {
            let rows = start..<min(start + staging.rows, source.rows)
            let piece = staging.packed(rows.count, columns: 2 * keyValueWidth)
            try keyValue(source.rows(rows), into: piece, on: stream)
            try options.keyNorm?.normalizeHeads(piece.columns(0..<keyValueWidth), on: stream)
            try stream.convert(piece, into: entries.rows(rows))
        }
    }

    /// Positions attend to the cached source.
    package func crossPrefill(
        _ x: any LinearInput, source: CrossAttentionView, addingTo residual: ResidualStream, scratch: Scratch,
        tap: AttentionTap, on stream: CommandStream
    ) throws {
        let queries = try sourceQueries(x, scratch, on: stream)
        let entries = source.cache.keysAndValues(layer: layer).rows(0..<source.count)
        try attend(
            query: queries, key: entries.columns(0..<keyValueWidth),
            value: entries.columns(keyValueWidth..<2 * keyValueWidth), firstPosition: nil,
            runs: QueryRun.masked(source.runs, queries: x.rows), addingTo: residual, scratch: scratch, tap: tap,
            on: stream)
    }

    /// Queries for the source, `[rows, heads · headDimension]`, without gaps between rows.
    private func sourceQueries(_ x: any LinearInput, _ scratch: Scratch, on stream: CommandStream) throws -> Tensor {
        guard case .other(let query, _) = projections else { preconditionFailure("self-attention has no source") }
        let queries = scratch.queryKeyValue(x.rows, columns: width)
        try query(x, into: queries, on: stream)
        try options.queryNorm?.normalizeHeads(queries, on: stream)
        return queries
    }

    private func attend(
        query: Tensor, key: Tensor, value: Tensor, firstPosition: Int?, runs: [QueryRun],
        addingTo residual: ResidualStream, scratch: Scratch, tap: AttentionTap, on stream: CommandStream
    ) throws {
        let runs = try tap.active?.hiding(kind, in: runs, keys: key.rows, on: stream) ?? runs
        let watched = tap.wantsRows(kind, layer: layer)
        // Behind a mask the sum of a row may be too small against its maximum for f32: rows are then summed anew.
        let logSumExp = watched && runs.count == 1 && runs[0].bias == nil ? scratch.logSumExp.tensor : nil
        let context = scratch.context(query.rows, columns: width)
        var shape = shape
        shape.causalOffset = firstPosition
        for run in runs {
            try stream.attention(
                shape: run.shape(shape), query: query.rows(run.queries), key: key,
                value: value, bias: run.bias,
                logSumExp: logSumExp, into: context.rows(run.queries))
        }
        if watched {
            try tap.capture(
                kind, layer: layer, shape: shape, query: query, key: key, runs: runs, logSumExp: logSumExp, on: stream)
        }
        try contribute(context, to: residual, tap, on: stream)
    }

    /// residual += output(context), without the heads that are silenced.
    private func contribute(
        _ context: Tensor, to residual: ResidualStream, _ tap: AttentionTap, on stream: CommandStream
    ) throws {
        try tap.active?.silence(kind, layer: layer, context, headDimension: shape.headDimension, on: stream)
        try residual.add(on: stream) { sum, out in try output(context, residual: sum, into: out, on: stream) }
    }

    // MARK: Decode: one new position for each hypothesis

    /// Appends each hypothesis' new key and value to the cache at the step's position, and attends to all so far.
    package func decode(
        _ x: any LinearInput, step: StepBuffer, bias: DecodeBias? = nil, cache: KeyValueCache,
        addingTo residual: ResidualStream, scratch: Scratch, tap: AttentionTap, on stream: CommandStream
    ) throws {
        guard case .own(let fused) = projections else { preconditionFailure("cross-attention has no growing cache") }
        let qkv = scratch.queryKeyValue(x.rows, columns: width + 2 * keyValueWidth)
        try fused(x, into: qkv, on: stream)
        try options.queryNorm?.normalizeHeads(qkv.columns(0..<width), on: stream)
        try options.keyNorm?.normalizeHeads(qkv.columns(width..<width + keyValueWidth), on: stream)
        let context = scratch.context(x.rows, columns: width)
        let bias = try tap.active?.hiding(kind, in: bias, keys: cache.capacity, on: stream) ?? bias
        try stream.attentionDecode(
            shape: shape, query: qkv.columns(0..<width),
            append: (
                qkv.columns(width..<width + keyValueWidth),
                qkv.columns(width + keyValueWidth..<width + 2 * keyValueWidth)
            ),
            key: cache.keys(layer: layer), value: cache.values(layer: layer), keyCapacity: cache.capacity,
            keyCount: .step,
            step: step, rotary: rotary?.decode, bias: bias, capture: tap.decodeDestination(kind, layer: layer),
            into: context)
        try contribute(context, to: residual, tap, on: stream)
    }

    /// Each hypothesis' new position attends to the cached source, which all hypotheses share.
    package func crossDecode(
        _ x: any LinearInput, source: CrossAttentionView, step: StepBuffer, addingTo residual: ResidualStream,
        scratch: Scratch, tap: AttentionTap, on stream: CommandStream
    ) throws {
        let queries = try sourceQueries(x, scratch, on: stream)
        let context = scratch.context(x.rows, columns: width)
        let plain = source.runs.first?.mask.map { DecodeBias(values: $0, index: .key) }
        let bias = try tap.active?.hiding(kind, in: plain, keys: source.count, on: stream) ?? plain
        try stream.attentionDecode(
            shape: shape, query: queries, append: nil, key: source.cache.keys(layer: layer),
            value: source.cache.values(layer: layer), keyCapacity: 0, keyCount: .fixed(source.count), step: step,
            bias: bias, capture: tap.decodeDestination(kind, layer: layer), into: context)
        try contribute(context, to: residual, tap, on: stream)
    }
}

extension AttentionShape {
    /// Elements of a row of queries.
    package var width: Int { heads * headDimension }
    /// Elements of a row of keys.
    package var keyValueWidth: Int { keyValueHeads * headDimension }

    /// The shape as the queries from `first` on see it.
    func from(query first: Int) -> AttentionShape {
        var shape = self
        shape.causalOffset = causalOffset.map { $0 + first }
        return shape
    }
}

extension AttentionBias {
    /// Term that a mask adds to the score of an excluded key: so much that nothing is left of the score in f32, as with the
    /// lowest finite number in the reference, so that a row of which every key is excluded is uniform over all of them.
    package static let excluded: Float = -1e30

    /// One row, `[1, keys]`, for all heads and queries.
    package init(mask: Tensor, queries: Int) {
        self.init(values: mask.repeated(queries), isPerHead: false)
    }
}
