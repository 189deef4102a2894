import Checkpoint
import Compute
import Formats
import Telemetry
import Transformer

/// The files of a model as a person has them: a Hugging Face folder, a CTranslate2 folder, a GGUF file.
public struct ModelFiles {
    public let path: String
    public let checkpoint: Checkpoint
    /// `config.json` and its companions; absent for single-file formats.
    public let configuration: ModelConfiguration?
    /// The vision tower and projector of a model whose text model is the GGUF file, llama.cpp's "mmproj" file.
    public let projector: Checkpoint?

    /// Opens a folder or file.
    /// - Parameter projector: the path of an "mmproj" file.
    /// - Throws: `CheckpointError` when it is not a model; `ModelError` when `projector` is none of that kind, or the model
    ///   is not one that has such a file.
    public init(path: String, projector: String? = nil) throws {
        self.path = path
        checkpoint = try Checkpoint.open(path)
        self.projector = try projector.map { try Checkpoint.open($0) }
        if let own = self.projector {
            let type = try own.gguf?.string("general.architecture")
            guard type == "clip" else {
                throw ModelError.configuration(
                    file: projector ?? "", key: "general.architecture",
                    problem: "“\(type ?? "no GGUF file")” is no vision tower; an mmproj file says “clip”")
            }
            guard checkpoint.format == .gguf else {
                throw ModelError.configuration(file: path, key: "format", problem: "an mmproj file belongs to a GGUF file, which this is not")
            }
        }
        configuration = checkpoint.format == .gguf ? nil : try? ModelConfiguration(folder: path)
    }
}

/// A model of any architecture, as loading, planning and the memory panel see it.
public protocol Model: AnyObject, SendableMetatype {
    /// Values of `model_type` (or the file family's own architecture name) that this architecture reads.
    static var modelTypes: [String] { get }

    /// Declares a model from its files, its weights' formats assigned; nothing is allocated.
    static func make(from files: ModelFiles) throws -> Self

    /// The device buffers the model takes.
    func plannedBuffers(unifiedMemory: Bool) -> [PlannedBuffer]

    /// Puts the model on a device. `progress` hears bytes done and bytes in all.
    func load(from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void) throws

    /// Takes the model off its device; all its memory is freed.
    func unload()

    /// KV-cache bytes one more token costs.
    var bytesPerToken: Int { get }
}

/// The architectures the program knows. A new one is added here and nowhere else.
public enum ModelRegistry {
    public static let architectures: [any Model.Type] = [
        Whisper.self, T5.self, Marian.self, BART.self, Llama.self, GPT2.self, LLaVA.self, SmolVLM.self, Mllama.self,
        BLIP.self, VisionEncoderDecoder.self,
    ]

    /// What kind of model the files hold, by their own word.
    public static func modelType(of files: ModelFiles) throws -> String {
        if files.checkpoint.format == .cTranslate2 {
            return files.checkpoint.metadata["specification"] ?? "ctranslate2"
        }
        if let gguf = files.checkpoint.gguf {
            let type = try gguf.string("general.architecture")
            // llama.cpp's pair of files: the text model's own word is that it is a Llama.
            return files.projector != nil && type == "llama" ? "llava" : type
        }
        return files.configuration?.modelType ?? ""
    }

    /// Declares the model that the files hold.
    /// - Throws: `ModelError.unknownArchitecture` naming those that are known.
    public static func make(from files: ModelFiles) throws -> any Model {
        let type = try modelType(of: files)
        guard let architecture = architectures.first(where: { $0.modelTypes.contains(type) }) else {
            throw ModelError.unknownArchitecture(file: files.path, type: type, known: architectures.flatMap { $0.modelTypes }.sorted())
        }
        return try architecture.make(from: files)
    }
}
