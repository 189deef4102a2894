/// A binary heap of candidate merges, ordered by cost, then by position.
struct MergeQueue {
    struct Candidate {
        /// Merge rank, or negated score: smaller goes first.
        var cost: Double
        /// Index of the left symbol; the order among equal costs.
        var left: Int32
        /// The id of the merged symbol.
        var merged: Int32
        /// Bytes of both symbols at the time of insertion, to detect stale candidates.
        var length: Int32

        @inline(__always)
        func precedes(_ other: Candidate) -> Bool { cost < other.cost || cost == other.cost && left < other.left }
    }

    private var heap: [Candidate] = []

    mutating func removeAll() { heap.removeAll(keepingCapacity: true) }

    mutating func push(_ candidate: Candidate) {
        heap.append(candidate)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].precedes(heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Candidate? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if heap.isEmpty { return first }
        heap[0] = last
        var parent = 0
        while true {
            var smallest = parent
            let left = 2 * parent + 1
            if left < heap.count, heap[left].precedes(heap[smallest]) { smallest = left }
            if left + 1 < heap.count, heap[left + 1].precedes(heap[smallest]) { smallest = left + 1 }
            if smallest == parent { return first }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
