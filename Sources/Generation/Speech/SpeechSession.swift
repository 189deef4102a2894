import AttentionAnalysis
import Checkpoint
import Compute
import Foundation
import Media
import Models
import Tokenization
import Transformer

/// A speech model on a device with all that turns a recording into text. Used from one executor.
package final class SpeechSession {
    package let model: Whisper
    package let files: ModelFiles
    package let tokenizer: SpeechTokens
    package let decoder: WhisperDecoder
    private let logMel: LogMelSpectrogram

    /// Loads a speech model.
    /// - Parameter progress: bytes done and bytes in all.
    /// - Throws: `CheckpointError`, `ModelError`, `TransformerError`, `TokenizationError`, `ComputeError`;
    ///   `GenerationError.notASpeechModel` for another kind of model.
    package convenience init(path: String, on device: Device, progress: (Int, Int) -> Void = { _, _ in }) throws {
        let files = try ModelFiles(path: path)
        guard let whisper = try ModelRegistry.make(from: files) as? Whisper else {
            throw GenerationError.notASpeechModel(path: path, type: try ModelRegistry.modelType(of: files))
        }
        try self.init(whisper, from: files, on: device, progress: progress)
        files.checkpoint.release()
    }

    /// Puts a declared speech model on a device.
    package init(
        _ whisper: Whisper, from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        self.files = files
        model = whisper
        // Small things first: a folder without a tokenizer should not cost the time to load its weights.
        tokenizer = try SpeechTokens(Tokenizer(files))
        var parameters = LogMelSpectrogram.Parameters()
        parameters.melCount = whisper.configuration.mels
        logMel = try LogMelSpectrogram(parameters)
        decoder = WhisperDecoder(whisper)
        try whisper.load(from: files, on: device, progress: progress)
        whisper.tap?.selection = .cross
    }

    deinit { model.unload() }

    /// Computes the log-mel spectrogram of a whole recording, with the 30 s of silence behind it that the published
    /// `transcribe` puts there.
    package func spectrogram(of recording: Recording) throws -> MelRecording {
        let features = logMel.whole(recording.samples + [Float](repeating: 0, count: logMel.windowSampleCount))
        return try MelRecording(
            mels: features.melCount, frames: features.frameCount, values: features.values, duration: recording.duration)
    }

    /// Writes down a recording.
    /// - Parameter emit: takes every event in order; what it throws ends the run.
    @discardableResult
    package func transcribe(
        _ recording: Recording, options: TranscriptionOptions = TranscriptionOptions(),
        isCancelled: @escaping () -> Bool = { Task.isCancelled }, emit: @escaping (GenerationEvent) throws -> Void
    ) throws -> Transcript {
        let transcriber = try Transcriber(model: decoder, tokenizer: tokenizer, options: options)
        return try transcriber.run(spectrogram(of: recording), isCancelled: isCancelled, emit: emit)
    }
}

extension SpeechSession: ModelSession {
    package static func serves(_ model: any Model) -> Bool { model is Whisper }

    package static func abilities(of model: any Model, from files: ModelFiles) throws -> ModelAbilities {
        let configuration = try whisper(model, files).configuration
        return ModelAbilities(
            family: "Whisper", inputs: [.sound], holdsConversations: false, shownAttention: .cross,
            attentionLayers: Array(0..<configuration.decoderLayers), attentionHeads: configuration.decoderHeads,
            contextLength: configuration.textPositions,
            alignmentHeads: configuration.alignmentHeads.map { LayerHead(layer: $0.layer, head: $0.head) })
    }

    package static func make(
        _ model: any Model, from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void
    ) throws -> SpeechSession {
        try SpeechSession(whisper(model, files), from: files, on: device, progress: progress)
    }

    private static func whisper(_ model: any Model, _ files: ModelFiles) throws -> Whisper {
        guard let whisper = model as? Whisper else {
            throw GenerationError.notASpeechModel(path: files.path, type: try ModelRegistry.modelType(of: files))
        }
        return whisper
    }

    package var bytesPerToken: Int { model.bytesPerToken }
    package var tokensLeft: Int? { model.positionsLeft }

    /// Writes down the request's recording.
    package func answer(
        _ request: GenerationRequest, isCancelled: @escaping () -> Bool,
        emit: @escaping (GenerationEvent) throws -> Void
    ) throws {
        guard let sound = request.sound else {
            throw GenerationError.unsuitableInput(family: "Whisper", problem: "there is no recording", takes: "sound")
        }
        if request.messages.contains(where: { !$0.pictures.isEmpty }) {
            throw GenerationError.unsuitableInput(family: "Whisper", problem: "it sees no pictures", takes: "sound")
        }
        var options = request.speech
        if !request.text.answerPrefix.isEmpty {
            guard sound.duration <= 30 else {
                throw GenerationError.invalidOption(
                    name: "answer prefix", value: "\(request.text.answerPrefix.count) tokens",
                    allowed: "none for recordings of more than 30 s: nothing tells which window a token belongs to")
            }
            options.answerPrefix = request.text.answerPrefix
        }
        model.tap?.interventions = request.interventions
        try transcribe(sound, options: options, isCancelled: isCancelled, emit: emit)
    }
}
