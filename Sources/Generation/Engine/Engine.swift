import Compute
import Foundation
import Models
import Support
import Synchronization
import Planning

/// The engine as a user interface sees it: one device, at most one model on it, work done one piece after another on a
/// thread of its own, so that callers are never blocked by the device.
package actor Engine {
    package nonisolated let device: Device
    private nonisolated let executor = EngineExecutor()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var session: (any ModelSession)?

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
        device = try Device(selector: deviceSelector, pipelineCacheFolder: pipelineCacheFolder)
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
        let declared = try sessions.declare(path: path, projector: projector, options: options)
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
        context.withLock { $0 = Context() }
    }

    /// Abilities of the loaded model; nil when none is loaded. Never waits for the engine.
    package nonisolated func abilities() -> ModelAbilities? { context.withLock { $0.abilities } }

    /// Answers with the loaded model. Ending the stream stops the work at the next token.
    package nonisolated func answer(_ request: GenerationRequest) -> AsyncThrowingStream<GenerationEvent, any Error> {
        .running { emit in try await self.answer(request, emit: emit) }
    }

    private func answer(_ request: GenerationRequest, emit: @escaping (GenerationEvent) -> Void) throws {
        guard let session else { throw GenerationError.noModel }
        defer { device.savePipelineCache() }
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
