import Compute
import Models
import Tokenization

/// A loaded model with its tokenizer and processors, answering requests. Used from one executor.
package protocol ModelSession: AnyObject, SendableMetatype {
    /// True for a model that this kind of session can serve.
    static func serves(_ model: any Model) -> Bool

    /// True where answers depend on the whole conversation instead of its last message.
    static func holdsConversations(_ files: ModelFiles) -> Bool

    /// Loads a declared model onto a device, with its tokenizer and processors.
    /// - Parameter progress: bytes done and bytes in all.
    init(_ model: any Model, from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void) throws

    /// KV-cache bytes of one token.
    var bytesPerToken: Int { get }
    /// Positions that are free behind the tokens so far.
    var tokensLeft: Int? { get }

    /// Answers a request; synchronous.
    /// - Parameters:
    ///   - isCancelled: asked between steps.
    ///   - emit: takes every event in order, `finished` last; what it throws ends the run.
    func answer(
        _ request: GenerationRequest, isCancelled: @escaping () -> Bool,
        emit: @escaping (GenerationEvent) throws -> Void) throws
}

extension ModelSession {
    package static func holdsConversations(_ files: ModelFiles) -> Bool { false }
}

/// Kinds of session; a model is served by the first one that can.
package struct SessionRegistry: Sendable {
    private let kinds: [any ModelSession.Type]

    package init(_ kinds: [any ModelSession.Type]) { self.kinds = kinds }

    /// Declares the model at a path; nothing is loaded yet.
    /// - Parameter projector: the "mmproj" file of a model whose text model is a GGUF file.
    /// - Throws: `CheckpointError`, `ModelError`, and `GenerationError.noSession` for a model that no session serves.
    package func declare(path: String, projector: String? = nil, options: LoadOptions = LoadOptions()) throws
        -> DeclaredModel
    {
        var files = try ModelFiles(path: path, projector: projector)
        files.options = options
        let model = try ModelRegistry.make(from: files)
        guard let kind = kinds.first(where: { $0.serves(model) }) else {
            throw GenerationError.noSession(path: files.path, type: try ModelRegistry.modelType(of: files))
        }
        return DeclaredModel(
            files: files, model: model,
            abilities: try ModelAbilities(
                of: model, from: files, holdsConversations: kind.holdsConversations(files)), kind: kind)
    }
}

/// A model whose description has been read; its weights are still on disk.
package struct DeclaredModel {
    package let files: ModelFiles
    package let model: any Model
    package let abilities: ModelAbilities
    private let kind: any ModelSession.Type

    fileprivate init(files: ModelFiles, model: any Model, abilities: ModelAbilities, kind: any ModelSession.Type) {
        self.files = files
        self.model = model
        self.abilities = abilities
        self.kind = kind
    }

    /// Loads the model with the session that serves it.
    /// - Parameter progress: bytes done and bytes in all.
    /// - Throws: `CheckpointError`, `ModelError`, `TransformerError`, `TokenizationError`, `ComputeError`.
    package func load(on device: Device, progress: (Int, Int) -> Void = { _, _ in }) throws -> any ModelSession {
        let session = try kind.init(model, from: files, on: device, progress: progress)
        files.release()
        return session
    }
}
