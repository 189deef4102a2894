/// BART (Lewis et al. 2020, "BART: Denoising Sequence-to-Sequence Pre-training"): learned positions, of which the first
/// two rows stand for nothing, and a norm behind the embedding. Reference: transformers' modeling_bart.
public final class BART: PostNormModel {
    public let parts: PostNormParts

    public static var modelTypes: [String] { ["bart"] }

    public static var defaults: PostNormConfiguration { PostNormConfiguration() }

    /// Declares the model; nothing is allocated.
    public init(configuration: PostNormConfiguration) { parts = PostNormParts(name: "BART", configuration: configuration) }
}
