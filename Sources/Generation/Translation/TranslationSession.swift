import AttentionAnalysis
import Checkpoint
import Compute
import AttentionTypes
import NumberFormats
import Foundation
import Models
import Tokenization
import Transformer

/// A model that reads one text and writes another, with its tokenizers. Used from one executor.
///
/// Only the last message counts: it is the text to translate, summarize or follow.
package final class TranslationSession {
    package let model: any TextSource
    /// For the text that is read.
    package let sourceTokenizer: Tokenizer
    /// For the text that is written.
    package let tokenizer: Tokenizer
    private let decoder: SourceDecoder
    private let processors: [any LogitsProcessor]
    /// What the encoder has read last.
    private var encoded: (tokens: [Int], interventions: Interventions, rollout: [Float])?

    /// Puts a declared model on a device.
    package init(
        _ model: any TextSource, from files: ModelFiles, on device: Device,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        self.model = model
        if SourceTokenizer.isPair(files) {
            let pair = try MarianTokenizer(contentsOf: URL(fileURLWithPath: files.path))
            (sourceTokenizer, tokenizer) = (pair.source, pair.target)
        } else {
            tokenizer = try Tokenizer(files)
            sourceTokenizer = tokenizer
        }
        processors = try CheckpointRules.processors(files)
        decoder = SourceDecoder(model)
        try model.load(from: files, on: device, progress: progress)
        model.tap?.selection = .cross
    }

    deinit { model.unload() }

    /// The longest text whose rollout is reckoned: its price grows with the third power.
    private static let longestRollout = 160

    /// Reads a source.
    /// - Returns: the rollout of attention through the encoder, `[tokens, tokens]`; empty for a long text.
    private func encode(_ source: [Int]) throws -> [Float] {
        guard let tap = model.tap, source.count <= Self.longestRollout else {
            try model.encode(tokens: source)
            return []
        }
        let before = (tap.selection, tap.queryRows)
        defer {
            (tap.selection, tap.queryRows) = before
            tap.releaseRows()
        }
        tap.selection = before.0.union(AttentionTap.Selection(.encoder))
        tap.queryRows = .all
        try model.encode(tokens: source)
        return try AttentionRollout.rollOut(
            tap.takeRows().filter { $0.kind == .encoder }.sorted { $0.layer < $1.layer })
    }

    /// Writes what the model makes of a source of tokens.
    /// - Parameter emit: takes every event in order; what it throws ends the run.
    /// - Returns: the answer's tokens, without start and end.
    @discardableResult
    package func generate(
        source: [Int], options: TextOptions = TextOptions(), interventions: Interventions = .none,
        isCancelled: () -> Bool = { Task.isCancelled }, emit: @escaping (GenerationEvent) throws -> Void
    ) throws -> [Int] {
        model.tap?.interventions = interventions
        let clock = ContinuousClock()
        let began = clock.now
        if encoded?.tokens != source || encoded?.interventions != interventions {
            encoded = nil
            encoded = (source, interventions, try encode(source))
        }
        try emit(
            .inputPrepared(.source(SourceText(source, tokenizer: sourceTokenizer, rollout: encoded?.rollout ?? []))))
        let seconds = (clock.now - began).inSeconds
        try emit(.encoded(seconds: seconds))
        let start = model.startTokens
        let room = model.contextLength - start.count + 1
        guard options.answerPrefix.count < room else {
            throw GenerationError.promptTooLong(
                tokens: start.count + options.answerPrefix.count, maximum: model.contextLength)
        }
        var search = AnswerSearch(decoder: decoder, tokenizer: tokenizer, endTokens: model.endTokens)
        search.processors = processors
        search.encodeSeconds = seconds
        return try search.run(
            prompt: start, options: options, room: room, prefilled: { start.count + options.answerPrefix.count },
            isCancelled: isCancelled,
            emit: emit)
    }
}

extension TranslationSession: ModelSession {
    package static func serves(_ model: any Model) -> Bool { model.textSource != nil }

    package static func abilities(of model: any Model, from files: ModelFiles) throws -> ModelAbilities {
        let model = try translator(model, files)
        return ModelAbilities(
            family: model.family, inputs: [.text], holdsConversations: false, shownAttention: .cross,
            attentionLayers: Array(0..<model.decoder.layerCount), attentionHeads: model.decoder.heads,
            contextLength: model.contextLength,
            alignmentHeads: try AlignmentHeads.named(
                in: files, layers: Array(0..<model.decoder.layerCount), heads: model.decoder.heads))
    }

    package static func make(
        _ model: any Model, from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void
    ) throws -> TranslationSession {
        try TranslationSession(translator(model, files), from: files, on: device, progress: progress)
    }

    private static func translator(_ model: any Model, _ files: ModelFiles) throws -> any TextSource {
        guard let model = model.textSource else {
            throw GenerationError.noSession(path: files.path, type: try ModelRegistry.modelType(of: files))
        }
        return model
    }

    package var bytesPerToken: Int { model.bytesPerToken }
    package var tokensLeft: Int? { model.positionsLeft }

    package func answer(
        _ request: GenerationRequest, isCancelled: @escaping () -> Bool,
        emit: @escaping (GenerationEvent) throws -> Void
    ) throws {
        let text = try request.lastText(family: model.family)
        try generate(
            source: sourceTokenizer.encode(text), options: request.text, interventions: request.interventions,
            isCancelled: isCancelled, emit: emit)
    }
}

extension SourceText {
    /// Tokens with the text each stands for; a character of several tokens comes with the last of them.
    init(_ ids: [Int], tokenizer: Tokenizer, rollout: [Float] = []) {
        var characters = CharacterAssembler()
        self.init(
            tokens: ids.map { id in
                let isSpecial = tokenizer.isSpecial(id)
                return Token(
                    id: id, text: isSpecial ? "" : characters.add(tokenizer.bytes(of: id) ?? []),
                    piece: tokenizer.piece(id) ?? "<\(id)>",
                    isSpecial: isSpecial)
            }, rollout: rollout)
    }
}

extension GenerationRequest {
    /// The text of the last message, for a model that reads text and nothing else.
    /// - Throws: `GenerationError.unsuitableInput` where there is none, or something else with it.
    func lastText(family: String) throws -> String {
        func unsuitable(_ problem: String) -> GenerationError {
            .unsuitableInput(family: family, problem: problem, takes: "text")
        }
        if sound != nil { throw unsuitable("it does not listen") }
        // Earlier messages, which another model may have answered, are not read.
        if messages.last?.pictures.isEmpty == false { throw unsuitable("it sees no pictures") }
        guard let text = messages.last?.text, !text.isEmpty else { throw unsuitable("there is no text") }
        return text
    }
}
