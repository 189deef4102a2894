/// One head of attention in a model.
package struct AttentionHead: Sendable, Hashable, Codable {
    package let kind: AttentionKind
    package let layer: Int
    package let head: Int

    package init(kind: AttentionKind, layer: Int, head: Int) {
        self.kind = kind
        self.layer = layer
        self.head = head
    }

    /// Session files of versions before 0.2 leave `kind` out of alignment heads, which are cross-attention.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        kind = try fields.decodeIfPresent(AttentionKind.self, forKey: .kind) ?? .cross
        layer = try fields.decode(Int.self, forKey: .layer)
        head = try fields.decode(Int.self, forKey: .head)
    }
}

/// An ablation: heads and keys disabled for one answer. Exact: nothing else changes.
package struct Interventions: Sendable, Hashable, Codable {
    /// Silenced heads: their outputs are replaced by zeros before the output projection.
    package var silencedHeads: Set<AttentionHead>
    /// Hidden keys by kind of attention, in every layer and head: their scores are masked before the softmax, so that
    /// a row's weights go to the remaining keys. A row without remaining keys is uniform over the keys it could see.
    package var hiddenKeys: [AttentionKind: Set<Int>]

    package static let none = Interventions()

    package init(silencedHeads: Set<AttentionHead> = [], hiddenKeys: [AttentionKind: Set<Int>] = [:]) {
        self.silencedHeads = silencedHeads
        self.hiddenKeys = hiddenKeys
    }

    /// `true` when the model runs unchanged.
    package var isEmpty: Bool { silencedHeads.isEmpty && hiddenKeys.values.allSatisfy(\.isEmpty) }
}
