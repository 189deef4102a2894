/// mBART (Liu et al. 2020, "Multilingual Denoising Pre-training for Neural Machine Translation") and mBART-50: BART with
/// norms before each part and one at the end of each stack. mBART decodes from the token of the target language; mBART-50
/// adds that token behind the start token. Reference: transformers' modeling_mbart.
package final class MBART: BARTFamily {
    package let parts: BARTParts

    package static var hasLanguageTokens: Bool { true }
    package static var modelTypes: [String] { ["mbart"] }

    package static var defaults: BARTConfiguration {
        var configuration = BARTConfiguration()
        configuration.isPreNorm = true
        return configuration
    }

    /// Declares the model; nothing is allocated.
    package init(configuration: BARTConfiguration) {
        parts = BARTParts(name: "mBART", configuration: configuration)
    }
}
