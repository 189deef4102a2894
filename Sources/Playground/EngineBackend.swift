import Checkpoint
import Compute
import Foundation
import Generation
import Media
import Models
import Planning

/// The playground on the real engine: models from the store, sound from files, answers from the device.
package final class EngineBackend: PlaygroundBackend {
    private let engine: Engine
    private let store: ModelStore
    private let loadOptions: LoadOptions
    private let locate: @Sendable (String) throws -> String

    /// - Parameters:
    ///   - loadOptions: what is asked of the memory of every model that is loaded.
    ///   - locate: where the description of a model to plan lies; nil knows those that are installed, folders and files.
    package init(
        engine: Engine, store: ModelStore = .standard(), loadOptions: LoadOptions = LoadOptions(),
        locate: (@Sendable (String) throws -> String)? = nil
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
            ModelChoice(name: $0.name, description: $0.summary, installed: true, bytes: $0.byteCount, sample: $0.sample)
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
        return bundled + known + others
    }

    package func pull(_ name: String) -> AsyncThrowingStream<TransferProgress, any Error> {
        Self.stream(of: store.pull(name)) {
            TransferProgress(file: $0.file, bytesDone: $0.receivedBytes, bytesTotal: $0.totalBytes)
        }
    }

    package func load(_ name: String) -> AsyncThrowingStream<LoadProgress, any Error> {
        do {
            let path = try store.resolve(name)
            return Self.stream(of: engine.load(path: path, options: loadOptions)) { done, total in
                LoadProgress(stage: "loading weights", fraction: total > 0 ? Double(done) / Double(total) : 1)
            }
        } catch {
            return AsyncThrowingStream { $0.finish(throwing: error) }
        }
    }

    package func unload() async { await engine.unload() }

    package func answer(_ request: AnswerRequest) -> AsyncThrowingStream<GenerationEvent, any Error> {
        let engine = engine
        return AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    // Decoding a long file takes a while; it happens here, not on the engine's thread.
                    let asked = try Self.generationRequest(request, engine.abilities())
                    for try await event in engine.answer(asked) { continuation.yield(event) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// Alternatives that are asked for with each token.
    private static let alternatives = 6

    private static func generationRequest(_ request: AnswerRequest, _ abilities: ModelAbilities?) throws
        -> GenerationRequest
    {
        let isHeard = request.audioPath != nil || request.spoken != nil
        // A model that only listens is told so before anything runs.
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
        AsyncThrowingStream { continuation in
            // Opening a device may take a moment, and reading it goes on in the background.
            let task = Task {
                do {
                    let microphone = try Microphone()
                    defer { microphone.stop() }
                    for try await chunk in microphone.samples {
                        continuation.yield(SpokenSound(samples: chunk, sampleRate: microphone.sampleRate))
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    package func memory() async -> MemoryReport { engine.memory() }

    package func abilities() async -> ModelAbilities? { engine.abilities() }

    package func plan(_ question: PlanQuestion) async throws -> PlanFigures {
        let device = engine.device.properties, options = loadOptions, locate = locate
        // Reading a model's description takes a moment; nothing of it is loaded.
        return try await Task.detached {
            try Planner(path: try locate(question.model), options: options, hasUnifiedMemory: device.hasUnifiedMemory)
                .figures(question, memory: device.deviceHeapBytes)
        }.value
    }

    /// A stream with each element turned into another; ending it ends the source.
    private static func stream<Source, Element: Sendable>(
        of source: AsyncThrowingStream<Source, any Error>, _ transform: @escaping @Sendable (Source) -> Element
    ) -> AsyncThrowingStream<Element, any Error> where Source: Sendable {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    for try await element in source { continuation.yield(transform(element)) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}

/// What the engine cannot answer.
package enum BackendError: Error, Sendable, CustomStringConvertible {
    /// A speech model was sent words.
    case needsSound
    /// A session that is played has none.
    case noModel

    package var description: String {
        switch self {
        case .noModel: "there is no model in a session that is played"
        case .needsSound: "this model listens: attach a sound file with /audio PATH, or speak with /mic"
        }
    }
}
