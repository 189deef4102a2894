/// Running median along the last dimension, as Whisper smooths its attention: reflected at both ends, and rows no longer
/// than half the width left as they are.
package enum MedianFilter {
    /// Filters each row of a row-major matrix.
    ///
    /// - Parameters:
    ///   - values: `[rows, columns]`.
    ///   - width: odd.
    /// - Returns: `[rows, columns]`.
    package static func filter(_ values: [Float], columns: Int, width: Int) -> [Float] {
        precondition(width > 0 && width % 2 == 1, "the width of a median filter is odd")
        let half = width / 2
        guard width > 1, columns > half, columns > 0 else { return values }
        var result = values
        result.withUnsafeMutableBufferPointer { result in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: columns + 2 * half) { padded in
                withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { window in
                    for start in stride(from: 0, to: result.count - columns + 1, by: columns) {
                        let row = UnsafeMutableBufferPointer(rebasing: result[start..<start + columns])
                        reflect(row, by: half, into: padded)
                        slide(padded, window: window, into: row)
                    }
                }
            }
        }
        return result
    }

    /// Copies the row and mirrors it at both ends without repeating the ends themselves.
    private static func reflect(
        _ row: UnsafeMutableBufferPointer<Float>, by half: Int, into padded: UnsafeMutableBufferPointer<Float>
    ) {
        let last = row.count - 1
        for column in row.indices { padded[half + column] = row[column] }
        for distance in 1...half {
            padded[half - distance] = row[distance]
            padded[half + last + distance] = row[last - distance]
        }
    }

    /// Keeps the window sorted while it moves: one value leaves, one enters.
    private static func slide(
        _ padded: UnsafeMutableBufferPointer<Float>, window: UnsafeMutableBufferPointer<Float>,
        into row: UnsafeMutableBufferPointer<Float>
    ) {
        let width = window.count
        for count in 0..<width { insert(padded[count], into: window, at: count) }
        row[0] = window[width / 2]
        for column in row.indices.dropFirst() {
            let leaving = padded[column - 1], entering = padded[column + width - 1]
            var place = 0
            while place < width - 1, window[place] != leaving { place += 1 }
            // Close the gap by moving neighbors until the entering value fits in.
            while place < width - 1, window[place + 1] < entering {
                window[place] = window[place + 1]
                place += 1
            }
            insert(entering, into: window, at: place)
            row[column] = window[width / 2]
        }
    }

    /// Puts a value into a sorted window whose places before `free` are taken.
    @inline(__always)
    private static func insert(_ value: Float, into window: UnsafeMutableBufferPointer<Float>, at free: Int) {
        var place = free
        while place > 0, window[place - 1] > value {
            window[place] = window[place - 1]
            place -= 1
        }
        window[place] = value
    }
}
