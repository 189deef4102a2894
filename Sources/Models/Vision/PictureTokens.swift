import Compute
import Transformer

/// Pictures among a decoder's tokens: wherever a prompt has the image token, the next row of the pictures' features stands
/// in for its embedding, in the order in which pictures and tokens come.
package final class PictureTokens: EmbeddingOverrides {
    /// The image token. It may lie outside the vocabulary: its own embedding is never looked up.
    package let placeholder: Int
    /// One tensor `[rows, size]` for each picture.
    private var features: [Tensor] = []
    /// Positions of the image tokens the cache holds, ascending.
    private var positions: [Int] = []

    package init(placeholder: Int) { self.placeholder = placeholder }

    /// Pictures the model has read.
    package var count: Int { features.count }

    /// Puts pictures in place of those from `index` on.
    /// - Returns: the first position whose keys and values are now another picture's, if any was run.
    func replace(from index: Int, with new: [Tensor]) -> Int? {
        let first = features.prefix(index).reduce(0) { $0 + $1.rows }
        features.replaceSubrange(min(index, features.count)..., with: new)
        guard first < positions.count else { return nil }
        return positions[first]
    }

    package func removeAll() {
        features = []
        positions = []
    }

    /// - Throws: `ModelError.picturesMissing` when there are more image tokens than rows.
    package func resolve(_ tokens: [Int], at start: Int, model: String) throws -> (
        tokens: [Int], overrides: [EmbeddingOverride]
    ) {
        let known = positions.prefix { $0 < start }.count
        let places = tokens.indices.filter { tokens[$0] == placeholder }
        let rows = features.reduce(0) { $0 + $1.rows }
        guard known + places.count <= rows || places.isEmpty else {
            throw ModelError.picturesMissing(model: model, tokens: known + places.count, rows: rows)
        }
        var overrides: [EmbeddingOverride] = []
        var (next, firstRow) = (0, 0)
        for picture in features {
            // The picture's rows that stand in this pass, run by run of neighboring tokens.
            var row = max(0, known + next - firstRow)
            while row < picture.rows, next < places.count {
                var length = 1
                while row + length < picture.rows, next + length < places.count,
                    places[next + length] == places[next] + length
                { length += 1 }
                overrides.append(.init(row: places[next], features: picture.rows(row..<row + length)))
                next += length
                row += length
            }
            firstRow += picture.rows
        }
        positions.removeAll { $0 >= start }
        positions += places.map { $0 + start }
        return (places.isEmpty ? tokens : tokens.map { $0 == placeholder ? 0 : $0 }, overrides)
    }
}
