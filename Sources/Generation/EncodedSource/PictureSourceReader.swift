import AttentionTypes
import Foundation
import Media
import Models
import Tokenization

/// Reads one picture with the encoder, and with it a prompt where the encoder takes one.
final class PictureSourceReader: SourceReader {
    private let model: any PictureReader
    private let tokenizer: Tokenizer
    private let processor: any ImageProcessor
    /// The last picture, and the ablation it was encoded with.
    private var encoded: (path: String, changed: Date?, prompt: [Int], interventions: Interventions)?

    init(_ model: any PictureReader, tokenizer: Tokenizer, processor: any ImageProcessor) {
        self.model = model
        self.tokenizer = tokenizer
        self.processor = processor
    }

    func read(_ request: GenerationRequest, emit: (GenerationEvent) throws -> Void) throws -> ReadSource {
        let (path, start, prompt) = try input(request)
        let picture = try LoadedPicture(path: path, processor: processor)
        let keys = model.pictureKeys([picture.processed.layout], in: start)
        try emit(.inputPrepared(.picture(picture.input(index: 0, model: model, keys: keys[0]))))
        if let prompted = model.promptedPictureReader {
            try emit(
                .inputPrepared(
                    .source(SourceText(pictureRows: prompted.pictureRows, prompt: prompt, tokenizer: tokenizer))))
        }
        let clock = ContinuousClock()
        let began = clock.now
        let changed = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        let interventions = request.interventions
        let isRead =
            encoded.map {
                $0.path == path && $0.changed == changed && $0.prompt == prompt && $0.interventions == interventions
            } ?? false
        if !isRead {
            encoded = nil
            try model.encode(
                model.promptedPictureReader == nil
                    ? .pictures([picture.processed]) : .prompted(picture.processed, tokens: prompt))
            encoded = (path, changed, prompt, interventions)
        }
        let seconds = (clock.now - began).inSeconds
        try emit(.encoded(seconds: seconds))
        return ReadSource(start: start, seconds: seconds)
    }

    /// The picture's path, the decoder's first tokens, and the tokens that the encoder reads with the picture.
    private func input(_ request: GenerationRequest) throws -> (path: String, start: [Int], prompt: [Int]) {
        func unsuitable(_ problem: String) -> GenerationError {
            let takes =
                model.promptedPictureReader != nil
                ? "one picture, and a task such as <OD> or a question"
                : model.startTokens(prompt: []) != nil
                    ? "one picture, and the beginning of its caption" : "one picture"
            return .unsuitableInput(family: model.family, problem: problem, takes: takes)
        }
        if request.sound != nil { throw unsuitable("it does not take sound") }
        guard let message = request.messages.last, let path = message.pictures.first else {
            throw unsuitable("there is no picture")
        }
        guard message.pictures.count == 1 else { throw unsuitable("there are \(message.pictures.count) pictures") }
        if let prompted = model.promptedPictureReader {
            return (path, model.startTokens, tokenizer.encode(try prompted.promptText(for: message.text)))
        }
        if message.text.isEmpty { return (path, model.startTokens, []) }
        guard let start = model.startTokens(prompt: tokenizer.encode(message.text)) else {
            throw unsuitable("it does not take text")
        }
        return (path, start, [])
    }
}

extension SourceText {
    /// Keys of cross-attention to a picture and, behind it, a prompt.
    fileprivate init(pictureRows: Int, prompt: [Int], tokenizer: Tokenizer) {
        let place = Token(id: -1, text: "", piece: "<image>", isSpecial: true)
        self.init(
            tokens: Array(repeating: place, count: pictureRows) + SourceText(prompt, tokenizer: tokenizer).tokens)
    }
}
