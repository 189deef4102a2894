import Checkpoint
import Compute
import NumberFormats
import Foundation
import Transformer

/// What a person may ask of a model's memory.
package struct LoadOptions: Sendable, Hashable {
    /// The format that weight matrices are brought into while they are loaded; their own without. Matrices whose rows are
    /// no whole blocks of it become f16.
    package var weights: ElementFormat?
    /// Positions to make room for, where a model can have more; the architecture's own default without.
    package var contextLength: Int?

    package init(weights: ElementFormat? = nil, contextLength: Int? = nil) {
        self.weights = weights
        self.contextLength = contextLength
    }

    /// The formats that weights can be converted to.
    package static let weightFormats = ElementFormat.encodable
}

/// The files of a model as a person has them: a Hugging Face folder, a CTranslate2 folder, a GGUF file.
package struct ModelFiles {
    package let path: String
    package let checkpoint: Checkpoint
    /// `config.json` and its companions; absent for single-file formats.
    package let configuration: ModelConfiguration?
    /// What was asked of the model's memory.
    package var options = LoadOptions()
    /// The vision tower and projector of a model whose text model is the GGUF file, llama.cpp's "mmproj" file.
    package let projector: Checkpoint?

    /// Opens a folder or file.
    /// - Parameter projector: the path of an "mmproj" file.
    /// - Throws: `CheckpointError` when it is not a model; `ModelError` when `projector` is none of that kind, or the model
    ///   is not one that has such a file.
    package init(path: String, projector: String? = nil) throws {
        self.path = path
        checkpoint = try Checkpoint.open(path)
        self.projector = try projector.map { try Checkpoint.open($0) }
        if let own = self.projector {
            _ = try GGUFProjector(own)
            guard checkpoint.format == .gguf else {
                throw ModelError.configuration(
                    file: path, key: "format", problem: "an mmproj file belongs to a GGUF file, which this is not")
            }
        }
        configuration = checkpoint.format == .gguf ? nil : try? ModelConfiguration(folder: path)
    }

    /// Unmaps the files of weights; see `Checkpoint.release`.
    package func release() {
        checkpoint.release()
        projector?.release()
    }

    private init(path: String, checkpoint: Checkpoint, configuration: ModelConfiguration?) {
        self.path = path
        self.checkpoint = checkpoint
        self.configuration = configuration
        projector = nil
    }

    /// A model of which there is a configuration only: a folder with a `config.json`, or such a file of any name.
    /// - Parameter standIn: what to take for the weights; without, they are planned for in the format that the configuration
    ///   says they were saved in, or f16.
    /// - Throws: `CheckpointError` when there is no configuration.
    package init(configuration path: String, standIn: Checkpoint.StandIn? = nil) throws {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let url = URL(fileURLWithPath: path)
        let configuration =
            if exists, !isFolder.boolValue {
                try ModelConfiguration(folder: url.deletingLastPathComponent().path, config: url.lastPathComponent)
            } else {
                try ModelConfiguration(folder: path)
            }
        let saved =
            try configuration.main.elementFormat() ?? configuration.main.objectIfPresent("text_config")?.elementFormat()
        self.init(
            path: path, checkpoint: .absent(path: path, standIn: standIn ?? .forecast(saved ?? .f16)),
            configuration: configuration)
    }

    /// The files at `path`, or the configuration alone where there are no weights: enough for a plan.
    package init(planning path: String) throws {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        if exists, !isFolder.boolValue, path.hasSuffix(".json") {
            try self.init(configuration: path)
            return
        }
        do {
            try self.init(path: path)
        } catch let error as CheckpointError {
            guard case .notACheckpoint = error, isFolder.boolValue,
                FileManager.default.fileExists(
                    atPath: URL(fileURLWithPath: path).appendingPathComponent("config.json").path)
            else { throw error }
            try self.init(configuration: path)
        }
    }
}

