/// Running median along the last dimension, as Whisper smooths its attention: reflected at both ends, and rows no longer
/// than half the width left as they are.
public enum MedianFilter {
    /// Filters each row of a row-major matrix.
    ///
    /// - Parameters:
    ///   - values: `[rows, columns]`.
    ///   - width: odd.
    /// - Returns: `[rows, columns]`.
    public static func filter(_ values: [Float], columns: Int, width: Int) -> [Float] {
        precondition(width > 0 && width % 2 == 1, "the width of a median filter is odd")
        let half = width / 2
        guard width > 1, columns > half, columns > 0 else { return values }
        let rows = values.count / columns
        var result = values
        values.withUnsafeBufferPointer { values in
            result.withUnsafeMutableBufferPointer { result in
                withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { window in
                    for row in 0..<rows {
                        let base = row * columns
                        for column in 0..<columns {
                            for offset in 0..<width {
                                // Insertion keeps the window sorted; it is a handful of values.
                                let value = values[base + reflected(column + offset - half, columns)]
                                var place = offset
                                while place > 0, window[place - 1] > value {
                                    window[place] = window[place - 1]
                                    place -= 1
                                }
                                window[place] = value
                            }
                            result[base + column] = window[half]
                        }
                    }
                }
            }
        }
        return result
    }

    /// Mirrors an index at the ends without repeating the end itself.
    @inline(__always)
    private static func reflected(_ index: Int, _ count: Int) -> Int {
        if index < 0 { return -index }
        return index < count ? index : 2 * (count - 1) - index
    }
}
