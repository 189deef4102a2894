/// Marian's translation models (Junczys-Dowmunt et al. 2018; the OPUS-MT checkpoints): sinusoidal positions, embeddings
/// times √size, a bias on the logits; decoding starts with the padding token. Reference: transformers' modeling_marian.
package final class Marian: PostNormModel {
    package let parts: PostNormParts

    package static var modelTypes: [String] { ["marian"] }

    package static var defaults: PostNormConfiguration {
        var configuration = PostNormConfiguration()
        configuration.vocabulary = 58101
        configuration.decoderVocabulary = 58101
        configuration.positionKind = .sinusoidal
        configuration.normalizesEmbedding = false
        configuration.startToken = 58100
        configuration.endTokens = [0]
        return configuration
    }

    /// Declares the model; nothing is allocated.
    package init(configuration: PostNormConfiguration) {
        parts = PostNormParts(name: "Marian", configuration: configuration)
    }
}
