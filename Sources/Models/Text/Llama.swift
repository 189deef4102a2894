import Transformer

/// Llama (Touvron et al. 2023; "The Llama 3 Herd of Models", 2024): a decoder with grouped-query attention, rotary positions,
/// root-mean-square norms and a gated feed-forward. Reference: transformers' modeling_llama.
package final class Llama: LlamaFamily {
    package let configuration: Configuration
    package let decoder: Decoder

    package init(configuration: Configuration, decoder: Decoder) {
        self.configuration = configuration
        self.decoder = decoder
    }

    package static var name: String { "Llama" }
    package static var modelTypes: [String] { ["llama"] }
}
