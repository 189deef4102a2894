extension Reference {
    /// The largest elements of a row, best first, equal ones by lower index. NaN is never chosen.
    public static func topK(_ row: [Float], count: Int) -> [(index: Int, value: Float)] {
        let order = row.indices.filter { !row[$0].isNaN }.sorted { row[$0] != row[$1] ? row[$0] > row[$1] : $0 < $1 }
        return order.prefix(count).map { ($0, row[$0]) }
    }
}
