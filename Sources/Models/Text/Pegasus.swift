/// Pegasus (Zhang et al. 2020, "PEGASUS: Pre-training with Extracted Gap-sentences for Abstractive Summarization"): BART's
/// blocks with norms before each part, and Marian's sinusoidal positions. Decoding starts with the padding token.
/// Reference: transformers' modeling_pegasus.
package final class Pegasus: BARTFamily {
    package let parts: BARTParts

    package static var modelTypes: [String] { ["pegasus"] }

    package static var defaults: BARTConfiguration {
        var configuration = BARTConfiguration()
        configuration.isPreNorm = true
        configuration.positionKind = .sinusoidal(.interpolated)
        configuration.normalizesEmbedding = false
        configuration.startToken = 0
        configuration.endTokens = [1]
        return configuration
    }

    /// Declares the model; nothing is allocated.
    package init(configuration: BARTConfiguration) {
        parts = BARTParts(name: "Pegasus", configuration: configuration)
    }
}
