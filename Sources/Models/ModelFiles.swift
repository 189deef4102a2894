import Checkpoint
import Foundation
import NumberFormats

/// Choices of a model's memory and weights.
package struct LoadOptions: Sendable, Hashable {
    /// Format that weight matrices are converted to while they are loaded; nil keeps the stored formats. Matrices whose rows
    /// are not whole blocks of it become f16.
    package var weights: ElementFormat?
    /// Positions that memory is planned for, where a model can have more; nil for the architecture's default.
    package var contextLength: Int?
    /// Format of cached keys and values, one of `KeyValueCache.formats`; f32 is what the reference computes.
    package var keyValues = ElementFormat.f32

    package init(weights: ElementFormat? = nil, contextLength: Int? = nil, keyValues: ElementFormat = .f32) {
        self.weights = weights
        self.contextLength = contextLength
        self.keyValues = keyValues
    }

    /// Formats that weights can be converted to.
    package static let weightFormats = ElementFormat.encodable
}

/// The files of a model: a Hugging Face folder, a CTranslate2 folder, or a GGUF file.
package struct ModelFiles {
    package let path: String
    package let checkpoint: Checkpoint
    /// `config.json` and its companions; absent for single-file formats.
    package let configuration: ModelConfiguration?
    /// Choices of the model's memory and weights.
    package var options = LoadOptions()
    /// Vision tower and projector of a model whose text model is the GGUF file (llama.cpp's "mmproj" file).
    package let projector: Checkpoint?

    /// Opens a folder or file.
    /// - Parameter projector: the path of an "mmproj" file.
    /// - Throws: `CheckpointError` if it is not a model, `JSONError` for a damaged configuration; `ModelError` if
    ///   `projector` is not an "mmproj" file, or the model is not a GGUF file.
    package init(path: String, projector: String? = nil) throws {
        self.path = path
        checkpoint = try Checkpoint.open(path)
        self.projector = try projector.map { try Checkpoint.open($0) }
        if let own = self.projector {
            // Towers of Ollama's Llama 3.2 Vision say so themselves.
            if try own.gguf?.stringIfPresent("general.architecture") != "mllama" { _ = try GGUFProjector(own) }
            guard checkpoint.format == .gguf else {
                throw ModelError.configuration(
                    file: path, key: "format", problem: "an mmproj file belongs to a GGUF file, which this is not")
            }
        }
        // Single-file formats have no config.json, but for GGUF files without metadata, as candle writes them. One that is
        // there must be readable.
        let isComplete = checkpoint.gguf.map { $0["general.architecture"] != nil } ?? false
        let folder =
            checkpoint.format == .gguf
            ? URL(fileURLWithPath: checkpoint.files[0]).deletingLastPathComponent().path : path
        let hasConfiguration = FileManager.default.fileExists(
            atPath: URL(fileURLWithPath: folder).appendingPathComponent("config.json").path)
        configuration = hasConfiguration && !isComplete ? try ModelConfiguration(folder: folder) : nil
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

    /// A model without weights: a folder with a `config.json`, or such a file of any name.
    /// - Parameter standIn: replacement for the weights; by default they are planned in the format that the configuration
    ///   names, or f16.
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

    /// The files at `path`, or the configuration alone where there are no weights, which is enough for a plan.
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
