import CVulkan

/// Decides where a barrier is needed: tracks the ranges read and written since the last one.
///
/// Pure bookkeeping over address ranges, so it is tested without a device.
struct HazardTracker {
    /// The ordering required before the next piece of work.
    struct Barrier: Equatable {
        /// Earlier writes must be visible to reads.
        var readAfterWrite = false
        var writeAfterWrite = false
        /// Earlier reads must have finished; nothing to make visible.
        var writeAfterRead = false

        var isNeeded: Bool { readAfterWrite || writeAfterWrite || writeAfterRead }
    }

    private var reads: [MemoryRange] = []
    private var writes: [MemoryRange] = []

    /// The barrier that work with these reads and writes needs; the work is then tracked as issued behind it.
    mutating func barrier(reads newReads: [MemoryRange], writes newWrites: [MemoryRange]) -> Barrier {
        var barrier = Barrier()
        for read in newReads where !barrier.readAfterWrite {
            barrier.readAfterWrite = writes.contains { $0.overlaps(read) }
        }
        for write in newWrites {
            if !barrier.writeAfterWrite { barrier.writeAfterWrite = writes.contains { $0.overlaps(write) } }
            if !barrier.writeAfterRead { barrier.writeAfterRead = reads.contains { $0.overlaps(write) } }
        }
        // A barrier orders everything before it against everything after, so tracking starts afresh. One that only
        // waits for reads leaves earlier writes not yet visible: those stay tracked.
        if barrier.readAfterWrite || barrier.writeAfterWrite {
            reads.removeAll(keepingCapacity: true)
            writes.removeAll(keepingCapacity: true)
        } else if barrier.writeAfterRead {
            reads.removeAll(keepingCapacity: true)
        }
        reads.append(contentsOf: newReads)
        writes.append(contentsOf: newWrites)
        return barrier
    }
}
