import Checkpoint
import JSON
import Transformer

/// Phi-3 and Phi-3.5 (Abdin et al. 2024): Llama whose projections are stored fused, with a sliding window and, for long
/// contexts, factors of the rotary frequencies. Reference: transformers' modeling_phi3.
package final class Phi3: LlamaFamily {
    package let configuration: Llama.Configuration
    package let decoder: Decoder

    package init(configuration: Llama.Configuration, decoder: Decoder) {
        self.configuration = configuration
        self.decoder = decoder
    }

    package static var name: String { "Phi-3" }
    package static var modelTypes: [String] { ["phi3"] }

    package static var defaults: Llama.Configuration.Defaults {
        var defaults = Llama.Configuration.Defaults()
        defaults.vocabulary = 32064
        defaults.hiddenSize = 3072
        defaults.intermediateSize = 8192
        defaults.positions = 4096
        defaults.epsilon = 1e-5
        return defaults
    }

    package static func adapt(_ c: inout Llama.Configuration, to file: JSONReader) throws {
        c.isFused = true
        c.attentionHasBias = false
        c.outputHasBias = false
        c.feedForwardHasBias = false
        let parameters = try file.objectIfPresent("rope_parameters")
        let partial = try parameters?.rotaryShare() ?? file.rotaryShare() ?? 1
        c.rotaryDimension = Int(Double(c.headDimension) * partial)
        guard c.rotaryDimension >= 2, c.rotaryDimension % 2 == 0 else {
            throw ModelError.configuration(
                file: file.file, key: "partial_rotary_factor",
                problem: "\(partial) of \(c.headDimension) elements are not whole pairs")
        }
        try c.readWindows(file)
    }
}
