import Checkpoint
import Compute
import Foundation
import Models
import Tokenization
import Transformer

/// How a text is continued.
public struct TextOptions: Sendable {
    public var sampling = SamplingOptions()
    public var maximumTokens = 512
    /// Strings that end the answer; they are not part of it.
    public var stopStrings: [String] = []
    /// Alternatives reported for each token.
    public var alternatives = 0

    public init() {}
}

/// A text model on a device with its tokenizer and caches. Used from one executor.
public final class TextSession {
    public let model: any DecoderOnlyModel
    public let files: ModelFiles
    public let tokenizer: Tokenizer
    public let decoder: TextDecoder
    /// Tokens that end an answer, by the checkpoint's own word.
    public let endTokens: Set<Int>

    /// Loads a text model.
    /// - Parameters:
    ///   - contextLength: positions to make room for; the architecture's own default without.
    ///   - progress: bytes done and bytes in all.
    /// - Throws: `CheckpointError`, `ModelError`, `TransformerError`, `TokenizationError`, `ComputeError`;
    ///   `GenerationError.notATextModel` for another kind of model.
    public init(path: String, contextLength: Int? = nil, on device: Device, progress: (Int, Int) -> Void = { _, _ in }) throws {
        files = try ModelFiles(path: path)
        let made: any Model =
            if let contextLength, Llama.modelTypes.contains(try ModelRegistry.modelType(of: files)) {
                try Llama.make(from: files, contextLength: contextLength)
            } else {
                try ModelRegistry.make(from: files)
            }
        guard let model = made as? any DecoderOnlyModel else {
            throw GenerationError.notATextModel(path: path, type: try ModelRegistry.modelType(of: files))
        }
        self.model = model
        // Small things first: a folder without a tokenizer should not cost the time to load its weights.
        if let gguf = files.checkpoint.gguf {
            tokenizer = try Tokenizer(GGUFVocabulary(gguf), file: path)
        } else {
            tokenizer = try Tokenizer(contentsOf: URL(fileURLWithPath: path))
        }
        endTokens = try Self.endTokens(of: files, tokenizer)
        decoder = TextDecoder(model)
        try model.load(from: files, on: device, progress: progress)
        files.checkpoint.release()
    }

    deinit { model.unload() }

    private static func endTokens(of files: ModelFiles, _ tokenizer: Tokenizer) throws -> Set<Int> {
        var ids: Set<Int> = []
        if let gguf = files.checkpoint.gguf {
            for name in ["eos", "eot", "eom"] { ids.formUnion([try gguf.intIfPresent("tokenizer.ggml.\(name)_token_id")].compactMap { $0 }) }
        }
        if let configuration = files.configuration {
            ids.formUnion(try configuration.generation.ints("eos_token_id", default: configuration.main.ints("eos_token_id", default: [])))
        }
        return ids.filter { tokenizer.piece($0) != nil }
    }

    /// Continues a sequence of tokens. What it has in common with the last one, answer included, is not run again.
    ///
    /// - Parameter emit: takes every event in order; what it throws ends the run.
    /// - Returns: the answer's tokens, without a closing end token.
    /// - Throws: `GenerationError.promptTooLong` when the prompt leaves no room for an answer.
    @discardableResult
    public func generate(
        _ prompt: [Int], options: TextOptions = TextOptions(), isCancelled: () -> Bool = { Task.isCancelled },
        emit: (GenerationEvent) throws -> Void
    ) throws -> [Int] {
        guard !prompt.isEmpty, prompt.count < decoder.contextLength else {
            throw GenerationError.promptTooLong(tokens: prompt.count, maximum: decoder.contextLength - 1)
        }
        let room = decoder.contextLength - prompt.count + 1
        let request = SearchRequest(
            prompt: prompt, endTokens: endTokens, maximumNewTokens: min(options.maximumTokens, room), alternatives: options.alternatives)
        var text = StreamingDecoder(tokenizer)
        var stops = StopStrings(options.stopStrings)
        var count = 0
        let result = try SamplingSearch(options.sampling).run(decoder, request) { token in
            let isEnd = endTokens.contains(token.id)
            var piece = isEnd ? "" : stops.add(text.append(token.id))
            // What was held back comes out with the last token.
            if isEnd || count + 1 == request.maximumNewTokens { piece += stops.add(text.finish()) + stops.finish() }
            try emit(.token(GeneratedToken(
                index: count, id: token.id, text: piece, piece: tokenizer.piece(token.id) ?? "<\(token.id)>",
                isSpecial: isEnd || tokenizer.isSpecial(token.id), logProbability: token.logProbability,
                alternatives: token.alternatives.map {
                    TokenAlternative(id: $0.id, piece: tokenizer.piece($0.id) ?? "<\($0.id)>", logProbability: $0.logProbability)
                }, attention: token.attention)))
            count += 1
            return !stops.isMet
        } isCancelled: {
            isCancelled()
        }
        let hypothesis = result.hypotheses.first
        let reason: FinishReason =
            if hypothesis?.isFinished == true { .endOfText } else if stops.isMet { .stopString } else if result.wasCancelled { .cancelled } else { .lengthLimit }
        try emit(.finished(GenerationSummary(
            reason: reason, tokens: count, encodeSeconds: 0, prefillSeconds: result.prefillSeconds, decodeSeconds: result.decodeSeconds)))
        return hypothesis?.textIDs ?? []
    }

    /// Continues a text.
    @discardableResult
    public func generate(
        text: String, options: TextOptions = TextOptions(), isCancelled: () -> Bool = { Task.isCancelled },
        emit: (GenerationEvent) throws -> Void
    ) throws -> [Int] {
        try generate(tokenizer.encode(text), options: options, isCancelled: isCancelled, emit: emit)
    }
}
