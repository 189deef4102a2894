import Foundation
import JSON
import NumberFormats

/// The JSON files beside a model's weights, in Hugging Face's layout. Each is read once.
package struct ModelConfiguration: Sendable, Hashable {
    package let folder: String
    /// `config.json`
    package let main: JSONReader
    /// `generation_config.json`; empty if the file is absent.
    package let generation: JSONReader
    /// `preprocessor_config.json`, or the part of `processor_config.json` that newer versions of transformers put in
    /// its place; empty if both are absent.
    package let preprocessor: JSONReader
    /// `processor_config.json`; empty if the file is absent.
    package let processor: JSONReader

    /// Reads the configuration in `folder`. `config` chooses another file for `config.json`.
    ///
    /// - Throws: `JSONError` if `config.json` is absent or any of the files is not a JSON object.
    package init(folder: String, config: String = "config.json") throws(JSONError) {
        self.folder = folder
        main = try JSONReader(contentsOf: (folder as NSString).appendingPathComponent(config)).object()
        generation = try Self.optional("generation_config.json", in: folder)
        processor = try Self.optional("processor_config.json", in: folder)
        let own = try Self.optional("preprocessor_config.json", in: folder)
        let image = try processor.objectIfPresent("image_processor")
        let audio = try processor.objectIfPresent("feature_extractor")
        preprocessor = own.members.isEmpty ? image ?? audio ?? own : own
    }

    /// A configuration that was not read from a folder, such as one made from GGUF metadata.
    package init(
        folder: String, main: JSONReader, generation: JSONReader? = nil, preprocessor: JSONReader? = nil
    ) {
        let empty = JSONReader(.object([:]), file: folder)
        self.folder = folder
        self.main = main
        self.generation = generation ?? empty
        self.preprocessor = preprocessor ?? empty
        processor = empty
    }

    private static func optional(_ name: String, in folder: String) throws(JSONError) -> JSONReader {
        let path = (folder as NSString).appendingPathComponent(name)
        guard FileManager.default.fileExists(atPath: path) else { return JSONReader(.object([:]), file: path) }
        return try JSONReader(contentsOf: path).object()
    }

    /// The registry key of the architecture: `whisper`, `t5`, `mllama`. CTranslate2 configurations have none.
    package var modelType: String? { main.value("model_type")?.stringValue }
}

extension JSONReader {
    /// Rotary position parameters: `rope_parameters` of transformers 5, or `rope_theta` and `rope_scaling` of
    /// transformers 4.
    package struct Rotary: Sendable, Hashable {
        /// Base of the wavelengths.
        package let theta: Double
        /// `default`, `linear`, `dynamic`, `yarn`, `llama3`.
        package let type: String
        /// Further parameters of the type: `factor`, `low_freq_factor`, `original_max_position_embeddings`.
        package let parameters: JSONReader
    }

    /// - Parameter defaultTheta: The model class's default, for configurations without a base.
    package func rotary(defaultTheta: Double = 10_000) throws -> Rotary {
        var scaling = try objectIfPresent("rope_parameters") ?? object("rope_scaling", default: [:])
        // Where kinds of layers differ, transformers 5 has parameters for each kind.
        if let own = try scaling.objectIfPresent("full_attention") { scaling = own }
        let theta = try scaling.double("rope_theta", default: double("rope_theta", default: defaultTheta))
        // The first published `rope_scaling` objects have `type` instead.
        let type = try scaling.string("rope_type", default: scaling.string("type", default: "default"))
        return Rotary(theta: theta, type: type, parameters: scaling)
    }

    /// Share of each head that rotary positions turn, `partial_rotary_factor`; nil if it is not given.
    package func rotaryShare() throws(JSONError) -> Double? { try doubleIfPresent("partial_rotary_factor", in: 0...1) }

    /// The element format the checkpoint was saved in (`dtype`, `torch_dtype` before transformers 5); `nil` if the
    /// configuration does not name one.
    package func elementFormat() throws -> ElementFormat? {
        guard let dtype = try memberIfPresent("dtype") ?? memberIfPresent("torch_dtype") else { return nil }
        let name = try dtype.string()
        let bare = name.hasPrefix("torch.") ? String(name.dropFirst(6)) : name
        guard let format = Self.formatNames[bare] else {
            throw dtype.wrongType(expected: "float32, float16 or bfloat16", actual: "\"\(printable(name))\"")
        }
        return format
    }

    private static let formatNames: [String: ElementFormat] = [
        "float32": .f32, "float16": .f16, "bfloat16": .bf16, "float64": .f64, "float": .f32, "half": .f16,
    ]
}
