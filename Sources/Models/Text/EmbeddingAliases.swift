import Checkpoint
import Foundation
import Transformer

/// Comparison of tensors that may be one stored twice, as published files of tied models often have it.
struct EmbeddingAliases {
    let checkpoint: Checkpoint
    let naming: any CheckpointNaming

    private func stored(_ key: String) throws -> TensorEntry? {
        try naming.candidates(for: key).first { checkpoint.contains($0.name) }.map { try checkpoint.entry($0.name) }
    }

    /// True where both are there and hold different values.
    func areDifferent(_ first: String, _ second: String) throws -> Bool {
        guard let a = try stored(first), let b = try stored(second), a.name != b.name else { return false }
        guard a.shape == b.shape, a.format == b.format else { return true }
        return try checkpoint.withBytes(of: a) { one in
            try checkpoint.withBytes(of: b) { other in
                guard one.count == other.count, let left = one.baseAddress, let right = other.baseAddress else {
                    return one.count != other.count
                }
                return memcmp(left, right, one.count) != 0
            }
        }
    }
}
