import Checkpoint
import Compute
import JSON

extension Activation {
    /// Names of activations in configurations, as transformers' `ACT2FN` has them.
    private static let names: [String: Activation] = [
        "gelu": .gelu, "gelu_new": .geluTanh, "gelu_pytorch_tanh": .geluTanh, "quick_gelu": .quickGelu, "relu": .relu,
        "silu": .silu,
        "swish": .silu,
    ]

    /// The activation that a configuration names.
    /// - Throws: `ModelError.configuration` for one there is no kernel for.
    init(named key: String, in file: JSONReader, default fallback: String) throws {
        let name = try file.string(key, default: fallback)
        guard let activation = Self.names[name] else {
            throw ModelError.configuration(
                file: file.file, key: file.path(of: key),
                problem:
                    "the activation “\(name)” is not supported (supported: \(Self.names.keys.sorted().joined(separator: ", ")))"
            )
        }
        self = activation
    }
}
