import Compute
import Foundation
import Models
import Support
import Synchronization
import Planning

/// The engine as a user interface sees it: one device, at most one model on it, work done one piece after another on a
/// thread of its own, so that callers are never blocked by the device.
///
/// A device that is lost (a driver reset, a watchdog) is released with everything on it; the next load or question opens
/// it again, and a question loads the model again.
package actor Engine {
    /// The open device: another one after a loss.
    package nonisolated var device: Device { opened.withLock { $0 } }
    private nonisolated let opened: Mutex<Device>
    private let deviceSelector: String?
    private let pipelineCacheFolder: URL?
    private nonisolated let executor = EngineExecutor()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var session: (any ModelSession)?

    /// A model as it was asked for.
    private struct ModelChoice {
        let path: String
        let projector: String?
        let options: LoadOptions
    }
    /// The model that answers: loaded, or to be loaded again because its device was lost.
    private var choice: ModelChoice?

    /// Facts about the loaded model, readable while the engine works.
    private struct Context {
        var abilities: ModelAbilities?
        var bytesPerToken: Int?
        /// Positions that are free behind the tokens so far.
        var tokensLeft: Int?
    }
    private nonisolated let context = Mutex(Context())

    private nonisolated let sessions: SessionRegistry

    /// Opens a device; nothing is loaded yet.
    /// - Parameter sessions: the kinds of session that serve models.
    package init(deviceSelector: String?, pipelineCacheFolder: URL?, sessions: SessionRegistry) throws {
        self.sessions = sessions
        self.deviceSelector = deviceSelector
        self.pipelineCacheFolder = pipelineCacheFolder
        opened = Mutex(try Device(selector: deviceSelector, pipelineCacheFolder: pipelineCacheFolder))
    }

    /// Loads a model in place of the loaded one.
    /// - Parameter projector: the "mmproj" file of a model whose text model is a GGUF file.
    package nonisolated func load(
        path: String, projector: String? = nil, options: LoadOptions = LoadOptions()
    ) -> AsyncThrowingStream<(done: Int, total: Int), any Error> {
        .running { emit in
            try await self.load(path: path, projector: projector, options: options) { emit(($0, $1)) }
        }
    }

    private func load(path: String, projector: String?, options: LoadOptions, progress: (Int, Int) -> Void) throws {
        // The old model goes first: both together might not fit.
        unload()
        let choice = ModelChoice(path: path, projector: projector, options: options)
        do {
            try load(choice, progress: progress)
            self.choice = choice
        } catch {
            if device.isLost { self.choice = choice }
            throw error
        }
    }

    private func load(_ choice: ModelChoice, progress: (Int, Int) -> Void) throws {
        if device.isLost {
            let device = try Device(selector: deviceSelector, pipelineCacheFolder: pipelineCacheFolder)
            opened.withLock { $0 = device }
        }
        let declared = try sessions.declare(path: choice.path, projector: choice.projector, options: choice.options)
        let session = try declared.load(on: device, progress: progress)
        self.session = session
        context.withLock {
            $0 = Context(
                abilities: declared.abilities, bytesPerToken: session.bytesPerToken, tokensLeft: session.tokensLeft)
        }
        device.savePipelineCache()
    }

    /// Takes the model off the device.
    package func unload() {
        session = nil
        choice = nil
        context.withLock { $0 = Context() }
    }

    /// Abilities of the loaded model; nil when none is loaded. Never waits for the engine.
    package nonisolated func abilities() -> ModelAbilities? { context.withLock { $0.abilities } }

    /// Answers with the loaded model. Ending the stream stops the work at the next token.
    package nonisolated func answer(_ request: GenerationRequest) -> AsyncThrowingStream<GenerationEvent, any Error> {
        .running { emit in try await self.answer(request, emit: emit) }
    }

    private func answer(_ request: GenerationRequest, emit: @escaping (GenerationEvent) -> Void) throws {
        if session == nil, let choice {
            try load(choice) { _, _ in }
            emit(.deviceReopened(name: device.properties.name))
        }
        defer { device.savePipelineCache() }
        do {
            try answerLoaded(request, emit: emit)
        } catch {
            // Its buffers go at once; the abilities stay, as the model is loaded again for the next question.
            if device.isLost { session = nil }
            throw error
        }
    }

    private func answerLoaded(_ request: GenerationRequest, emit: @escaping (GenerationEvent) -> Void) throws {
        guard let session else { throw GenerationError.noModel }
        try session.answer(request, isCancelled: { Task.isCancelled }) { event in
            let left = session.tokensLeft
            self.context.withLock { $0.tokensLeft = left }
            emit(event)
        }
    }

    /// Device memory now. Never waits for the engine.
    package nonisolated func memory() -> MemoryReport {
        let context = context.withLock { $0 }
        return MemoryReport(device: device, bytesPerToken: context.bytesPerToken, tokensLeft: context.tokensLeft)
    }
}

/// Runs an actor's jobs on one thread of their own.
final class EngineExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "fovea.engine", qos: .userInitiated)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }
}
