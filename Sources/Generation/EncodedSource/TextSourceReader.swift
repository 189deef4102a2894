import AttentionAnalysis
import AttentionTypes
import Models
import Tokenization
import Transformer

/// Reads a text with the encoder.
final class TextSourceReader: SourceReader {
    private let model: any TextSource
    private let tokenizer: Tokenizer
    /// True where the checkpoint says which token is the first.
    private let forcesStart: Bool
    /// The last source.
    private var encoded: (tokens: [Int], interventions: Interventions, rollout: [Float])?

    /// Longest source, in tokens, for which attention rollout is computed; its cost is O(n³).
    private static let longestRollout = 160

    init(_ model: any TextSource, tokenizer: Tokenizer, forcesStart: Bool) {
        self.model = model
        self.tokenizer = tokenizer
        self.forcesStart = forcesStart
    }

    func read(_ request: GenerationRequest, emit: (GenerationEvent) throws -> Void) throws -> ReadSource {
        let text = tokenizer.encode(try request.lastText(family: model.family))
        let prompt =
            try type(of: model).hasLanguageTokens
            ? TranslationPrompt(
                source: text, start: model.startTokens, from: request.text.sourceLanguage,
                to: request.text.targetLanguage, tokenizer: tokenizer, hasOwnTarget: forcesStart) : nil
        let source = prompt?.source ?? text
        let clock = ContinuousClock()
        let began = clock.now
        if encoded?.tokens != source || encoded?.interventions != request.interventions {
            encoded = nil
            encoded = (source, request.interventions, try encode(source))
        }
        let rollout = encoded?.rollout ?? []
        try emit(.inputPrepared(.source(SourceText(source, tokenizer: tokenizer, rollout: rollout))))
        let seconds = (clock.now - began).inSeconds
        try emit(.encoded(seconds: seconds))
        return ReadSource(
            start: prompt?.start ?? model.startTokens, seconds: seconds,
            replacesForcedStart: prompt?.choosesTarget ?? false)
    }

    /// - Returns: attention rollout through the encoder, `[tokens, tokens]`; empty for a long text.
    private func encode(_ source: [Int]) throws -> [Float] {
        guard let tap = model.tap, source.count <= Self.longestRollout else {
            try model.encode(tokens: source, mask: nil)
            return []
        }
        let before = (tap.selection, tap.queryRows)
        defer {
            (tap.selection, tap.queryRows) = before
            tap.releaseRows()
        }
        tap.selection = before.0.union(AttentionTap.Selection(.encoder))
        tap.queryRows = .all
        try model.encode(tokens: source, mask: nil)
        return try AttentionRollout.rollOut(
            tap.takeRows().filter { $0.kind == .encoder }.sorted { $0.layer < $1.layer })
    }
}

extension GenerationRequest {
    /// The text of the last message, for a model that reads text alone.
    /// - Throws: ``GenerationError/unsuitableInput(family:problem:takes:)`` where there is none, or something else with it.
    fileprivate func lastText(family: String) throws -> String {
        func unsuitable(_ problem: String) -> GenerationError {
            .unsuitableInput(family: family, problem: problem, takes: "text")
        }
        if sound != nil { throw unsuitable("it does not take sound") }
        // Earlier messages, which another model may have answered, are not read.
        if messages.last?.pictures.isEmpty == false { throw unsuitable("it does not take pictures") }
        guard let text = messages.last?.text, !text.isEmpty else { throw unsuitable("there is no text") }
        return text
    }
}
