import Compute
import Models
import Tokenization
import Transformer

/// A model whose encoder reads one text or one picture, and whose decoder writes a text. Used from one executor.
///
/// Only the last message counts: a text to translate, summarize or follow; or a picture, with the beginning of its caption
/// where the model takes one.
package final class EncodedSourceSession: ModelSession {
    private let model: any Model
    private let reader: any SourceReader
    private let tokenizer: Tokenizer
    private let decoder: ModelDecoder
    private let processors: [any LogitsProcessor]

    package static func serves(_ model: any Model) -> Bool {
        model.capabilities.needsSource && (model.textSource != nil || model.pictureReader != nil)
    }

    package init(
        _ model: any Model, from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void
    ) throws {
        self.model = model
        if let source = model.textSource {
            let tokenizers = try TokenizerPair(files)
            tokenizer = tokenizers.target
            reader = TextSourceReader(
                source, tokenizer: tokenizers.source, forcesStart: try CheckpointRules.forcesStart(files))
        } else if let pictures = model.pictureReader {
            tokenizer = try Tokenizer(files)
            reader = PictureSourceReader(
                pictures, tokenizer: tokenizer, processor: try pictures.imageProcessor(of: files))
        } else {
            throw GenerationError.noSession(path: files.path, type: try ModelRegistry.modelType(of: files))
        }
        processors = try CheckpointRules.processors(files)
        decoder = ModelDecoder(model)
        try model.load(from: files, on: device, progress: progress)
        model.tap?.selection = AttentionTap.Selection(model.capabilities.watchedAttention)
    }

    deinit { model.unload() }

    package var bytesPerToken: Int { model.bytesPerToken }
    package var tokensLeft: Int? { model.positionsLeft }

    package func answer(
        _ request: GenerationRequest, isCancelled: @escaping () -> Bool,
        emit: @escaping (GenerationEvent) throws -> Void
    ) throws {
        model.tap?.interventions = request.interventions
        let source = try reader.read(request, emit: emit)
        // Keys and values of the tokens before were computed from another source.
        decoder.reset()
        let start = source.start, prefix = request.text.answerPrefix.count
        let room = model.contextLength - start.count + 1
        guard prefix < room else {
            throw GenerationError.promptTooLong(tokens: start.count + prefix, maximum: model.contextLength)
        }
        var search = AnswerSearch(decoder: decoder, tokenizer: tokenizer, endTokens: model.endTokens)
        search.processors = source.replacesForcedStart ? processors.filter { !($0 is ForceTokenAtBegin) } : processors
        search.encodeSeconds = source.seconds
        if let pictures = model.pictureReader { search.isAnswerText = pictures.isAnswerText }
        try search.run(
            prompt: start, options: request.text, room: room, prefilled: { start.count + prefix },
            isCancelled: isCancelled, emit: emit)
    }
}
