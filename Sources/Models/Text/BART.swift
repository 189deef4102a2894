/// BART (Lewis et al. 2020, "BART: Denoising Sequence-to-Sequence Pre-training"): learned positions, of which the first
/// two rows stand for no position, and a norm behind the embedding. Reference: transformers' modeling_bart.
package final class BART: BARTFamily {
    package let parts: BARTParts

    package static var modelTypes: [String] { ["bart"] }

    package static var defaults: BARTConfiguration { BARTConfiguration() }

    /// Declares the model; nothing is allocated.
    package init(configuration: BARTConfiguration) {
        parts = BARTParts(name: "BART", configuration: configuration)
    }
}
