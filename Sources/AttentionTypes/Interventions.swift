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
}

/// What is taken out of a model to see what becomes of its answer. All of it is exact: the rest of the model runs as ever.
package struct Interventions: Sendable, Hashable, Codable {
    /// Heads that say nothing: what they read is replaced by zeros before the output projection.
    package var silencedHeads: Set<AttentionHead>
    /// Keys that nobody may attend to, by kind of attention, in every layer and head: their scores are lowered beyond
    /// reach before the softmax, so that a row's weights are shared out among the keys that are left. A row that has
    /// none left is uniform over the keys it could see.
    package var hiddenKeys: [AttentionKind: Set<Int>]

    package static let none = Interventions()

    package init(silencedHeads: Set<AttentionHead> = [], hiddenKeys: [AttentionKind: Set<Int>] = [:]) {
        self.silencedHeads = silencedHeads
        self.hiddenKeys = hiddenKeys
    }

    /// Whether the model runs as it is.
    package var isEmpty: Bool { silencedHeads.isEmpty && hiddenKeys.values.allSatisfy(\.isEmpty) }
}
