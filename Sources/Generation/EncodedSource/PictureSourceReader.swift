import AttentionTypes
import Foundation
import Media
import Models
import Tokenization

/// Reads one picture with the encoder.
final class PictureSourceReader: SourceReader {
    private let model: any PictureReader
    private let tokenizer: Tokenizer
    private let processor: any ImageProcessor
    /// The last picture, and the ablation it was encoded with.
    private var encoded: (path: String, changed: Date?, interventions: Interventions)?

    init(_ model: any PictureReader, tokenizer: Tokenizer, processor: any ImageProcessor) {
        self.model = model
        self.tokenizer = tokenizer
        self.processor = processor
    }

    func read(_ request: GenerationRequest, emit: (GenerationEvent) throws -> Void) throws -> ReadSource {
        let (path, start) = try input(request)
        let picture = try LoadedPicture(path: path, processor: processor)
        let keys = model.pictureKeys([picture.processed.layout], in: start)
        try emit(.inputPrepared(.picture(picture.input(index: 0, model: model, keys: keys[0]))))
        let clock = ContinuousClock()
        let began = clock.now
        let changed = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        let interventions = request.interventions
        let isRead =
            encoded.map { $0.path == path && $0.changed == changed && $0.interventions == interventions } ?? false
        if !isRead {
            encoded = nil
            try model.readPictures([picture.processed], keeping: 0)
            encoded = (path, changed, interventions)
        }
        let seconds = (clock.now - began).inSeconds
        try emit(.encoded(seconds: seconds))
        return ReadSource(start: start, seconds: seconds)
    }

    /// The picture's path and the decoder's first tokens.
    private func input(_ request: GenerationRequest) throws -> (path: String, start: [Int]) {
        func unsuitable(_ problem: String) -> GenerationError {
            let takesText = model.startTokens(prompt: []) != nil
            return .unsuitableInput(
                family: model.family, problem: problem,
                takes: takesText ? "one picture, and the beginning of its caption" : "one picture")
        }
        if request.sound != nil { throw unsuitable("it does not take sound") }
        guard let message = request.messages.last, let path = message.pictures.first else {
            throw unsuitable("there is no picture")
        }
        guard message.pictures.count == 1 else { throw unsuitable("there are \(message.pictures.count) pictures") }
        if message.text.isEmpty { return (path, model.startTokens) }
        guard let start = model.startTokens(prompt: tokenizer.encode(message.text)) else {
            throw unsuitable("it does not take text")
        }
        return (path, start)
    }
}
