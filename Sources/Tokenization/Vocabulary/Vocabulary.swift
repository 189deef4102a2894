/// Token spellings and their ids, compared byte by byte. All spellings are in one block of memory; look-up never allocates.
struct Vocabulary: Sendable {
    private var storage: [UInt8] = []
    /// Start of each entry in `storage`, and the end of the last.
    private var starts: [Int] = [0]
    private(set) var ids: [Int32] = []
    /// Open addressing over entry numbers, -1 where empty; a power of two.
    private var slots: [Int32] = []
    /// Entry of each id, -1 for gaps; a dictionary replaces it if ids are sparse.
    private var entryOfID: [Int32] = []
    private var sparse: [Int32: Int32] = [:]

    private static let seed = UInt64.random(in: .min ... .max)

    /// Longest spelling in bytes.
    private(set) var longestPiece = 0

    /// Number of distinct ids.
    var count: Int { ids.count }
    /// One more than the largest id.
    private(set) var idBound = 0

    /// Of entries with the same spelling, look-up by spelling finds the last, as in the reference implementation.
    init(_ entries: [(piece: [UInt8], id: Int)]) {
        var bound = 0
        var total = 0
        for entry in entries {
            bound = max(bound, entry.id + 1)
            total += entry.piece.count
        }
        idBound = bound
        storage.reserveCapacity(total)
        starts.reserveCapacity(entries.count + 1)
        ids.reserveCapacity(entries.count)
        var capacity = 16
        while capacity < entries.count * 2 { capacity *= 2 }
        slots = Array(repeating: -1, count: capacity)
        let dense = bound <= entries.count * 16 + 65_536
        if dense { entryOfID = Array(repeating: -1, count: bound) }
        for (number, entry) in entries.enumerated() {
            storage += entry.piece
            starts.append(storage.count)
            ids.append(Int32(entry.id))
            longestPiece = max(longestPiece, entry.piece.count)
            if dense { entryOfID[entry.id] = Int32(number) } else { sparse[Int32(entry.id)] = Int32(number) }
            let slot = entry.piece.withUnsafeBufferPointer { self.slot(of: $0) }
            slots[slot] = Int32(number)
        }
    }

    @inline(__always)
    private func hash(_ piece: UnsafeBufferPointer<UInt8>) -> Int {
        // FNV-1a with a random start and a final mix, so that no file can provoke collisions; at most half full.
        var hash = Self.seed
        for byte in piece { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash ^= hash >> 29
        hash = hash &* 0xBF58_476D_1CE4_E5B9
        return Int(truncatingIfNeeded: hash ^ hash >> 32) & (slots.count - 1)
    }

    @inline(__always)
    private func slot(of piece: UnsafeBufferPointer<UInt8>) -> Int {
        var slot = hash(piece)
        while true {
            let entry = slots[slot]
            if entry < 0 { return slot }
            let start = starts[Int(entry)]
            let length = starts[Int(entry) + 1] - start
            if length == piece.count {
                var equal = true
                for offset in 0..<length where storage[start + offset] != piece[offset] {
                    equal = false
                    break
                }
                if equal { return slot }
            }
            slot = (slot + 1) & (slots.count - 1)
        }
    }

    /// The id of a spelling.
    func id(_ piece: UnsafeBufferPointer<UInt8>) -> Int32? {
        let entry = slots[slot(of: piece)]
        return entry < 0 ? nil : ids[Int(entry)]
    }

    func id(_ piece: [UInt8]) -> Int32? { piece.withUnsafeBufferPointer { id($0) } }

    /// The spelling of an id.
    func piece(_ id: Int) -> [UInt8]? {
        guard let entry = entry(of: id) else { return nil }
        return Array(storage[starts[entry]..<starts[entry + 1]])
    }

    private func entry(of id: Int) -> Int? {
        guard id >= 0, id < idBound else { return nil }
        let entry = entryOfID.isEmpty ? sparse[Int32(id)] ?? -1 : entryOfID[id]
        return entry < 0 ? nil : Int(entry)
    }

    /// Calls `body` with every spelling and its id, in file order.
    func forEach(_ body: (UnsafeBufferPointer<UInt8>, Int32) throws -> Void) rethrows {
        try storage.withUnsafeBufferPointer { buffer in
            for entry in 0..<ids.count {
                try body(UnsafeBufferPointer(rebasing: buffer[starts[entry]..<starts[entry + 1]]), ids[entry])
            }
        }
    }
}
