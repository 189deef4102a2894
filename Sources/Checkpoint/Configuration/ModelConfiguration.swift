import NumberFormats
import Foundation

/// The JSON files beside a model's weights, as Hugging Face lays them out.
package struct ModelConfiguration: Sendable, Hashable {
    package let folder: String
    /// `config.json`
    package let main: ConfigurationObject
    /// `generation_config.json`; empty when the file is absent.
    package let generation: ConfigurationObject
    /// `preprocessor_config.json`, or the part of `processor_config.json` that newer versions of transformers put in
    /// its place; empty when both are absent.
    package let preprocessor: ConfigurationObject
    /// `processor_config.json`; empty when the file is absent.
    package let processor: ConfigurationObject

    /// Reads the configuration in `folder`. `config` chooses another file for `config.json`.
    ///
    /// - Throws: `CheckpointError` when `config.json` is absent or any of the files is not a JSON object.
    package init(folder: String, config: String = "config.json") throws(CheckpointError) {
        self.folder = folder
        main = try ConfigurationObject(contentsOf: (folder as NSString).appendingPathComponent(config))
        generation = try Self.optional("generation_config.json", in: folder)
        processor = try Self.optional("processor_config.json", in: folder)
        let own = try Self.optional("preprocessor_config.json", in: folder)
        let image = try processor.objectIfPresent("image_processor")
        let audio = try processor.objectIfPresent("feature_extractor")
        preprocessor = own.members.isEmpty ? image ?? audio ?? own : own
    }

    /// A configuration that was not read from a folder, such as one made from GGUF metadata.
    package init(
        folder: String, main: ConfigurationObject, generation: ConfigurationObject? = nil,
        preprocessor: ConfigurationObject? = nil
    ) {
        self.folder = folder
        self.main = main
        self.generation = generation ?? ConfigurationObject(file: folder, members: [:])
        self.preprocessor = preprocessor ?? ConfigurationObject(file: folder, members: [:])
        processor = ConfigurationObject(file: folder, members: [:])
    }

    private static func optional(_ name: String, in folder: String) throws(CheckpointError) -> ConfigurationObject {
        let path = (folder as NSString).appendingPathComponent(name)
        guard FileManager.default.fileExists(atPath: path) else { return ConfigurationObject(file: path, members: [:]) }
        return try ConfigurationObject(contentsOf: path)
    }

    /// The registry key of the architecture: `whisper`, `t5`, `mllama`. CTranslate2 configurations have none.
    package var modelType: String? { main.value("model_type")?.stringValue }
}

extension ConfigurationObject {
    /// The rotary position parameters of this configuration, from transformers 5's `rope_parameters` or from
    /// transformers 4's `rope_theta` and `rope_scaling`.
    package struct Rotary: Sendable, Hashable {
        /// Base of the wavelengths.
        package let theta: Double
        /// `default`, `linear`, `dynamic`, `yarn`, `llama3`.
        package let type: String
        /// What that type needs beside: `factor`, `low_freq_factor`, `original_max_position_embeddings`.
        package let parameters: ConfigurationObject
    }

    /// - Parameter defaultTheta: The model class's own default, for configurations that do not say.
    package func rotary(defaultTheta: Double = 10_000) throws(CheckpointError) -> Rotary {
        let current = try objectIfPresent("rope_parameters")
        let earlier = try objectIfPresent("rope_scaling")
        let scaling =
            current ?? earlier
            ?? ConfigurationObject(file: file, keyPath: keyPath + ["rope_parameters"], members: [:])
        let theta = try scaling.double("rope_theta", default: double("rope_theta", default: defaultTheta))
        // The first published `rope_scaling` objects said `type`.
        let type = try scaling.string("rope_type", default: scaling.string("type", default: "default"))
        return Rotary(theta: theta, type: type, parameters: scaling)
    }

    /// The element format the checkpoint says it was saved in (`dtype`, earlier `torch_dtype`); `nil` when it does not.
    package func elementFormat() throws(CheckpointError) -> ElementFormat? {
        guard let name = try stringIfPresent("dtype") else { return nil }
        let bare = name.hasPrefix("torch.") ? String(name.dropFirst(6)) : name
        guard let format = Self.formatNames[bare] else {
            throw .wrongKeyType(
                file: file, key: "dtype", expected: "float32, float16 or bfloat16", actual: "\"\(printable(name))\"")
        }
        return format
    }

    private static let formatNames: [String: ElementFormat] = [
        "float32": .f32, "float16": .f16, "bfloat16": .bf16, "float64": .f64, "float": .f32, "half": .f16,
    ]
}
