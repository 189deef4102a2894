extension [Int] {
    /// Sorted numbers as ranges of neighbors, each at most `limit` long.
    func contiguousRuns(limit: Int) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for number in self {
            if let last = runs.last, last.upperBound == number, last.count < limit {
                runs[runs.count - 1] = last.lowerBound..<number + 1
            } else {
                runs.append(number..<number + 1)
            }
        }
        return runs
    }
}
