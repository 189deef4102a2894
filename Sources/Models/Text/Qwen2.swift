import Checkpoint
import JSON
import Transformer

/// Qwen2 and Qwen2.5 (Yang et al. 2024): Llama with a bias on query, key and value; upper layers may have a sliding window.
/// Reference: transformers' modeling_qwen2.
package final class Qwen2: LlamaFamily {
    package let configuration: Llama.Configuration
    package let decoder: Decoder

    package init(configuration: Llama.Configuration, decoder: Decoder) {
        self.configuration = configuration
        self.decoder = decoder
    }

    package static var name: String { "Qwen2" }
    package static var modelTypes: [String] { ["qwen2"] }

    package static var defaults: Llama.Configuration.Defaults {
        var defaults = Llama.Configuration.Defaults()
        defaults.vocabulary = 151_936
        defaults.intermediateSize = 22016
        defaults.keyValueHeads = 32
        defaults.positions = 32768
        return defaults
    }

    package static func adapt(_ c: inout Llama.Configuration, to file: JSONReader) throws {
        c.attentionHasBias = true
        c.outputHasBias = false
        try c.readQwenWindows(file)
    }
}

extension Llama.Configuration {
    /// Reads the windows of Qwen2 and Qwen3, which `use_sliding_window` turns on for layers from `max_window_layers` on.
    mutating func readQwenWindows(_ file: JSONReader) throws {
        guard try file.bool("use_sliding_window", default: false) else { return }
        let first = try file.int("max_window_layers", default: 28)
        try readWindows(file) { $0 >= first }
    }
}
