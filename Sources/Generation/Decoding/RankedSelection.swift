/// Walks values from the greatest down without sorting them all: filters such as top-p usually stop after a few dozen of
/// 50,000, so ever larger shortlists are selected (quickselect, linear) and only those are sorted.
enum RankedSelection {
    /// Calls `visit` with indices in descending order of value, until it returns false or the values end.
    ///
    /// Ties go to the higher index first: the reverse of a stable ascending sort, which the reference filters use.
    /// -∞ and NaN entries are not visited.
    static func descending(_ values: [Float], visit: (Int) -> Bool) {
        var candidates = values.withUnsafeBufferPointer { values in values.indices.filter { values[$0] > -.infinity } }
        values.withUnsafeBufferPointer { values in
            candidates.withUnsafeMutableBufferPointer { candidates in
                func before(_ a: Int, _ b: Int) -> Bool { values[a] != values[b] ? values[a] > values[b] : a > b }
                var done = 0
                var size = 64
                while done < candidates.count {
                    let end = min(done + size, candidates.count)
                    if end < candidates.count {
                        select(
                            UnsafeMutableBufferPointer(rebasing: candidates[done...]), first: end - done, before: before
                        )
                    }
                    candidates[done..<end].sort(by: before)
                    for place in done..<end where !visit(candidates[place]) { return }
                    done = end
                    size *= 4
                }
            }
        }
    }

    /// The `count`-th greatest value (1 is the maximum).
    static func value(rank count: Int, of values: [Float]) -> Float {
        var copy = values
        return copy.withUnsafeMutableBufferPointer { copy in
            let rank = min(max(count, 1), copy.count)
            if rank < copy.count { select(copy, first: rank, before: >) }
            return copy[0..<rank].min() ?? -.infinity
        }
    }

    /// Partitions so that the `first` elements that come before all others stand in front, in any order (Hoare's
    /// selection with a median-of-three pivot).
    private static func select<T>(_ items: UnsafeMutableBufferPointer<T>, first: Int, before: (T, T) -> Bool) {
        var low = 0, high = items.count - 1
        let wanted = first - 1
        while low < high {
            let middle = low + (high - low) / 2
            if before(items[middle], items[low]) { items.swapAt(middle, low) }
            if before(items[high], items[low]) { items.swapAt(high, low) }
            if before(items[high], items[middle]) { items.swapAt(high, middle) }
            let pivot = items[middle]
            var i = low, j = high
            while i <= j {
                while before(items[i], pivot) { i += 1 }
                while before(pivot, items[j]) { j -= 1 }
                if i <= j {
                    items.swapAt(i, j)
                    i += 1
                    j -= 1
                }
            }
            if wanted <= j { high = j } else if wanted >= i { low = i } else { return }
        }
    }
}
