import Compute
import AttentionTypes
import NumberFormats
import Foundation
import Media
import Models
import Tokenization
import Transformer

/// A model that reads one picture and writes what is in it, or what it says. Used from one executor.
///
/// Only the last message counts: its picture, and its text as the beginning of the caption where the model takes one.
package final class CaptionSession {
    package let model: any PictureReader
    package let tokenizer: Tokenizer
    private let processor: any ImageProcessor
    private let decoder: SourceDecoder
    private let processors: [any LogitsProcessor]
    /// The picture that the encoder has read last, and what was taken out of the model then.
    private var encoded: (path: String, changed: Date?, interventions: Interventions)?

    /// Puts a declared model on a device.
    package init(
        _ model: any PictureReader, from files: ModelFiles, on device: Device,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        self.model = model
        tokenizer = try Tokenizer(files)
        processor = try type(of: model).imageProcessor(of: files)
        processors = try CheckpointRules.processors(files)
        decoder = SourceDecoder(model)
        try model.load(from: files, on: device, progress: progress)
        model.tap?.selection = AttentionTap.Selection(model.capabilities.watchedAttention)
    }

    deinit { model.unload() }
}

extension CaptionSession: ModelSession {
    package static func serves(_ model: any Model) -> Bool {
        model.capabilities.needsSource && model.pictureReader != nil
    }

    package static func abilities(of model: any Model, from files: ModelFiles) throws -> ModelAbilities {
        let model = try captioner(model, files)
        return ModelAbilities(
            family: model.family, inputs: takesText(model) ? [.picture, .text] : [.picture], holdsConversations: false,
            shownAttention: model.capabilities.watchedAttention, attentionLayers: Array(0..<model.decoder.layerCount),
            attentionHeads: model.decoder.heads,
            contextLength: model.contextLength,
            alignmentHeads: try AlignmentHeads.named(
                in: files, layers: Array(0..<model.decoder.layerCount), heads: model.decoder.heads))
    }

    package static func make(
        _ model: any Model, from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void
    ) throws -> CaptionSession {
        try CaptionSession(captioner(model, files), from: files, on: device, progress: progress)
    }

    /// Whether a caption's beginning can be given.
    private static func takesText(_ model: any PictureReader) -> Bool { model.startTokens(prompt: []) != nil }

    private static func captioner(_ model: any Model, _ files: ModelFiles) throws -> any PictureReader {
        guard model.capabilities.needsSource, let model = model.pictureReader else {
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
        let (path, start) = try input(request)
        let picture = try LoadedPicture(path: path, processor: processor)
        let keys = model.pictureKeys([picture.processed.layout], in: start)
        try emit(.inputPrepared(.picture(picture.input(index: 0, model: model, keys: keys[0]))))

        let clock = ContinuousClock()
        let began = clock.now
        model.tap?.interventions = request.interventions
        let changed = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        let isRead =
            encoded.map { $0.path == path && $0.changed == changed && $0.interventions == request.interventions }
            ?? false
        if !isRead {
            encoded = nil
            try model.readPictures([picture.processed], keeping: 0)
            encoded = (path, changed, request.interventions)
        }
        let seconds = (clock.now - began).inSeconds
        try emit(.encoded(seconds: seconds))

        let prefix = request.text.answerPrefix.count
        let room = model.contextLength - start.count + 1
        guard prefix < room else {
            throw GenerationError.promptTooLong(tokens: start.count + prefix, maximum: model.contextLength)
        }
        var search = AnswerSearch(decoder: decoder, tokenizer: tokenizer, endTokens: model.endTokens)
        search.processors = processors
        search.encodeSeconds = seconds
        try search.run(
            prompt: start, options: request.text, room: room, prefilled: { start.count + prefix },
            isCancelled: isCancelled, emit: emit)
    }

    /// The picture's path and what decoding starts with.
    private func input(_ request: GenerationRequest) throws -> (path: String, start: [Int]) {
        func unsuitable(_ problem: String) -> GenerationError {
            let takes = Self.takesText(model) ? "one picture, and the beginning of its caption" : "one picture"
            return .unsuitableInput(family: model.family, problem: problem, takes: takes)
        }
        if request.sound != nil { throw unsuitable("it does not listen") }
        guard let message = request.messages.last, let path = message.pictures.first else {
            throw unsuitable("there is no picture")
        }
        guard message.pictures.count == 1 else { throw unsuitable("there are \(message.pictures.count) pictures") }
        if message.text.isEmpty { return (path, model.startTokens) }
        guard let start = model.startTokens(prompt: tokenizer.encode(message.text)) else {
            throw unsuitable("it reads no text")
        }
        return (path, start)
    }
}
