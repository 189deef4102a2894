import JSON
import NumberFormats

/// Weights in the encoding of another program, which no reader here decodes, or that are no whole model.
///
/// Recognized by the `quantization_config` of transformers and by the tensors that each encoding adds: GPTQ (Frantar et al.
/// 2022) and AWQ (Lin et al. 2023) as AutoGPTQ and AutoAWQ store them, bitsandbytes (Dettmers et al. 2022 and 2023), 8-bit
/// floats with scales, and the adapters of peft (Hu et al. 2021).
package struct ForeignEncoding: Sendable, Hashable, CustomStringConvertible {
    /// The encoding's name, such as "GPTQ".
    package let name: String
    /// A replacement that can be opened.
    package let remedy: String

    package var description: String { "\(name); \(remedy)" }

    private init(_ name: String, remedy: String = "use the model's unquantized safetensors, or a GGUF file of it") {
        self.name = name
        self.remedy = remedy
    }

    static let adapter = ForeignEncoding(
        "an adapter, such as LoRA", remedy: "merge it into its base model, and use the result")
    private static let gptq = ForeignEncoding("GPTQ")
    private static let awq = ForeignEncoding("AWQ")
    private static let bitsandbytes4 = ForeignEncoding("bitsandbytes (4 bits)")
    private static let bitsandbytes8 = ForeignEncoding("bitsandbytes (8 bits)")
    private static let fp8 = ForeignEncoding("fp8 (8-bit floats with scales)")

    /// The encoding of a checkpoint's weights; nil where they can be read.
    /// - Parameter configuration: `config.json`, which alone decides where there are no weights.
    package static func of(_ checkpoint: Checkpoint, configuration: JSONReader?) -> ForeignEncoding? {
        let named = configuration.flatMap(Self.init(configuration:))
        if checkpoint.standIn != nil { return named }
        if let found = Self(checkpoint) { return named ?? found }
        // Some configurations keep the name of the method after the weights have been converted back.
        let isPlain = checkpoint.unsupported.isEmpty && !checkpoint.names.contains(where: checkpoint.isCode)
        return isPlain ? nil : named
    }

    private init?(configuration: JSONReader) {
        guard let quantization = configuration.value("quantization_config") ?? configuration.value("compression_config")
        else { return nil }
        switch quantization["quant_method"]?.stringValue {
        case "gptq": self = .gptq
        case "awq": self = .awq
        case "bitsandbytes", nil:
            let bits = (quantization["load_in_4bit"]?.boolValue, quantization["load_in_8bit"]?.boolValue)
            if bits.0 == true {
                self = .bitsandbytes4
            } else if bits.1 == true {
                self = .bitsandbytes8
            } else {
                return nil
            }
        case "fp8", "fbgemm_fp8": self = .fp8
        case let other?: self.init("“\(printable(other, limit: 40))”")
        }
    }

    private init?(_ checkpoint: Checkpoint) {
        func has(_ suffix: String) -> Bool { checkpoint.names.contains { $0.hasSuffix(suffix) } }
        if has(".qweight") {
            self = has(".g_idx") ? .gptq : .awq
        } else if has(".weight.absmax") {
            self = .bitsandbytes4
        } else if has(".SCB") {
            self = .bitsandbytes8
        } else if checkpoint.names.contains(where: { $0.contains(".lora_A.") || $0.contains(".lora_B.") }) {
            self = .adapter
        } else if checkpoint.unsupported.values.contains(where: { $0.hasPrefix("F8_") }) {
            self = .fp8
        } else {
            return nil
        }
    }
}

extension Checkpoint {
    /// True for a tensor of whole numbers called a weight: the codes of some quantization.
    fileprivate func isCode(_ name: String) -> Bool {
        guard name.hasSuffix("weight") || name.hasSuffix("weight_packed"), let entry = try? entry(name) else {
            return false
        }
        return !entry.format.isQuantized && entry.format.weightFormat == nil
    }
}