/// A model of any architecture, as loading, planning and the memory panel see it.
package protocol Model: AnyObject, SendableMetatype {
    /// Values of `model_type` (or the file family's own architecture name) that this architecture reads.
    static var modelTypes: [String] { get }

    /// Its weights, in the order they lie in memory.
    var parameters: ParameterList { get }

    /// Declares a model from its files, its weights in the formats they are stored in; nothing is allocated. Sizes that a
    /// person may choose are in the files' `options`.
    static func make(from files: ModelFiles) throws -> Self

    /// The device buffers the model takes.
    func plannedBuffers(unifiedMemory: Bool) -> [PlannedBuffer]

    /// Puts the model on a device. `progress` hears bytes done and bytes in all.
    func load(from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void) throws

    /// Takes the model off its device; all its memory is freed.
    func unload()

    /// KV-cache bytes one more token costs.
    var bytesPerToken: Int { get }

    /// Memory for the rows of attention that the panel shows of each token, while it watches.
    func watchingBytes(unifiedMemory: Bool) -> Int

    // MARK: Capabilities

    /// The decoder: tokens to logits.
    var decoder: any DecoderEngine { get }
    var capabilities: ModelCapabilities { get }
    /// The model as a reader of texts, where its encoder reads one.
    var textSource: (any TextSource)? { get }
    /// The model as a reader of pictures, where it takes some.
    var pictureReader: (any PictureReader)? { get }
    /// The model as a reader of sound, where it takes some.
    var soundReader: (any SoundReader)? { get }
    /// Layers of the encoder or the vision tower; 0 where there is none.
    var encoderLayers: Int { get }
    /// Tokens that decoding behind an encoded source starts with; empty where the prompt is everything, or where the
    /// tokenizer knows them (speech).
    var startTokens: [Int] { get }
    /// Tokens that end decoding behind an encoded source.
    var endTokens: Set<Int> { get }
    /// Tokens that decoding starts with behind a prompt of these ids; nil for a model that takes none.
    func startTokens(prompt: [Int]) -> [Int]?

    /// A greedy run that emits what the model computed.
    /// - Parameters:
    ///   - input: what is encoded first, where the model takes such input.
    ///   - prompt: the decoder's first tokens.
    func trace(
        _ input: ModelInput?, prompt: [Int], options: TraceOptions, emit: (TraceTensor) throws -> Void) throws
}

extension Model {
    /// Gives all weight matrices one format.
    package func assignFormat(_ format: ElementFormat) { parameters.assignFormat(format) }
}

/// The architectures the program knows. A new one is added here and nowhere else.
package enum ModelRegistry {
    package static let architectures: [any Model.Type] = [
        Whisper.self, T5.self, Marian.self, BART.self, Llama.self, GPT2.self, LLaVA.self, SmolVLM.self, Mllama.self,
        BLIP.self, VisionEncoderDecoder.self,
    ]

    /// What kind of model the files hold, by their own word.
    package static func modelType(of files: ModelFiles) throws -> String {
        if files.checkpoint.format == .cTranslate2 {
            return files.checkpoint.metadata["specification"] ?? "ctranslate2"
        }
        if let gguf = files.checkpoint.gguf {
            let type = try gguf.string("general.architecture")
            guard let projector = files.projector else { return type }
            guard type == "llama" else {
                throw ModelError.configuration(
                    file: files.path, key: "general.architecture",
                    problem: "“\(type)” with an mmproj file is not supported; supported is llama")
            }
            // llama.cpp's pair of files: the text model's own word is that it is a Llama.
            return try GGUFProjector(projector).type == "idefics3" ? "smolvlm" : "llava"
        }
        return files.configuration?.modelType ?? ""
    }

    /// Declares the model that the files hold, its weights in the format that the files' options ask for.
    /// - Throws: `ModelError.unknownArchitecture` naming those that are known.
    package static func make(from files: ModelFiles) throws -> any Model {
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
        return model
    }
}
