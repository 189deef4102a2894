import AttentionTypes
import NumberFormats
import Synchronization

/// The captured attention of a whole conversation, token by token, so that any earlier token can be looked at again.
///
/// Weights are kept as 16-bit floats. Past a bound the oldest move to a temporary file that is unlinked as soon as it is
/// open, so that nothing is left behind whichever way the program ends. Where the file cannot be made or the disk is full,
/// the oldest tokens are dropped and a notice says so; generating never fails for lack of room here.
///
/// Safe to use from several threads: the engine appends while the screen reads.
package final class AttentionRecord: Sendable {
    /// Notices about the record for the user.
    package enum Notice: Sendable, Hashable, CustomStringConvertible {
        /// No file to spill to; from here on the oldest tokens are dropped.
        case spillUnavailable(reason: String)
        /// The file cannot grow; its oldest tokens make room for newer ones.
        case diskFull(reason: String, keptBytes: Int)

        package var description: String {
            switch self {
            case .spillUnavailable(let reason):
                "no temporary file for captured attention (\(reason)): the oldest tokens lose their maps"
            case .diskFull(let reason, let bytes):
                "no more disk for captured attention beyond \(bytes >> 20) MiB (\(reason)): the oldest tokens lose their maps"
            }
        }
    }

    package struct Statistics: Sendable, Hashable {
        /// Tokens recorded, dropped ones included.
        package var tokens = 0
        package var dropped = 0
        package var memoryBytes = 0
        package var diskBytes = 0
    }

    /// 256 MiB: a few thousand tokens of all layers of a small speech model.
    package static let defaultMemoryLimit = 256 << 20

    private struct Layer {
        let kind: AttentionKind
        let layer: Int, heads: Int, queries: Int, keys: Int
        var count: Int { heads * queries * keys }
    }

    private enum Place {
        case memory([UInt16])
        case disk(SpillRing.Slot)
        case dropped
    }

    private struct Entry {
        let layers: [Layer]
        var place: Place
        var bytes: Int { layers.reduce(0) { $0 + $1.count } * 2 }
    }

    private struct State {
        var entries: [Entry] = []
        /// Entries before this are not in memory.
        var firstInMemory = 0
        /// Entries before this are dropped.
        var firstKept = 0
        var memoryBytes = 0
        var ring: SpillRing?
        var cannotSpill = false
        var toldDiskFull = false
    }

    private let state = Mutex(State())
    private let memoryLimit: Int
    private let makeStorage: @Sendable () throws -> any SpillStorage
    private let onNotice: @Sendable (Notice) -> Void

    /// - Parameters:
    ///   - memoryLimit: bytes of weights kept in memory.
    ///   - directory: where the temporary file is made; nil is the system's temporary folder.
    ///   - onNotice: called at most once for each kind of notice, on the appending thread.
    package convenience init(
        memoryLimit: Int = defaultMemoryLimit, directory: String? = nil,
        onNotice: @escaping @Sendable (Notice) -> Void = { _ in }
    ) {
        self.init(memoryLimit: memoryLimit, makeStorage: { try UnlinkedFile(directory: directory) }, onNotice: onNotice)
    }

    init(
        memoryLimit: Int, makeStorage: @escaping @Sendable () throws -> any SpillStorage,
        onNotice: @escaping @Sendable (Notice) -> Void
    ) {
        self.memoryLimit = max(memoryLimit, 0)
        self.makeStorage = makeStorage
        self.onNotice = onNotice
    }

    package var count: Int { state.withLock { $0.entries.count } }

    package var statistics: Statistics {
        state.withLock { state in
            Statistics(
                tokens: state.entries.count, dropped: state.firstKept, memoryBytes: state.memoryBytes,
                diskBytes: state.ring?.usedBytes ?? 0)
        }
    }

    /// Adds the attention of the next token.
    ///
    /// - Returns: its index.
    @discardableResult
    package func append(_ attention: [AttentionWeights]) -> Int {
        let entry = Entry(
            layers: attention.map {
                Layer(kind: $0.kind, layer: $0.layer, heads: $0.heads, queries: $0.queries, keys: $0.keys)
            },
            place: .memory(AttentionRecord.packed(attention)))
        let (index, notices) = state.withLock { state in
            state.entries.append(entry)
            state.memoryBytes += entry.bytes
            return (state.entries.count - 1, settle(&state))
        }
        notices.forEach(onNotice)
        return index
    }

    /// The attention of a token, within half precision of what was captured.
    ///
    /// - Throws: ``AttentionAnalysisError/tokenOutOfRange(index:count:)``, ``AttentionAnalysisError/tokenDropped(index:)``, or
    ///   ``AttentionAnalysisError/storage(operation:path:reason:)`` when reading back fails.
    package func attention(ofToken index: Int) throws -> [AttentionWeights] {
        try attention(ofToken: index) { _, _ in true }
    }

    /// The same, of the kinds and layers that are wanted alone: one layer of many is read many times faster.
    package func attention(ofToken index: Int, where isWanted: (AttentionKind, _ layer: Int) -> Bool) throws
        -> [AttentionWeights]
    {
        let (layers, weights) = try state.withLock { state in
            guard state.entries.indices.contains(index) else {
                throw AttentionAnalysisError.tokenOutOfRange(index: index, count: state.entries.count)
            }
            let entry = state.entries[index]
            switch entry.place {
            case .memory(let weights): return (entry.layers, weights)
            case .disk(let slot):
                guard let ring = state.ring else { throw AttentionAnalysisError.tokenDropped(index: index) }
                return (entry.layers, try ring.read(slot))
            case .dropped: throw AttentionAnalysisError.tokenDropped(index: index)
            }
        }
        return AttentionRecord.unpacked(weights, as: layers, where: isWanted)
    }

    /// Forgets all tokens from `count` on: they were taken back.
    package func truncate(to count: Int) {
        state.withLock { state in
            while state.entries.count > max(count, 0), let last = state.entries.popLast() {
                switch last.place {
                case .memory: state.memoryBytes -= last.bytes
                case .disk(let slot): state.ring?.releaseNewest(slot)
                case .dropped: break
                }
            }
            state.firstInMemory = min(state.firstInMemory, state.entries.count)
            state.firstKept = min(state.firstKept, state.entries.count)
        }
    }

    /// Forgets everything and gives back memory and disk.
    package func removeAll() {
        state.withLock { $0 = State() }
    }

    // MARK: - keeping within the bound

    /// Moves the oldest entries out of memory until the bound holds. The newest always stays.
    private func settle(_ state: inout State) -> [Notice] {
        var notices: [Notice] = []
        while state.memoryBytes > memoryLimit, state.firstInMemory < state.entries.count - 1 {
            let index = state.firstInMemory
            guard case .memory(let weights) = state.entries[index].place else {
                state.firstInMemory += 1
                continue
            }
            if state.ring == nil, !state.cannotSpill {
                do { state.ring = SpillRing(try makeStorage()) } catch {
                    state.cannotSpill = true
                    notices.append(.spillUnavailable(reason: "\(error)"))
                }
            }
            state.memoryBytes -= state.entries[index].bytes
            state.firstInMemory += 1
            guard state.ring != nil else {
                drop(index, &state)
                continue
            }
            if let slot = store(weights, &state, &notices) {
                state.entries[index].place = .disk(slot)
            } else {
                drop(index, &state)
            }
        }
        return notices
    }

    /// Finds room in the file, dropping its oldest entries where it cannot grow; nil if there is none.
    private func store(_ weights: [UInt16], _ state: inout State, _ notices: inout [Notice]) -> SpillRing.Slot? {
        while true {
            switch state.ring?.write(weights) {
            case .written(let slot): return slot
            case .occupied:
                // The oldest entry stands where this one would go.
                guard state.firstKept < state.firstInMemory, dropOldestOnDisk(&state) else { return nil }
            case .full(let reason):
                if !state.toldDiskFull {
                    state.toldDiskFull = true
                    notices.append(.diskFull(reason: reason, keptBytes: state.ring?.usedBytes ?? 0))
                }
            case .impossible(let reason):
                if !state.toldDiskFull {
                    state.toldDiskFull = true
                    notices.append(.diskFull(reason: reason, keptBytes: state.ring?.usedBytes ?? 0))
                }
                return nil
            case nil: return nil
            }
        }
    }

    private func dropOldestOnDisk(_ state: inout State) -> Bool {
        for index in state.firstKept..<state.firstInMemory {
            guard case .disk(let slot) = state.entries[index].place else { continue }
            state.ring?.releaseOldest(slot)
            drop(index, &state)
            return true
        }
        return false
    }

    /// Marks an entry as dropped. What is older is dropped with it: it is gone already, or stands in the file's way.
    private func drop(_ index: Int, _ state: inout State) {
        for older in state.firstKept...index {
            if case .disk(let slot) = state.entries[older].place { state.ring?.releaseOldest(slot) }
            state.entries[older].place = .dropped
        }
        state.firstKept = index + 1
    }

    // MARK: - packing

    private static func packed(_ attention: [AttentionWeights]) -> [UInt16] {
        let total = attention.reduce(0) { $0 + $1.values.count }
        return [UInt16](unsafeUninitializedCapacity: total) { packed, count in
            for weights in attention {
                weights.values.withUnsafeBufferPointer { values in
                    for index in values.indices { packed[count + index] = HalfPrecision.f16(values[index]) }
                    count += values.count
                }
            }
        }
    }

    private static func unpacked(_ packed: [UInt16], as layers: [Layer], where isWanted: (AttentionKind, Int) -> Bool)
        -> [AttentionWeights]
    {
        var first = 0
        return layers.compactMap { layer in
            defer { first += layer.count }
            guard isWanted(layer.kind, layer.layer) else { return nil }
            let values = packed[first..<first + layer.count].map(HalfPrecision.float(fromF16:))
            return AttentionWeights(
                kind: layer.kind, layer: layer.layer, heads: layer.heads, queries: layer.queries, keys: layer.keys,
                values: values)
        }
    }
}
