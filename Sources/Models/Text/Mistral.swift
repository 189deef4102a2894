import Checkpoint
import JSON
import Transformer

/// Mistral 7B (Jiang et al. 2023): Llama with a sliding window in every layer, unless the configuration has none. Its GGUF
/// files are those of `llama`. Reference: transformers' modeling_mistral.
package final class Mistral: LlamaFamily {
    package let configuration: Llama.Configuration
    package let decoder: Decoder

    package init(configuration: Llama.Configuration, decoder: Decoder) {
        self.configuration = configuration
        self.decoder = decoder
    }

    package static var name: String { "Mistral" }
    package static var modelTypes: [String] { ["mistral"] }

    package static var defaults: Llama.Configuration.Defaults {
        var defaults = Llama.Configuration.Defaults()
        defaults.intermediateSize = 14336
        defaults.keyValueHeads = 8
        defaults.positions = 131_072
        return defaults
    }

    package static func adapt(_ c: inout Llama.Configuration, to file: JSONReader) throws {
        c.attentionHasBias = false
        c.outputHasBias = false
        c.feedForwardHasBias = false
        try c.readWindows(file, default: 4096)
    }
}
