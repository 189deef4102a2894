import AttentionAnalysis
import AttentionTypes

/// What a loaded model takes and gives: all that a user interface asks of an architecture.
package struct ModelAbilities: Sendable, Hashable, Codable {
    /// What a model is made to read.
    package enum Input: String, Sendable, Hashable, Codable {
        case sound, picture, text
    }

    /// The architecture as its authors call it, e.g. "Llama 3.2 Vision".
    package var family: String
    /// What it reads.
    package var inputs: Set<Input>
    /// Answers see the whole conversation. Others see the last message alone.
    package var holdsConversations: Bool
    /// The attention that shows how an answer depends on the input. `.selfAttention` for a model without cross-attention,
    /// and there it is shown as what it is.
    package var shownAttention: AttentionKind
    /// Layers that have attention of that kind, ascending.
    package var attentionLayers: [Int]
    package var attentionHeads: Int
    /// Tokens a conversation may have.
    package var contextLength: Int
    /// Heads that are known to look at what is being said, by the checkpoint's own word; empty where it has none.
    package var alignmentHeads: [AttentionHead]

    package init(
        family: String, inputs: Set<Input>, holdsConversations: Bool, shownAttention: AttentionKind,
        attentionLayers: [Int],
        attentionHeads: Int, contextLength: Int, alignmentHeads: [AttentionHead] = []
    ) {
        self.family = family
        self.inputs = inputs
        self.holdsConversations = holdsConversations
        self.shownAttention = shownAttention
        self.attentionLayers = attentionLayers
        self.attentionHeads = attentionHeads
        self.contextLength = contextLength
        self.alignmentHeads = alignmentHeads
    }
}
