import AttentionTypes
import Models

/// `alignment_heads` of generation_config.json: pairs of a layer and a head that follow the input.
enum AlignmentHeads {
    /// - Parameters:
    ///   - layers: layers with the attention that is shown.
    ///   - heads: heads of each of them.
    /// - Throws: `CheckpointError` for values of another type, `ModelError.configuration` for a head that is not there.
    static func named(in files: ModelFiles, kind: AttentionKind, layers: [Int], heads: Int) throws -> [AttentionHead] {
        guard let configuration = files.configuration else { return [] }
        return try configuration.generation.intLists("alignment_heads", default: []).map { pair in
            guard pair.count == 2, layers.contains(pair[0]), (0..<heads).contains(pair[1]) else {
                throw ModelError.configuration(
                    file: files.path, key: "alignment_heads",
                    problem: "\(pair) is not a layer of \(layers) and a head below \(heads)")
            }
            return AttentionHead(kind: kind, layer: pair[0], head: pair[1])
        }
    }
}
