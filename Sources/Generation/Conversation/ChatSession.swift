import Checkpoint
import Compute
import Formats
import Models
import Tokenization
import Transformer

/// A model that continues text, as a partner in a conversation. Used from one executor.
public final class ChatSession {
    public let session: TextSession
    private var interventions = Interventions.none

    /// Puts a declared model on a device.
    public init(
        _ model: any DecoderOnlyModel, from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        session = try TextSession(model, from: files, on: device, progress: progress)
        model.tap?.selection = AttentionTap.Selection(.selfAttention)
    }

    private var family: String { session.model.decoder.shape.name }
}

extension ChatSession: ModelSession {
    public static func serves(_ model: any Model) -> Bool { model is any DecoderOnlyModel }

    public static func abilities(of model: any Model, from files: ModelFiles) throws -> ModelAbilities {
        let decoder = try continuer(model, files).decoder
        return ModelAbilities(
            family: decoder.shape.name, inputs: [.text], holdsConversations: false, shownAttention: .selfAttention,
            attentionLayers: Array(0..<decoder.layerCount), attentionHeads: decoder.shape.attention.heads,
            contextLength: decoder.shape.contextLength)
    }

    public static func make(
        _ model: any Model, from files: ModelFiles, on device: Device, options: LoadOptions, progress: (Int, Int) -> Void
    ) throws -> ChatSession {
        try ChatSession(continuer(model, files), from: files, on: device, progress: progress)
    }

    private static func continuer(_ model: any Model, _ files: ModelFiles) throws -> any DecoderOnlyModel {
        guard let model = model as? any DecoderOnlyModel else {
            throw GenerationError.notATextModel(path: files.path, type: try ModelRegistry.modelType(of: files))
        }
        return model
    }

    public var bytesPerToken: Int { session.model.bytesPerToken }
    public var tokensLeft: Int? { session.decoder.positionsLeft }

    public func answer(
        _ request: GenerationRequest, isCancelled: @escaping () -> Bool, emit: @escaping (GenerationEvent) throws -> Void
    ) throws {
        let text = try request.lastText(family: family)
        if request.interventions != interventions {
            // What the cache holds was computed with other heads and keys.
            session.decoder.reset()
            interventions = request.interventions
            session.model.tap?.interventions = interventions
        }
        let prompt = session.tokenizer.encode(text)
        try emit(.inputPrepared(.source(SourceText(prompt, tokenizer: session.tokenizer))))
        try session.generate(prompt, options: request.text, isCancelled: isCancelled, emit: emit)
    }
}
