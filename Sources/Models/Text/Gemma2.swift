import Checkpoint
import Compute
import JSON
import Transformer

/// Gemma 2 (Gemma Team 2024): sandwich norms by 1 + weight, embeddings times √size, bounded scores and logits, and a sliding
/// window in every other layer. Reference: transformers' modeling_gemma2.
package final class Gemma2: LlamaFamily {
    package let configuration: Llama.Configuration
    package let decoder: Decoder

    package init(configuration: Llama.Configuration, decoder: Decoder) {
        self.configuration = configuration
        self.decoder = decoder
    }

    package static var name: String { "Gemma 2" }
    package static var modelTypes: [String] { ["gemma2"] }

    package static var defaults: Llama.Configuration.Defaults {
        var defaults = Llama.Configuration.Defaults()
        defaults.vocabulary = 256_000
        defaults.hiddenSize = 2304
        defaults.layers = 26
        defaults.heads = 8
        defaults.keyValueHeads = 4
        defaults.headDimension = 256
        defaults.intermediateSize = 9216
        defaults.positions = 8192
        defaults.activationKey = "hidden_activation"
        defaults.activation = "gelu_pytorch_tanh"
        defaults.isTied = true
        return defaults
    }

    package static func adapt(_ c: inout Llama.Configuration, to file: JSONReader) throws {
        try c.adaptToGemma(file)
        c.scoreCap = try file.positiveOrNull("attn_logit_softcapping", default: 50)
        c.logitCap = try file.positiveOrNull("final_logit_softcapping", default: 30)
        try c.readWindows(file, default: 4096) { $0 % 2 == 0 }
    }

    package static func adapt(_ c: inout Llama.Configuration, to gguf: GGUFMetadata) throws {
        c.adaptToGemmaGGUF()
        // The file does not say it: the 27 B model scales by hidden size ÷ heads, the others by the head size.
        if c.layers == 46 { c.scoreScale = 1 / Float(c.hiddenSize / c.heads).squareRoot() }
        c.windowedLayers = c.window == nil ? [] : Set(stride(from: 0, to: c.layers, by: 2))
    }
}

extension Llama.Configuration {
    /// Sets what Gemma 2 and 3 have in common.
    mutating func adaptToGemma(_ file: JSONReader) throws {
        adaptToGemmaGGUF()
        hasSandwichNorms = true
        normOffset = 1
        feedForwardHasBias = false
        let scalar = try Self.positive("query_pre_attn_scalar", in: file, default: 256)
        scoreScale = Float(1 / scalar.squareRoot())
    }

    /// Facts that GGUF files of Gemma 2 and 3 leave out. Their norms are stored as 1 + weight.
    mutating func adaptToGemmaGGUF() {
        embeddingScale = Float(hiddenSize).squareRoot()
        activation = .geluTanh
    }
}

extension JSONReader {
    /// A positive number, nil for `null`; the default where the key is absent.
    func positiveOrNull(_ key: String, default fallback: Float? = nil) throws -> Float? {
        if isNull(key) { return nil }
        return has(key) ? Float(try Llama.Configuration.positive(key, in: self)) : fallback
    }
}
