/// A model whose memory for the conversation is chosen when it is declared.
public protocol ContextSized: Model {
    /// - Parameter contextLength: positions to make room for; the architecture's own default without.
    static func make(from files: ModelFiles, contextLength: Int?) throws -> Self
}

extension Llama: ContextSized {}

extension ModelRegistry {
    /// Declares the model that the files hold, with room for so many positions where it lets them be chosen.
    public static func make(from files: ModelFiles, contextLength: Int?) throws -> any Model {
        let type = try modelType(of: files)
        guard let contextLength, let architecture = architectures.first(where: { $0.modelTypes.contains(type) }) as? any ContextSized.Type else {
            return try make(from: files)
        }
        return try architecture.make(from: files, contextLength: contextLength)
    }
}
