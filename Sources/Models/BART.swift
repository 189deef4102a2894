/// BART (Lewis et al. 2020, "BART: Denoising Sequence-to-Sequence Pre-training"): learned positions, of which the first
/// two rows stand for nothing, and a norm behind the embedding. Reference: transformers' modeling_bart.
package final class BART: PostNormModel {
    package let parts: PostNormParts

    package static var modelTypes: [String] { ["bart"] }

    package static var defaults: PostNormConfiguration { PostNormConfiguration() }

    /// Declares the model; nothing is allocated.
    package init(configuration: PostNormConfiguration) {
        parts = PostNormParts(name: "BART", configuration: configuration)
    }
}
