/// M2M100 (Fan et al. 2020, "Beyond English-Centric Multilingual Machine Translation") and NLLB: BART's blocks with norms
/// before each part, sinusoidal positions from 2 that skip padding, embeddings times √size. The tokenizer adds the token of
/// the target language behind the start token. Reference: transformers' modeling_m2m_100.
package final class M2M100: BARTFamily {
    package let parts: BARTParts

    package static var hasLanguageTokens: Bool { true }
    package static var modelTypes: [String] { ["m2m_100"] }

    package static var defaults: BARTConfiguration {
        var configuration = BARTConfiguration()
        configuration.vocabulary = 128_112
        configuration.decoderVocabulary = 128_112
        configuration.scalesEmbedding = true
        configuration.isPreNorm = true
        configuration.positionKind = .sinusoidal(.toTheEnd(first: 2))
        configuration.padding = 1
        configuration.normalizesEmbedding = false
        return configuration
    }

    /// Declares the model; nothing is allocated.
    package init(configuration: BARTConfiguration) {
        parts = BARTParts(name: "M2M100", configuration: configuration)
    }
}
