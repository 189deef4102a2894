import Checkpoint
import Compute
import Foundation
import Models
import Tokenization
import Transformer

/// A text model on a device with its tokenizer and caches. Used from one executor.
package final class TextSession {
    package let model: any Model
    package let files: ModelFiles
    package let tokenizer: Tokenizer
    package let decoder: ModelDecoder
    /// End-of-sequence tokens that the checkpoint declares.
    package let endTokens: Set<Int>

    /// Puts a declared text model on a device.
    package init(
        _ model: any Model, from files: ModelFiles, on device: Device,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        self.files = files
        self.model = model
        // Small things first: a folder without a tokenizer should not cost the time to load its weights.
        tokenizer = try Tokenizer(files)
        endTokens = try EndTokens.read(files, tokenizer)
        decoder = ModelDecoder(model)
        try model.load(from: files, on: device, progress: progress)
    }

    deinit { model.unload() }

    /// Continues a sequence of tokens. The prefix it shares with the last one, answer included, is not run again.
    ///
    /// - Parameters:
    ///   - encodeSeconds: time that encoding pictures took, for the summary.
    ///   - endTokens: tokens that end the answer; the checkpoint's own by default.
    ///   - emit: takes every event in order; what it throws ends the run.
    /// - Returns: the answer's tokens, without a closing end token.
    /// - Throws: `GenerationError.promptTooLong` when the prompt leaves no room for an answer.
    @discardableResult
    package func generate(
        _ prompt: [Int], options: TextOptions = TextOptions(), endTokens: Set<Int>? = nil, encodeSeconds: Double = 0,
        isCancelled: () -> Bool = { Task.isCancelled },
        emit: @escaping (GenerationEvent) throws -> Void
    ) throws -> [Int] {
        let start = prompt.count + options.answerPrefix.count
        guard !prompt.isEmpty, start < decoder.contextLength else {
            throw GenerationError.promptTooLong(tokens: start, maximum: decoder.contextLength - 1)
        }
        var search = AnswerSearch(decoder: decoder, tokenizer: tokenizer, endTokens: endTokens ?? self.endTokens)
        search.encodeSeconds = encodeSeconds
        return try search.run(
            prompt: prompt, options: options, room: decoder.contextLength - prompt.count + 1,
            prefilled: { decoder.prefilledTokens },
            isCancelled: isCancelled, emit: emit)
    }

    /// Continues a text.
    @discardableResult
    package func generate(
        text: String, options: TextOptions = TextOptions(), isCancelled: () -> Bool = { Task.isCancelled },
        emit: @escaping (GenerationEvent) throws -> Void
    ) throws -> [Int] {
        try generate(tokenizer.encode(text), options: options, isCancelled: isCancelled, emit: emit)
    }
}
