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
    private let projectors: [String: String]

    /// - Parameters:
    ///   - loadOptions: options for loading models.
    ///   - locate: finds the configuration of a model to plan; nil finds installed models, folders and files.
    ///   - projectors: vision towers ("mmproj" files) by the names of their models, instead of those in the models' stores.
    package init(
        engine: Engine, store: ModelStore = .standard(), loadOptions: LoadOptions = LoadOptions(),
        locate: (@Sendable (String) throws -> ModelLocation)? = nil, projectors: [String: String] = [:]
    ) {
        self.projectors = projectors
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
                sample: $0.sample)
        }
        let known = Catalogue.all.map { entry in
            let copy = installed.first { $0.name == entry.name }
            return ModelChoice(
                name: entry.name, description: entry.summary, installed: copy != nil,
                bytes: copy?.byteCount ?? entry.downloadByteCount)
        }
        let published = HubEntry.all.map { entry in
            let copy = installed.first { $0.name == entry.repository }
            return ModelChoice(
                name: entry.name, description: entry.summary, installed: copy != nil,
                bytes: copy?.byteCount ?? entry.byteCount,
                readsPhotographs: entry.readsPhotographs && entry.configuration != nil)
        }
        let listed = Set(known.map(\.name) + HubEntry.all.map(\.repository))
        let others = installed.filter { !listed.contains($0.name) }.map {
            ModelChoice(
                name: $0.name, description: $0.manifest?.source ?? $0.path, installed: true, bytes: $0.byteCount)
        }
        let own = bundled + known + published + others
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

    package func pull(_ name: String) -> AsyncThrowingStream<PullProgress, any Error> { store.pull(name) }

    package func load(_ name: String) -> AsyncThrowingStream<LoadProgress, any Error> {
        let engine = engine, store = store, options = loadOptions, projectors = projectors
        return .running { yield in
            let location = try store.resolve(name)
            let loading = engine.load(
                path: location.path, projector: projectors[name] ?? location.projector, options: options)
            for try await (done, total) in loading {
                yield(LoadProgress(stage: "loading weights", fraction: total > 0 ? Double(done) / Double(total) : 1))
            }
        }
    }

    package func unload() async { await engine.unload() }

    package func answer(_ request: GenerationRequest) -> AsyncThrowingStream<GenerationEvent, any Error> {
        let engine = engine
        return .running { yield in
            // A speech model without sound is reported before anything runs.
            if request.sound == nil, engine.abilities()?.inputs == [.sound] { throw BackendError.needsSound }
            var request = request
            // Decoding a long file takes a while, so it happens here and not on the engine's thread.
            request.sound = try request.sound.map { .recording(try $0.recording()) }
            request.speech.words = true
            request.text.alternatives = 6
            for try await event in engine.answer(request) { yield(event) }
        }
    }

    package func listen() -> AsyncThrowingStream<Recording, any Error> {
        .running { yield in
            let microphone = try Microphone()
            defer { microphone.stop() }
            for try await chunk in microphone.samples {
                yield(Recording(samples: chunk, sampleRate: microphone.sampleRate))
            }
        }
    }

    package func memory() async -> MemoryReport { engine.memory() }

    package func abilities() async -> ModelAbilities? { engine.abilities() }

    package func plan(_ request: PlanRequest) async throws -> MemoryPlan {
        let target = PlanTarget(engine.device.properties), options = loadOptions, locate = locate
        let projectors = projectors
        // Reading a configuration takes a moment; no weights are loaded.
        return try await Task.detached {
            let location = try locate(request.model)
            var files =
                try (projectors[request.model] ?? location.projector).map {
                    try ModelFiles(path: location.path, projector: $0)
                }
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
