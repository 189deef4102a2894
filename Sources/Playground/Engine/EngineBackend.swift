import ModelStore
import Checkpoint
import Generation
import Media
import Models
import Planning
import PlaygroundCore
import Support

/// The playground's backend on the engine: models from the store, sound from files, answers from the device.
package final class EngineBackend: PlaygroundBackend {
    private let engine: Engine
    private let store: ModelStore
    private let loadOptions: LoadOptions
    private let locate: @Sendable (String) throws -> ModelLocation

    /// - Parameters:
    /// - loadOptions: options for loading models.
    /// - locate: finds the configuration of a model to plan; nil finds installed models, folders and files.
    package init(
        engine: Engine, store: ModelStore = .standard(), loadOptions: LoadOptions = LoadOptions(),
        locate: (@Sendable (String) throws -> ModelLocation)? = nil
    ) {
        self.locate = locate ?? { try store.resolve($0) }
        self.engine = engine
        self.store = store
        self.loadOptions = loadOptions
    }

    package var deviceName: String { engine.device.properties.name }

    package func models() async -> [ModelChoice] {
        let installed = store.installed()
        let bundled = store.bundled.map {
            ModelChoice(
                name: $0.name, description: $0.summary, installed: true, bytes: $0.byteCount,
                sample: $0.sample.map { ModelChoice.Sample(picture: $0.picture, questions: $0.questions) })
        }
        let known = Catalogue.all.map { entry in
            let copy = installed.first { $0.name == entry.name }
            return ModelChoice(
                name: entry.name, description: entry.summary, installed: copy != nil,
                bytes: copy?.byteCount ?? entry.downloadByteCount)
        }
        let others = installed.filter { model in !known.contains { $0.name == model.name } }.map {
            ModelChoice(
                name: $0.name, description: $0.manifest?.source ?? $0.path, installed: true, bytes: $0.byteCount)
        }
        let own = bundled + known + others
        let found = store.found().filter { $0.problem == nil }
        let names = (own.map(\.name) + found.map(\.name)).reduce(into: [:]) { $0[$1, default: 0] += 1 }
        return own
            + found.map { model in
                ModelChoice(
                    name: names[model.name] == 1 ? model.name : model.qualifiedName,
                    description: "\(model.origin.rawValue): \(model.location.path)", installed: true,
                    bytes: model.byteCount)
            }
    }

    package func pull(_ name: String) -> AsyncThrowingStream<TransferProgress, any Error> {
        let transfer = store.pull(name)
        return .running { yield in
            for try await report in transfer {
                yield(
                    TransferProgress(file: report.file, bytesDone: report.receivedBytes, bytesTotal: report.totalBytes))
            }
        }
    }

    package func load(_ name: String) -> AsyncThrowingStream<LoadProgress, any Error> {
        let engine = engine, store = store, options = loadOptions
        return .running { yield in
            let location = try store.resolve(name)
            let loading = engine.load(path: location.path, projector: location.projector, options: options)
            for try await (done, total) in loading {
                yield(LoadProgress(stage: "loading weights", fraction: total > 0 ? Double(done) / Double(total) : 1))
            }
        }
    }

    package func unload() async { await engine.unload() }

    package func answer(_ request: AnswerRequest) -> AsyncThrowingStream<GenerationEvent, any Error> {
        let engine = engine
        return .running { yield in
            // Decoding a long file takes a while, so it happens here and not on the engine's thread.
            let asked = try Self.generationRequest(request, engine.abilities())
            for try await event in engine.answer(asked) { yield(event) }
        }
    }

    /// Number of alternatives requested for each token.
    private static let alternatives = 6

    private static func generationRequest(_ request: AnswerRequest, _ abilities: ModelAbilities?) throws
        -> GenerationRequest
    {
        let isHeard = request.audioPath != nil || request.spoken != nil
        // A speech model without sound is reported before anything runs.
        if !isHeard, let inputs = abilities?.inputs, inputs == [.sound] { throw BackendError.needsSound }
        var speech = TranscriptionOptions()
        speech.language = request.language
        speech.task = request.task
        speech.words = true
        var text = TextOptions()
        text.sampling = request.text.sampling
        text.maximumTokens = request.text.maximumTokens
        text.alternatives = alternatives
        text.answerPrefix = request.prefix
        return GenerationRequest(
            messages: request.messages, sound: isHeard ? try recording(of: request) : nil, speech: speech, text: text,
            interventions: request.interventions)
    }

    private static func recording(of request: AnswerRequest) throws -> Recording {
        if let spoken = request.spoken { return Recording(samples: spoken.samples, sampleRate: spoken.sampleRate) }
        guard let path = request.audioPath else { throw BackendError.needsSound }
        return try AudioFile.load(path: path, acceptTruncated: true)
    }

    package func listen() -> AsyncThrowingStream<SpokenSound, any Error> {
        .running { yield in
            let microphone = try Microphone()
            defer { microphone.stop() }
            for try await chunk in microphone.samples {
                yield(SpokenSound(samples: chunk, sampleRate: microphone.sampleRate))
            }
        }
    }

    package func memory() async -> MemoryReport { engine.memory() }

    package func abilities() async -> ModelAbilities? { engine.abilities() }

    package func plan(_ request: PlanRequest) async throws -> MemoryPlan {
        let target = PlanTarget(engine.device.properties), options = loadOptions, locate = locate
        // Reading a configuration takes a moment; no weights are loaded.
        return try await Task.detached {
            let location = try locate(request.model)
            var files =
                try location.projector.map { try ModelFiles(path: location.path, projector: $0) }
                ?? ModelFiles(planning: location.path)
            files.options = options
            return try Planner(files, on: target).plan(request, alternatives: true)
        }.value
    }
}

/// Errors of the playground's backends.
package enum BackendError: Error, Sendable, CustomStringConvertible {
    /// A speech model was sent text.
    case needsSound
    /// A replay has no model.
    case noModel

    package var description: String {
        switch self {
        case .noModel: "a replay has no model"
        case .needsSound: "this is a speech model: attach a sound file with /audio PATH, or speak with /mic"
        }
    }
}
