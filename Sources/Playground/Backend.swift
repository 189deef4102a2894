import Checkpoint
import AttentionTypes
import Foundation
import Generation
import Planning

/// What the screen needs of the engine. The app knows nothing else of it, so that a script can stand in for a model.
package protocol PlaygroundBackend: Sendable {
    /// The device that computes, as people call it.
    var deviceName: String { get async }
    func models() async -> [ModelChoice]
    /// Downloads a model of the catalogue.
    func pull(_ name: String) -> AsyncThrowingStream<TransferProgress, any Error>
    /// Loads a model in place of the loaded one.
    func load(_ name: String) -> AsyncThrowingStream<LoadProgress, any Error>
    func unload() async
    /// Records through the microphone, chunk by chunk, until the task that reads the stream is cancelled.
    func listen() -> AsyncThrowingStream<SpokenSound, any Error>
    /// Answers with the loaded model; cancelling the task that reads the stream stops it.
    func answer(_ request: AnswerRequest) -> AsyncThrowingStream<GenerationEvent, any Error>
    func memory() async -> MemoryReport
    /// What the loaded model reads and gives; nil when none is loaded.
    func abilities() async -> ModelAbilities?
    /// What a model would take on the device: the loaded one, or any that is named.
    func plan(_ question: PlanQuestion) async throws -> PlanFigures
}

/// A model that can be chosen.
package struct ModelChoice: Sendable, Hashable {
    package var name: String
    package var description: String
    package var installed: Bool
    /// Size of its files, to download or on disk.
    package var bytes: Int
    /// Something to try it on.
    package var sample: ModelSample?

    package init(name: String, description: String, installed: Bool, bytes: Int, sample: ModelSample? = nil) {
        self.name = name
        self.description = description
        self.installed = installed
        self.bytes = bytes
        self.sample = sample
    }
}

/// How far a download is.
package struct TransferProgress: Sendable, Hashable {
    package var file: String
    package var bytesDone: Int
    /// nil when the server does not say.
    package var bytesTotal: Int?
    package var bytesPerSecond: Double?

    package init(file: String, bytesDone: Int, bytesTotal: Int?, bytesPerSecond: Double? = nil) {
        self.file = file
        self.bytesDone = bytesDone
        self.bytesTotal = bytesTotal
        self.bytesPerSecond = bytesPerSecond
    }

    var fraction: Double? { bytesTotal.flatMap { $0 > 0 ? min(1, Double(bytesDone) / Double($0)) : nil } }
}

/// How far loading is.
package struct LoadProgress: Sendable, Hashable {
    /// What is being done, e.g. "uploading decoder weights".
    package var stage: String
    /// 0…1.
    package var fraction: Double

    package init(stage: String, fraction: Double) {
        self.stage = stage
        self.fraction = fraction
    }
}

/// What a person sends to the model.
package struct AnswerRequest: Sendable, Hashable {
    /// The conversation, the new turn last; empty for a recording alone.
    package var messages: [ChatMessage]
    package var audioPath: String?
    /// What the microphone heard, instead of a file.
    package var spoken: SpokenSound?
    /// A language code such as "en"; nil lets the model find out.
    package var language: String?
    package var task: SpeechTask
    package var text: TextSettings
    /// Tokens the answer begins with, as if the model had said them.
    package var prefix: [Int]
    /// What is taken out of the model for this answer.
    package var interventions: Interventions

    package init(
        messages: [ChatMessage] = [], audioPath: String? = nil, spoken: SpokenSound? = nil, language: String? = nil,
        task: SpeechTask = .transcribe, text: TextSettings = TextSettings(), prefix: [Int] = [],
        interventions: Interventions = .none
    ) {
        self.messages = messages
        self.audioPath = audioPath
        self.spoken = spoken
        self.language = language
        self.task = task
        self.text = text
        self.prefix = prefix
        self.interventions = interventions
    }
}

/// How a text is continued.
package struct TextSettings: Sendable, Hashable {
    package var sampling = SamplingOptions()
    package var maximumTokens = 512

    package init() {}
}

/// Mono sound from a microphone.
package struct SpokenSound: Sendable, Hashable {
    /// Full scale ±1.
    package var samples: [Float]
    /// Hz.
    package var sampleRate: Int

    package init(samples: [Float] = [], sampleRate: Int) {
        self.samples = samples
        self.sampleRate = sampleRate
    }

    package var seconds: Double { sampleRate > 0 ? Double(samples.count) / Double(sampleRate) : 0 }

    /// Loudness 0…1 over the 60 dB below full scale: what a level meter shows.
    var level: Float {
        guard !samples.isEmpty else { return 0 }
        let power = samples.reduce(Float(0)) { $0 + ($1.isFinite ? $1 * $1 : 0) } / Float(samples.count)
        return power > 0 ? max(0, min(1, 1 + 10 * Float(log10(Double(power))) / 60)) : 0
    }
}
