import Checkpoint
import JSON
import Transformer

/// Granite 3 (IBM 2024): Llama whose embeddings, scores, residual additions and logits are multiplied by numbers of the
/// configuration. Reference: transformers' modeling_granite.
package final class Granite: LlamaFamily {
    package let configuration: Llama.Configuration
    package let decoder: Decoder

    package init(configuration: Llama.Configuration, decoder: Decoder) {
        self.configuration = configuration
        self.decoder = decoder
    }

    package static var name: String { "Granite" }
    package static var modelTypes: [String] { ["granite"] }

    package static func adapt(_ c: inout Llama.Configuration, to file: JSONReader) throws {
        func number(_ key: String) throws -> Float {
            Float(try Llama.Configuration.positive(key, in: file, default: 1))
        }
        c.embeddingScale = try number("embedding_multiplier")
        c.scoreScale = try number("attention_multiplier")
        c.residualScale = try number("residual_multiplier")
        c.logitScale = 1 / (try number("logits_scaling"))
    }

    package static func adapt(_ c: inout Llama.Configuration, to gguf: GGUFMetadata) throws {
        c.embeddingScale = try gguf.positive("granite.embedding_scale") ?? 1
        c.scoreScale = try gguf.positive("granite.attention.scale")
        c.residualScale = try gguf.positive("granite.residual_scale") ?? 1
        c.logitScale = 1 / (try gguf.positive("granite.logit_scale") ?? 1)
    }
}
