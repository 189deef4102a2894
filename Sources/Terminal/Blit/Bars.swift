/// Bars with a resolution of an eighth of a cell.
package enum Bars {
    static let lower: [Unicode.Scalar] = Array(" ▁▂▃▄▅▆▇█".unicodeScalars)
    static let left: [Unicode.Scalar] = Array(" ▏▎▍▌▋▊▉█".unicodeScalars)

    /// The glyph of cell `row` (0 is the lowest) of an upright bar `value` (0…1) high in `rows` cells.
    package static func upright(_ value: Float, row: Int, of rows: Int, ascii: Bool) -> Glyph {
        glyph(value, cell: row, of: rows, lower, ascii: ascii)
    }

    /// The glyph of cell `column` (0 is the leftmost) of a lying bar `value` (0…1) long in `columns` cells.
    package static func lying(_ value: Float, column: Int, of columns: Int, ascii: Bool) -> Glyph {
        glyph(value, cell: column, of: columns, left, ascii: ascii)
    }

    private static func glyph(_ value: Float, cell: Int, of cells: Int, _ steps: [Unicode.Scalar], ascii: Bool) -> Glyph
    {
        guard value > 0 else { return .space }
        let eighths = Int((min(value, 1) * Float(cells) * 8).rounded()) - cell * 8
        let step = max(0, min(8, eighths))
        if ascii { return step >= 4 ? Glyph("#") : .space }
        return Glyph(steps[step])
    }
}
