import Compute
import Foundation
import Media
import Synchronization
import Telemetry

/// The engine as a user interface sees it: one device, at most one model on it, work done one piece after another on a
/// thread of its own, so that nobody who asks is ever blocked by the device.
public actor Engine {
    public nonisolated let device: Device
    private nonisolated let executor = EngineExecutor()
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var session: SpeechSession?

    /// What the memory panel needs of the loaded model, readable while the engine is at work.
    private struct Context {
        var bytesPerToken: Int?
        /// Decoder positions that are free in the window being decoded.
        var tokensLeft: Int?
    }
    private nonisolated let context = Mutex(Context())

    /// Opens a device; nothing is loaded yet.
    public init(deviceSelector: String?, pipelineCacheFolder: URL?) throws {
        device = try Device(selector: deviceSelector, pipelineCacheFolder: pipelineCacheFolder)
    }

    /// Loads a model in place of the loaded one.
    public nonisolated func load(path: String) -> AsyncThrowingStream<(done: Int, total: Int), any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    try await self.load(path: path) { done, total in continuation.yield((done, total)) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func load(path: String, progress: (Int, Int) -> Void) throws {
        // The old model goes first: both together might not fit.
        unload()
        let session = try SpeechSession(path: path, on: device, progress: progress)
        self.session = session
        let model = session.model
        context.withLock { $0 = Context(bytesPerToken: model.bytesPerToken, tokensLeft: model.positionsLeft) }
        device.savePipelineCache()
    }

    /// Takes the model off the device.
    public func unload() {
        session = nil
        context.withLock { $0 = Context() }
    }

    /// Writes down a recording with the loaded model. Ending the stream stops the work at the next token.
    public nonisolated func transcribe(
        _ recording: Recording, options: TranscriptionOptions
    ) -> AsyncThrowingStream<GenerationEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    try await self.transcribe(recording, options: options) { continuation.yield($0) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func transcribe(
        _ recording: Recording, options: TranscriptionOptions, emit: @escaping (GenerationEvent) -> Void
    ) throws {
        guard let session else { throw GenerationError.noModel }
        let model = session.model
        try session.transcribe(recording, options: options) { event in
            self.context.withLock { $0.tokensLeft = model.positionsLeft }
            emit(event)
        }
        device.savePipelineCache()
    }

    /// Device memory now. Never waits for the engine.
    public nonisolated func memory() -> MemoryReport {
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
