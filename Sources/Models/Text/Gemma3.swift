import Checkpoint
import Compute
import JSON
import Transformer

/// Gemma 3 (Gemma Team 2025), the text model: Gemma 2 without bounds, with norms of each head's queries and keys; most layers
/// have a sliding window and rotary positions of a base of their own. Reference: transformers' modeling_gemma3.
package final class Gemma3: LlamaFamily {
    package let configuration: Llama.Configuration
    package let decoder: Decoder

    package init(configuration: Llama.Configuration, decoder: Decoder) {
        self.configuration = configuration
        self.decoder = decoder
    }

    package static var name: String { "Gemma 3" }
    package static var modelTypes: [String] { ["gemma3_text"] }

    package static var defaults: Llama.Configuration.Defaults {
        var defaults = Gemma2.defaults
        defaults.vocabulary = 262_208
        defaults.positions = 131_072
        defaults.theta = 1_000_000
        return defaults
    }

    package static func adapt(_ c: inout Llama.Configuration, to file: JSONReader) throws {
        try c.adaptToGemma(file)
        c.hasHeadNorms = true
        c.scoreCap = try file.positiveOrNull("attn_logit_softcapping")
        c.logitCap = try file.positiveOrNull("final_logit_softcapping")
        let pattern = try file.int(
            "sliding_window_pattern", default: file.int("_sliding_window_pattern", default: Self.pattern))
        try ModelError.requireRange(file.file, [("sliding_window_pattern", pattern, .from(1, to: 1024))])
        try c.readWindows(file, default: 4096) { ($0 + 1) % pattern != 0 }
        let local = try file.objectIfPresent("rope_parameters")?.objectIfPresent("sliding_attention")
        c.windowTheta =
            if let local { try Llama.Configuration.positive("rope_theta", in: local, default: 10_000) } else {
                try Llama.Configuration.positive("rope_local_base_freq", in: file, default: 10_000)
            }
    }

    package static func adapt(_ c: inout Llama.Configuration, to gguf: GGUFMetadata) throws {
        c.adaptToGemmaGGUF()
        // The file says neither the pattern, nor the local base, nor the scale of the 27 B model.
        c.windowedLayers = c.window == nil ? [] : Set((0..<c.layers).filter { ($0 + 1) % pattern != 0 })
        c.windowTheta = 10_000
        if c.layers == 62 { c.scoreScale = 1 / Float(c.hiddenSize / c.heads).squareRoot() }
    }

    /// Every such layer sees everything, the others have a window.
    private static let pattern = 6
}
