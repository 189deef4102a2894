import Generation
import Telemetry

/// A backend that has nothing and does nothing: for sessions that are played.
public struct SilentBackend: PlaygroundBackend {
    public init() {}

    public var deviceName: String { get async { "" } }
    public func models() async -> [ModelChoice] { [] }
    public func pull(_ name: String) -> AsyncThrowingStream<TransferProgress, any Error> { AsyncThrowingStream { $0.finish() } }
    public func load(_ name: String) -> AsyncThrowingStream<LoadProgress, any Error> { AsyncThrowingStream { $0.finish() } }
    public func unload() async {}
    public func listen() -> AsyncThrowingStream<SpokenSound, any Error> { AsyncThrowingStream { $0.finish() } }
    public func answer(_ request: AnswerRequest) -> AsyncThrowingStream<GenerationEvent, any Error> { AsyncThrowingStream { $0.finish() } }
    public func memory() async -> MemoryReport { MemoryReport(byPurpose: [:], accounted: 0, heapSize: 0) }
    public func abilities() async -> ModelAbilities? { nil }
    public func plan(_ question: PlanQuestion) async throws -> PlanFigures { throw BackendError.noModel }
}
