import Attribution
import Formats

/// What a loaded model takes and gives: all that a user interface asks of an architecture.
public struct ModelAbilities: Sendable, Hashable {
    /// What a model is made to read.
    public enum Input: String, Sendable, Hashable, Codable {
        case sound, picture, text
    }

    /// The architecture as its authors call it, e.g. "Llama 3.2 Vision".
    public var family: String
    /// What it reads.
    public var inputs: Set<Input>
    /// Answers see the whole conversation. Others see the last message alone.
    public var holdsConversations: Bool
    /// The attention that shows how an answer depends on the input. `.selfAttention` for a model without cross-attention,
    /// and there it is shown as what it is.
    public var shownAttention: AttentionKind
    /// Layers that have attention of that kind, ascending.
    public var attentionLayers: [Int]
    public var attentionHeads: Int
    /// Tokens a conversation may have.
    public var contextLength: Int
    /// Heads that are known to look at what is being said, by the checkpoint's own word; empty where it has none.
    public var alignmentHeads: [LayerHead]

    public init(
        family: String, inputs: Set<Input>, holdsConversations: Bool, shownAttention: AttentionKind, attentionLayers: [Int],
        attentionHeads: Int, contextLength: Int, alignmentHeads: [LayerHead] = []
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
