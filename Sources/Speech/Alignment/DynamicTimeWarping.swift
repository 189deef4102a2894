/// The cheapest monotonic path through a cost matrix, from the first row and column to the last.
///
/// Costs are accumulated in 32-bit floats and ties go to the step along a row, then along a column, as in the published
/// Whisper and in transformers: other choices give other paths.
package enum DynamicTimeWarping {
    /// A path; entry i pairs row `rows[i]` with column `columns[i]`. Both never decrease.
    package struct Path: Sendable, Hashable {
        package let rows: [Int]
        package let columns: [Int]

        /// The column at which each row is entered, `[rows of the matrix]`.
        package var firstColumns: [Int] {
            rows.indices.filter { $0 == 0 || rows[$0] != rows[$0 - 1] }.map { columns[$0] }
        }
    }

    private static let diagonal: UInt8 = 0, down: UInt8 = 1, along: UInt8 = 2

    /// - Parameter cost: `[rows, columns]`, row-major.
    package static func path(cost: [Float], rows: Int, columns: Int) -> Path {
        precondition(cost.count == rows * columns, "the cost matrix does not fit [rows, columns]")
        guard rows > 0, columns > 0 else { return Path(rows: [], columns: []) }
        var trace = [UInt8](repeating: along, count: rows * columns)
        // `above[j + 1]` is the accumulated cost of (row - 1, j), `current[j + 1]` of (row, j).
        var above = [Float](repeating: .infinity, count: columns + 1)
        var current = above
        above[0] = 0
        cost.withUnsafeBufferPointer { cost in
            trace.withUnsafeMutableBufferPointer { trace in
                for row in 0..<rows {
                    above.withUnsafeBufferPointer { above in
                        current.withUnsafeMutableBufferPointer { current in
                            current[0] = .infinity
                            let base = row * columns
                            for column in 0..<columns {
                                let fromDiagonal = above[column], fromAbove = above[column + 1],
                                    fromLeft = current[column]
                                var best = fromLeft
                                var step = along
                                if fromDiagonal < fromAbove, fromDiagonal < fromLeft {
                                    best = fromDiagonal
                                    step = diagonal
                                } else if fromAbove < fromDiagonal, fromAbove < fromLeft {
                                    best = fromAbove
                                    step = down
                                }
                                // The reference adds a 64-bit cost to a 32-bit sum and stores 32 bits.
                                current[column + 1] = Float(Double(cost[base + column]) + Double(best))
                                trace[base + column] = step
                            }
                        }
                    }
                    swap(&above, &current)
                }
            }
        }
        return walkBack(trace, rows: rows, columns: columns)
    }

    private static func walkBack(_ trace: [UInt8], rows: Int, columns: Int) -> Path {
        var pathRows: [Int] = [], pathColumns: [Int] = []
        pathRows.reserveCapacity(rows + columns)
        pathColumns.reserveCapacity(rows + columns)
        var row = rows - 1, column = columns - 1
        while true {
            pathRows.append(row)
            pathColumns.append(column)
            if row == 0 && column == 0 { break }
            // On the first row and column there is one way back, whatever the trace says.
            let step = row == 0 ? along : column == 0 ? down : trace[row * columns + column]
            if step != along { row -= 1 }
            if step != down { column -= 1 }
        }
        return Path(rows: pathRows.reversed(), columns: pathColumns.reversed())
    }
}
