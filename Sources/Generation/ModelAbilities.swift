import AttentionTypes
import Models

/// Properties of a loaded model that a user interface needs.
package struct ModelAbilities: Sendable, Hashable, Codable {
    /// Kind of input in a request.
    package enum Input: String, Sendable, Hashable, Codable {
        case sound, picture, text
    }

    /// The architecture as its authors call it, e.g. "Llama 3.2 Vision".
    package var family: String
    /// Inputs that requests may have.
    package var inputs: Set<Input>
    /// True where answers depend on the whole conversation instead of its last message.
    package var holdsConversations: Bool
    /// The attention that shows how an answer depends on the input. `.selfAttention` for a model without cross-attention.
    package var shownAttention: AttentionKind
    /// Layers that have attention of that kind, ascending.
    package var attentionLayers: [Int]
    package var attentionHeads: Int
    /// Tokens a conversation may have.
    package var contextLength: Int
    /// Alignment heads that the checkpoint lists; empty if none.
    package var alignmentHeads: [AttentionHead]
    /// Languages of a translation model that has tokens for them; nil for others.
    package var languages: LanguageCodes?
    /// True for a translation model that has to be told the language to translate into.
    package var needsTargetLanguage: Bool?

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

extension ModelAbilities {
    /// The abilities of a declared model.
    /// - Throws: `CheckpointError`, `ModelError.configuration` for damaged `alignment_heads`.
    init(of model: any Model, from files: ModelFiles, holdsConversations: Bool) throws {
        let kind = model.capabilities.watchedAttention
        let layers = model.decoder.layers(of: kind), heads = model.decoder.heads
        var inputs: Set<Input> = []
        for input in model.capabilities.inputs {
            switch input {
            case .sound: inputs.insert(.sound)
            case .pictures: inputs.insert(.picture)
            case .prompt, .sourceText: inputs.insert(.text)
            }
        }
        // The beginning of a caption is text, too.
        if model.startTokens(prompt: []) != nil { inputs.insert(.text) }
        self.init(
            family: model.family, inputs: inputs, holdsConversations: holdsConversations, shownAttention: kind,
            attentionLayers: layers, attentionHeads: heads, contextLength: model.contextLength,
            alignmentHeads: try model.soundReader?.soundGeometry.alignmentHeads
                ?? AlignmentHeads.named(in: files, kind: kind, layers: layers, heads: heads))
        guard let tokens = try LanguageTokens(of: model, files) else { return }
        languages = tokens.codes
        needsTargetLanguage = try !CheckpointRules.forcesStart(files) && !tokens.namesLanguage(model.startTokens)
    }
}
