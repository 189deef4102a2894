import Foundation

extension Reference {
    /// Rows of x by index, zeros where the index is no row.
    package static func gatherRows(_ x: Matrix, index: [Int]) -> Matrix {
        var out = Matrix(rows: index.count, columns: x.columns)
        for (row, source) in index.enumerated() where source < x.rows {
            for column in 0..<x.columns { out[row, column] = x[source, column] }
        }
        return out
    }

    /// x + bias + a depthwise 3 × 3 convolution of the grid x, `[places, channels]`, padded with zeros.
    package static func addDepthwiseConvolution(_ x: Matrix, gridColumns: Int, weight: Matrix, bias: [Float]) -> Matrix
    {
        var out = x
        let gridRows = x.rows / gridColumns
        for place in 0..<x.rows {
            for channel in 0..<x.columns {
                var sum = Double(x[place, channel]) + Double(bias[channel])
                for tap in 0..<9 {
                    let (row, column) = (place / gridColumns + tap / 3 - 1, place % gridColumns + tap % 3 - 1)
                    guard (0..<gridRows).contains(row), (0..<gridColumns).contains(column) else { continue }
                    sum += Double(weight[channel, tap]) * Double(x[row * gridColumns + column, channel])
                }
                out[place, channel] = Float(sum)
            }
        }
        return out
    }

    /// Attention between the channels of a group; also its weights `[channels, group]`.
    package static func channelAttention(query: Matrix, key: Matrix, value: Matrix, group: Int, scale: Float) -> (
        out: Matrix, weights: Matrix
    ) {
        var out = Matrix(rows: value.rows, columns: value.columns)
        var weights = Matrix(rows: value.columns, columns: group)
        for channel in 0..<value.columns {
            let first = channel / group * group
            let scores = (0..<group).map { other in
                Double(scale)
                    * (0..<query.rows).reduce(0.0) {
                        $0 + Double(query[$1, channel]) * Double(key[$1, first + other])
                    }
            }
            let largest = scores.max() ?? 0
            let terms = scores.map { exp($0 - largest) }
            let sum = terms.reduce(0, +)
            for other in 0..<group { weights[channel, other] = Float(terms[other] / sum) }
            for place in 0..<value.rows {
                out[place, channel] = Float(
                    (0..<group).reduce(0.0) { $0 + terms[$1] / sum * Double(value[place, first + $1]) })
            }
        }
        return (out, weights)
    }
}
