import Support

/// Columns of text, as wide as their widest cell.
struct TextTable {
    enum Alignment { case left, right }

    private let headings: [String]
    private let alignments: [Alignment]
    private var rows: [[String]] = []

    init(_ columns: (heading: String, alignment: Alignment)...) {
        headings = columns.map(\.heading)
        alignments = columns.map(\.alignment)
    }

    var isEmpty: Bool { rows.isEmpty }

    /// Cells may hold untrusted text.
    mutating func add(_ cells: String...) {
        precondition(cells.count == headings.count, "\(cells.count) cells in a table of \(headings.count) columns")
        rows.append(cells.map(Sanitizer.stream.line))
    }

    /// The table, one line per row, without a line's end after the last.
    var text: String {
        let all = (headings.contains { !$0.isEmpty } ? [headings] : []) + rows
        let widths = headings.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += alignments[column] == .right ? padding + cell : cell + padding
                line += "  "
            }
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
