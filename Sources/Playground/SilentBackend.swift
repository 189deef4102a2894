import Generation
import Planning

/// A backend that has nothing and does nothing: for sessions that are played.
package struct SilentBackend: PlaygroundBackend {
    package init() {}

    package var deviceName: String { get async { "" } }
    package func models() async -> [ModelChoice] { [] }
    package func pull(_ name: String) -> AsyncThrowingStream<TransferProgress, any Error> {
        AsyncThrowingStream { $0.finish() }
    }
    package func load(_ name: String) -> AsyncThrowingStream<LoadProgress, any Error> {
        AsyncThrowingStream { $0.finish() }
    }
    package func unload() async {}
    package func listen() -> AsyncThrowingStream<SpokenSound, any Error> { AsyncThrowingStream { $0.finish() } }
    package func answer(_ request: AnswerRequest) -> AsyncThrowingStream<GenerationEvent, any Error> {
        AsyncThrowingStream { $0.finish() }
    }
    package func memory() async -> MemoryReport { MemoryReport(byPurpose: [:], accounted: 0, heapSize: 0) }
    package func abilities() async -> ModelAbilities? { nil }
    package func plan(_ question: PlanQuestion) async throws -> PlanFigures { throw BackendError.noModel }
}
