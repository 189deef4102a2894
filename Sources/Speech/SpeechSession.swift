import AttentionTypes
import Checkpoint
import Compute
import Foundation
import Generation
import Media
import Models
import Tokenization
import Transformer

/// A speech model on a device, with its tokenizer and spectrogram. Used from one executor.
package final class SpeechSession: TranscribingSession {
    package let model: any SoundReader
    package let tokenizer: SpeechTokens
    package let decoder: WhisperDecoder
    private let logMel: LogMelSpectrogram

    package static func serves(_ model: any Model) -> Bool { model.soundReader != nil }

    /// Loads a speech model.
    /// - Parameter progress: bytes done and bytes in all.
    /// - Throws: `CheckpointError`, `ModelError`, `TransformerError`, `TokenizationError`, `ComputeError`;
    ///   `GenerationError.notASpeechModel` for another kind of model.
    package convenience init(
        path: String, options: LoadOptions = LoadOptions(), on device: Device,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        var files = try ModelFiles(path: path)
        files.options = options
        try self.init(ModelRegistry.make(from: files), from: files, on: device, progress: progress)
        files.release()
    }

    package init(
        _ model: any Model, from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void
    ) throws {
        guard let reader = model.soundReader else {
            throw GenerationError.notASpeechModel(path: files.path, type: try ModelRegistry.modelType(of: files))
        }
        self.model = reader
        // Small things first: a folder without a tokenizer should not cost the time to load its weights.
        tokenizer = try SpeechTokens(Tokenizer(files))
        logMel = try LogMelSpectrogram(reader, from: files)
        decoder = WhisperDecoder(reader)
        try reader.load(from: files, on: device, progress: progress)
        reader.tap?.selection = .cross
    }

    deinit { model.unload() }

    /// Computes the log-mel spectrogram of a whole recording, followed by 30 s of silence as in the published `transcribe`.
    package func spectrogram(of recording: Recording) throws -> MelRecording {
        let features = logMel.whole(recording.samples + [Float](repeating: 0, count: logMel.windowSampleCount))
        return try MelRecording(
            mels: features.melCount, frames: features.frameCount, values: features.values, duration: recording.duration)
    }

    /// Transcribes a recording.
    /// - Parameter emit: takes every event in order; what it throws ends the run.
    @discardableResult
    package func transcribe(
        _ recording: Recording, options: TranscriptionOptions = TranscriptionOptions(),
        isCancelled: @escaping () -> Bool = { Task.isCancelled }, emit: @escaping (GenerationEvent) throws -> Void
    ) throws -> Transcript {
        let transcriber = try Transcriber(model: decoder, tokenizer: tokenizer, options: options)
        return try transcriber.run(spectrogram(of: recording), isCancelled: isCancelled, emit: emit)
    }

    package var bytesPerToken: Int { model.bytesPerToken }
    package var tokensLeft: Int? { model.positionsLeft }

    /// Transcribes the request's recording.
    package func answer(
        _ request: GenerationRequest, isCancelled: @escaping () -> Bool,
        emit: @escaping (GenerationEvent) throws -> Void
    ) throws {
        let sound = try request.requiredSound(family: model.family)
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

extension GenerationRequest {
    /// The recording, for a model that takes nothing else.
    /// - Throws: `MediaError`; ``GenerationError/unsuitableInput(family:problem:takes:)`` where there is none, or something
    ///   else with it.
    func requiredSound(family: String) throws -> Recording {
        guard let sound = try sound?.recording() else {
            throw GenerationError.unsuitableInput(family: family, problem: "there is no recording", takes: "sound")
        }
        if messages.contains(where: { !$0.pictures.isEmpty }) {
            throw GenerationError.unsuitableInput(
                family: family, problem: "it does not take pictures", takes: "sound")
        }
        return sound
    }
}

/// Opens models that transcribe.
package enum TranscribingSessions {
    /// Loads a speech model of any kind.
    /// - Parameter progress: bytes done and bytes in all.
    /// - Throws: `CheckpointError`, `ModelError`, `TransformerError`, `TokenizationError`, `ComputeError`;
    ///   `GenerationError.notASpeechModel` for another kind of model.
    package static func load(
        path: String, options: LoadOptions, on device: Device, progress: (Int, Int) -> Void
    ) throws -> any TranscribingSession {
        var files = try ModelFiles(path: path)
        files.options = options
        let model = try ModelRegistry.make(from: files)
        defer { files.release() }
        return model.waveformReader == nil
            ? try SpeechSession(model, from: files, on: device, progress: progress)
            : try WaveformSession(model, from: files, on: device, progress: progress)
    }
}

extension SessionRegistry {
    /// Sessions for every kind of model.
    package static let standard = SessionRegistry([
        SpeechSession.self, WaveformSession.self, EncodedSourceSession.self, ChatSession.self,
    ])
}
