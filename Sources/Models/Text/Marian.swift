/// Marian's translation models (Junczys-Dowmunt et al. 2018; the OPUS-MT checkpoints): sinusoidal positions, embeddings
/// times √size, a bias on the logits; decoding starts with the padding token. Reference: transformers' modeling_marian.
package final class Marian: BARTFamily {
    package let parts: BARTParts

    package static var modelTypes: [String] { ["marian"] }

    package static var defaults: BARTConfiguration {
        var configuration = BARTConfiguration()
        configuration.vocabulary = 58101
        configuration.decoderVocabulary = 58101
        configuration.positionKind = .sinusoidal(.interpolated)
        configuration.normalizesEmbedding = false
        configuration.startToken = 58100
        configuration.endTokens = [0]
        return configuration
    }

    /// Declares the model; nothing is allocated.
    package init(configuration: BARTConfiguration) {
        parts = BARTParts(name: "Marian", configuration: configuration)
    }
}
