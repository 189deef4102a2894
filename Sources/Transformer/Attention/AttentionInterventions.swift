import Compute
import AttentionTypes
import NumberFormats

/// Interventions as attention carries them out: rows of masks, one per kind, and silence for heads.
///
/// There are such rows only while something is hidden; a model that runs as it is never comes here.
final class AttentionInterventions {
    let interventions: Interventions
    private let device: Device
    /// Rows of masks, with the keys each was written for: memory may be larger than asked for.
    private var masks: [AttentionKind: (buffer: Buffer, keys: Int)] = [:]
    private var sum: Buffer?

    init(_ interventions: Interventions, device: Device) {
        self.interventions = interventions
        self.device = device
    }

    // MARK: Hidden keys

    /// Mask added to the scores of every query, `[1, keys]`; `nil` when no key of this kind is hidden.
    private func mask(_ kind: AttentionKind, keys: Int) throws -> Tensor? {
        guard let hidden = interventions.hiddenKeys[kind], !hidden.isEmpty else { return nil }
        if let known = masks[kind], known.keys >= keys { return Tensor(buffer: known.buffer, rows: 1, columns: keys) }
        let buffer = try device.makeBuffer(
            byteCount: keys * 4, purpose: .staging, label: "hidden keys", access: .upload)
        buffer.write((0..<keys).map { hidden.contains($0) ? AttentionBias.excluded : Float(0) })
        masks[kind] = (buffer, keys)
        return Tensor(buffer: buffer, rows: 1, columns: keys)
    }

    /// Memory for the sum of a mask and another term.
    private func sum(rows: Int, columns: Int) throws -> Tensor {
        if let sum, sum.byteCount >= rows * columns * 4 { return Tensor(buffer: sum, rows: rows, columns: columns) }
        let buffer = try device.makeBuffer(
            byteCount: rows * columns * 4, purpose: .activations, label: "scores with hidden keys")
        sum = buffer
        return Tensor(buffer: buffer, rows: rows, columns: columns)
    }

    /// The runs of a pass over many positions, with the hidden keys of its kind.
    func hiding(_ kind: AttentionKind, in runs: [QueryRun], keys: Int, on stream: CommandStream) throws -> [QueryRun] {
        guard let mask = try mask(kind, keys: keys) else { return runs }
        // A term that is one row for all queries stays one.
        func rows(_ bias: AttentionBias?) -> Int { bias.map { $0.values.rowStride == 0 ? 1 : $0.values.rows } ?? 0 }
        let total = runs.reduce(0) { $0 + rows($1.bias) }
        let place = total > 0 ? try sum(rows: total, columns: keys) : nil
        var first = 0
        return try runs.map { run in
            var result = run
            guard let bias = run.bias, let place else {
                result.bias = AttentionBias(mask: mask, queries: run.queries.count)
                return result
            }
            let count = rows(bias)
            let own = place.rows(first..<first + count)
            first += count
            try stream.add(bias.values.rows(0..<count), mask.repeated(count), into: own)
            let values = bias.values.rowStride == 0 ? own.repeated(bias.values.rows) : own
            result.bias = AttentionBias(values: values, isPerHead: bias.isPerHead)
            return result
        }
    }

    /// The term of a decode step, with the hidden keys of its kind.
    func hiding(_ kind: AttentionKind, in bias: DecodeBias?, keys: Int, on stream: CommandStream) throws
        -> DecodeBias?
    {
        guard let mask = try mask(kind, keys: bias?.values.columns ?? keys) else { return bias }
        guard let bias else { return DecodeBias(values: mask, index: .key) }
        let rows = bias.values.rows
        guard bias.index == .key else {
            // A key's place by distance changes with every step: the mask becomes a row of its own, by key.
            let both = try sum(rows: rows + 1, columns: bias.values.columns)
            try stream.convert(bias.values, into: both.rows(0..<rows))
            try stream.convert(mask, into: both.rows(rows..<rows + 1))
            return DecodeBias(values: both, index: .distanceAndKey)
        }
        let sum = try sum(rows: rows, columns: bias.values.columns)
        try stream.add(bias.values, mask.repeated(rows), into: sum)
        return DecodeBias(values: sum, index: .key)
    }

    // MARK: Silenced heads

    /// Replaces what silenced heads have read by zeros; `context` is `[rows, heads · headDimension]`.
    func silence(_ kind: AttentionKind, layer: Int, _ context: Tensor, headDimension: Int, on stream: CommandStream)
        throws
    {
        let heads = interventions.silencedHeads.filter { $0.kind == kind && $0.layer == layer }.map(\.head).sorted()
        for head in heads where head >= 0 && (head + 1) * headDimension <= context.columns {
            let part = context.columns(head * headDimension..<(head + 1) * headDimension)
            try stream.convert(part, scale: 0, into: part)
        }
    }
}

extension Tensor {
    /// One row, as many times as wanted.
    package func repeated(_ rows: Int) -> Tensor {
        precondition(self.rows == 1)
        var tensor = self
        tensor.rows = rows
        tensor.rowStride = 0
        return tensor
    }
}
