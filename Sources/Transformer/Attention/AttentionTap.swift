import Compute
import AttentionTypes
import NumberFormats

/// Attention capture: takes attention weights out of a running model.
///
/// While decoding, the attention kernel writes the rows it has computed anyway to the capture memory. In passes over
/// many positions a second kernel recomputes just the rows that were asked for, from the log-sum-exp the fused kernel
/// kept. Nothing else in the model changes: there is no slow mode that only the tap sees. It is also the place where
/// heads are silenced and keys hidden on request.
package final class AttentionTap {
    /// Layers that are captured.
    package struct Selection: Sendable, Hashable {
        private enum Layers: Sendable, Hashable {
            case all
            case only(Set<Int>)
        }

        /// Watched layers by kind; none of a kind that is absent.
        private var layers: [AttentionKind: Layers]

        package static let off = Selection(layers: [:])
        package static let everything = Selection(
            layers: Dictionary(uniqueKeysWithValues: AttentionKind.allCases.map { ($0, .all) }))
        /// All layers of cross-attention, which the attention panel draws from.
        package static let cross = Selection(.cross)

        private init(layers: [AttentionKind: Layers]) { self.layers = layers }

        /// Some layers of one kind; `nil` for all of them.
        package init(_ kind: AttentionKind, layers chosen: Set<Int>? = nil) {
            layers = [kind: chosen.map { .only($0) } ?? .all]
        }

        package func union(_ other: Selection) -> Selection {
            Selection(
                layers: layers.merging(other.layers) { mine, theirs in
                    guard case .only(let mine) = mine, case .only(let theirs) = theirs else { return .all }
                    return .only(mine.union(theirs))
                })
        }

        package func contains(_ kind: AttentionKind, layer: Int) -> Bool {
            switch layers[kind] {
            case nil: false
            case .all: true
            case .only(let chosen): chosen.contains(layer)
            }
        }
    }

    /// Query rows of a pass over many positions that are kept.
    package enum QueryRows: Sendable, Hashable {
        case none, last, all
        case list([Int])

        func rows(of count: Int) -> [Int] {
            switch self {
            case .none: []
            case .last: count > 0 ? [count - 1] : []
            case .all: Array(0..<count)
            case .list(let rows): rows.filter { $0 < count }
            }
        }
    }

    private struct Place {
        let kind: AttentionKind
        let layer: Int
        let heads: Int
        let keyCapacity: Int
        let offset: Int
    }

    /// Layers that are captured. Changing it voids recorded decode steps; see `revision`.
    package var selection: Selection = .off {
        didSet { if selection != oldValue { revision += 1 } }
    }
    /// Heads and keys that are taken out of the model. Changing it voids recorded decode steps; the caller empties the
    /// cache of keys and values computed before.
    package var interventions: Interventions {
        get { active?.interventions ?? .none }
        set {
            guard newValue != interventions else { return }
            active = newValue.isEmpty ? nil : AttentionInterventions(newValue, device: device)
            revision += 1
        }
    }
    /// Carries out the interventions; `nil` while the model runs as it is.
    private(set) var active: AttentionInterventions?
    /// Rows kept from the next pass over many positions.
    package var queryRows: QueryRows = .none
    /// Counts changes of what decode steps write, so that recordings know when they are stale.
    package private(set) var revision = 0

    private let device: Device
    private var places: [Place] = []
    private var hypotheses = 1
    private var capture: Buffer?
    private var readback: Buffer?
    private var rowsBuffer: Buffer?
    private var collected: [AttentionWeights] = []

    package init(device: Device) { self.device = device }

    /// Bytes of capture memory that a decode step of these layers takes.
    static func byteCount(heads: Int, keyCapacity: Int, hypotheses: Int) -> Int { hypotheses * heads * keyCapacity * 4 }

    /// Memory for capturing decode steps of these layers, for one hypothesis.
    package static func plannedBytes(layers: [(heads: Int, keyCapacity: Int)], unifiedMemory: Bool) -> Int {
        let bytes = layers.reduce(0) { $0 + byteCount(heads: $1.heads, keyCapacity: $1.keyCapacity, hypotheses: 1) }
        return bytes == 0 ? 0 : Device.allocationBytes(for: bytes) * (unifiedMemory ? 1 : 2)
    }

    // MARK: Decode

    /// Describes the layers a decode step has, in order, before the step is recorded.
    package func prepareDecode(
        hypotheses: Int, layers: [(kind: AttentionKind, layer: Int, heads: Int, keyCapacity: Int)]
    ) throws {
        places = []
        self.hypotheses = hypotheses
        var bytes = 0
        for entry in layers where selection.contains(entry.kind, layer: entry.layer) {
            places.append(
                Place(
                    kind: entry.kind, layer: entry.layer, heads: entry.heads, keyCapacity: entry.keyCapacity,
                    offset: bytes))
            bytes += Self.byteCount(heads: entry.heads, keyCapacity: entry.keyCapacity, hypotheses: hypotheses)
        }
        guard bytes > 0 else {
            capture = nil
            readback = nil
            return
        }
        if (capture?.byteCount ?? 0) < bytes {
            capture = nil
            readback = nil
            revision += 1
            let created = try device.makeBuffer(byteCount: bytes, purpose: .capture, label: "captured rows")
            if created.contents == nil {
                readback = try device.makeBuffer(
                    byteCount: bytes, purpose: .capture, label: "captured rows, host side", access: .readback)
            }
            // Last: the one without the other would capture nothing.
            capture = created
        }
    }

    /// Memory for the rows of a layer's decode kernel, `[hypotheses · heads, keyCapacity]`; `nil` when not captured.
    package func decodeDestination(_ kind: AttentionKind, layer: Int) -> Tensor? {
        guard let capture, let place = places.first(where: { $0.kind == kind && $0.layer == layer }) else { return nil }
        return Tensor(
            buffer: capture, byteOffset: place.offset, rows: hypotheses * place.heads, columns: place.keyCapacity)
    }

    /// Issues the copy of the captured rows to the host, where the host cannot read them in place.
    package func issueReadback(on stream: CommandStream) throws {
        guard let capture, let readback else { return }
        let bytes = min(capture.byteCount, readback.byteCount)
        try stream.copy(
            from: MemoryRange(buffer: capture, offset: 0, byteCount: bytes),
            to: MemoryRange(buffer: readback, offset: 0, byteCount: bytes))
    }

    /// The rows of the last decode step, per hypothesis, once the device has finished it.
    /// - Parameter keyCount: keys that a kind of attention saw in this step.
    package func collectDecode(keyCount: (AttentionKind) -> Int) -> [[AttentionWeights]] {
        guard let buffer = readback ?? capture, let contents = buffer.contents, !places.isEmpty else {
            return Array(repeating: [], count: hypotheses)
        }
        return (0..<hypotheses).map { hypothesis in
            places.map { place in
                let keys = min(keyCount(place.kind), place.keyCapacity)
                let base =
                    (contents + place.offset).assumingMemoryBound(to: Float.self) + hypothesis * place.heads
                    * place.keyCapacity
                let values = [Float](unsafeUninitializedCapacity: place.heads * keys) { values, written in
                    for head in 0..<place.heads {
                        for key in 0..<keys { values[head * keys + key] = base[head * place.keyCapacity + key] }
                    }
                    written = place.heads * keys
                }
                return AttentionWeights(
                    kind: place.kind, layer: place.layer, heads: place.heads, queries: 1, keys: keys, values: values)
            }
        }
    }

    // MARK: Passes over many positions

    /// True where rows of this layer are wanted from the running pass, so that its kernel keeps the log-sum-exp.
    package func wantsRows(_ kind: AttentionKind, layer: Int) -> Bool {
        queryRows != .none && selection.contains(kind, layer: layer)
    }

    /// The largest piece of rows brought to the host at once.
    private static let rowsBytes = 32 << 20

    /// Recomputes and keeps the wanted rows of a layer that has just run; without `logSumExp` rows are summed anew.
    func capture(
        _ kind: AttentionKind, layer: Int, shape: AttentionShape, query: Tensor, key: Tensor, runs: [QueryRun],
        logSumExp: Tensor?, on stream: CommandStream
    ) throws {
        let rows = queryRows.rows(of: query.rows)
        guard !rows.isEmpty else { return }
        let keys = key.rows
        let perRow = shape.heads * keys
        let piece = max(1, min(rows.count, Self.rowsBytes / (perRow * 4)))
        if (rowsBuffer?.byteCount ?? 0) < piece * perRow * 4 {
            rowsBuffer = nil
            rowsBuffer = try device.makeBuffer(
                byteCount: piece * perRow * 4, purpose: .capture, label: "recomputed rows", access: .readback)
        }
        guard let rowsBuffer else { return }
        var values = [Float](repeating: 0, count: shape.heads * rows.count * keys)
        var done = 0
        while done < rows.count {
            guard let run = runs.first(where: { $0.queries.contains(rows[done]) }) else {
                preconditionFailure("a query of no run")
            }
            let count = rows[done...].prefix(piece).prefix(while: run.queries.contains).count
            let chosen = rows[done..<done + count].map { $0 - run.queries.lowerBound }
            let out = Tensor(buffer: rowsBuffer, rows: shape.heads * count, columns: keys)
            try stream.attentionRows(
                chosen, shape: run.shape(shape), query: query.rows(run.queries), key: key,
                bias: run.bias,
                logSumExp: logSumExp, into: out)
            try stream.finish()
            let piece = rowsBuffer.read(Float.self, count: shape.heads * count * keys)
            for head in 0..<shape.heads {
                let target = (head * rows.count + done) * keys
                let source = head * count * keys
                values.replaceSubrange(target..<target + count * keys, with: piece[source..<source + count * keys])
            }
            done += count
        }
        collected.append(
            AttentionWeights(
                kind: kind, layer: layer, heads: shape.heads, queries: rows.count, keys: keys, values: values))
    }

    /// Rows that the passes since the last call kept.
    package func takeRows() -> [AttentionWeights] {
        defer { collected = [] }
        return collected
    }

    /// Frees the memory for recomputed rows, which only traces need for long.
    package func releaseRows() { rowsBuffer = nil }
}
