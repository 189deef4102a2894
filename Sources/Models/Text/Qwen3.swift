import Checkpoint
import JSON
import Transformer

/// Qwen3 (Yang et al. 2025): Llama with norms of each head's queries and keys, and a head size of its own. Reference:
/// transformers' modeling_qwen3.
package final class Qwen3: LlamaFamily {
    package let configuration: Llama.Configuration
    package let decoder: Decoder

    package init(configuration: Llama.Configuration, decoder: Decoder) {
        self.configuration = configuration
        self.decoder = decoder
    }

    package static var name: String { "Qwen3" }
    package static var modelTypes: [String] { ["qwen3"] }

    package static var defaults: Llama.Configuration.Defaults {
        var defaults = Qwen2.defaults
        defaults.headDimension = 128
        return defaults
    }

    package static func adapt(_ c: inout Llama.Configuration, to file: JSONReader) throws {
        c.hasHeadNorms = true
        try c.readQwenWindows(file)
    }
}
