/// A first-in, first-out store of blocks in a file: it grows as long as it may, then wraps around over blocks that were
/// released.
struct SpillRing {
    struct Slot: Sendable, Hashable {
        let offset: Int
        /// 16-bit values.
        let count: Int
        var end: Int { offset + count * 2 }
    }

    enum Outcome {
        case written(Slot)
        /// The oldest block must be released first.
        case occupied
        /// The file cannot grow any more; try again, it will wrap around.
        case full(reason: String)
        /// There is no room for such a block at all.
        case impossible(reason: String)
    }

    private let storage: any SpillStorage
    /// Blocks in the file, oldest first.
    private var blocks: [Slot] = []
    private var firstBlock = 0
    private var next = 0
    /// End of the file when it could not grow; nil while it can.
    private var limit: Int?
    private(set) var usedBytes = 0

    init(_ storage: any SpillStorage) { self.storage = storage }

    mutating func write(_ values: [UInt16]) -> Outcome {
        let size = values.count * 2
        if let limit {
            guard size <= limit else { return .impossible(reason: "a token of \(size) bytes in \(limit) bytes") }
            if next + size > limit {
                // The stretch up to the end stays unused, but blocks that stand in it come first.
                if let oldest, oldest.offset >= next { return .occupied }
                next = 0
            }
        }
        // Once wrapped around, the oldest block lies ahead of the writing place.
        if let oldest, oldest.offset >= next, oldest.offset < next + size, blocks.count > firstBlock {
            return .occupied
        }
        do {
            try values.withUnsafeBytes { try storage.write($0, at: next) }
        } catch {
            guard limit == nil else { return .impossible(reason: "\(error)") }
            limit = next
            return .full(reason: "\(error)")
        }
        let slot = Slot(offset: next, count: values.count)
        next = slot.end
        blocks.append(slot)
        usedBytes += size
        return .written(slot)
    }

    func read(_ slot: Slot) throws -> [UInt16] {
        var values = [UInt16](repeating: 0, count: slot.count)
        try values.withUnsafeMutableBytes { try storage.read(into: $0, at: slot.offset) }
        return values
    }

    private var oldest: Slot? { firstBlock < blocks.count ? blocks[firstBlock] : nil }

    mutating func releaseOldest(_ slot: Slot) {
        guard oldest == slot else { return }
        firstBlock += 1
        usedBytes -= slot.count * 2
        // The list is compacted now and then, not at every release.
        if firstBlock > 1024, firstBlock * 2 > blocks.count {
            blocks.removeFirst(firstBlock)
            firstBlock = 0
        }
    }

    mutating func releaseNewest(_ slot: Slot) {
        guard firstBlock < blocks.count, blocks.last == slot else { return }
        blocks.removeLast()
        usedBytes -= slot.count * 2
        next = slot.offset
    }
}
