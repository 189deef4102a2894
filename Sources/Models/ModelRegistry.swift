import Checkpoint
import Transformer

/// The architectures. A new one is registered here and nowhere else.
package enum ModelRegistry {
    package static let architectures: [any Model.Type] = [
        Whisper.self, Moonshine.self, T5.self, Marian.self, BART.self, MBART.self, M2M100.self, Pegasus.self,
        Llama.self, Qwen2.self, Qwen3.self, Mistral.self, Gemma2.self, Gemma3.self, Phi3.self, Granite.self,
        GPT2.self, LLaVA.self, SmolVLM.self,
        Mllama.self,
        BLIP.self, VisionEncoderDecoder.self, Florence2.self,
    ]

    /// The model type that the files declare.
    package static func modelType(of files: ModelFiles) throws -> String {
        if files.checkpoint.format == .cTranslate2 {
            return files.checkpoint.metadata["specification"] ?? "ctranslate2"
        }
        if files.checkpoint.whisper != nil { return "whisper" }
        if let gguf = files.checkpoint.gguf, files.configuration == nil {
            let type = try gguf.string("general.architecture")
            // A file of Gemma 3 holds the text model alone.
            guard let projector = files.projector, type != "mllama" else {
                return type == "gemma3" ? "gemma3_text" : type
            }
            guard type == "llama" else {
                throw ModelError.configuration(
                    file: files.path, key: "general.architecture",
                    problem: "“\(type)” with an mmproj file is not supported; supported is llama")
            }
            // llama.cpp's pair of files: the text model declares itself a Llama.
            return try GGUFProjector(projector).type == "idefics3" ? "smolvlm" : "llava"
        }
        return files.configuration?.modelType ?? ""
    }

    /// Declares the model that the files hold, its weights in the format that the files' options name.
    /// - Throws: `ModelError.unknownArchitecture` naming those that are known; `CheckpointError.foreignEncoding` for weights
    ///   that no kernel reads.
    package static func make(from files: ModelFiles) throws -> any Model {
        if let encoding = ForeignEncoding.of(files.checkpoint, configuration: files.configuration?.main) {
            throw CheckpointError.foreignEncoding(file: files.path, encoding)
        }
        let type = try modelType(of: files)
        guard let architecture = architectures.first(where: { $0.modelTypes.contains(type) }) else {
            throw ModelError.unknownArchitecture(
                file: files.path, type: type, known: architectures.flatMap { $0.modelTypes }.sorted())
        }
        let model = try architecture.make(from: files)
        if let format = files.options.weights {
            guard LoadOptions.weightFormats.contains(format) else {
                throw ModelError.weightFormat(format, possible: LoadOptions.weightFormats)
            }
            model.assignFormat(format)
        }
        model.decoder.cacheFormat = files.options.keyValues
        return model
    }
}
