import Generation
import Media
import ModelStore
import Planning
import PlaygroundCore

/// A backend without models, for replays.
package struct SilentBackend: PlaygroundBackend {
    package init() {}

    package var deviceName: String { get async { "" } }
    package func models() async -> [ModelChoice] { [] }
    package func pull(_ name: String) -> AsyncThrowingStream<PullProgress, any Error> {
        AsyncThrowingStream { $0.finish() }
    }
    package func load(_ name: String) -> AsyncThrowingStream<LoadProgress, any Error> {
        AsyncThrowingStream { $0.finish() }
    }
    package func unload() async {}
    package func listen() -> AsyncThrowingStream<Recording, any Error> { AsyncThrowingStream { $0.finish() } }
    package func answer(_ request: GenerationRequest) -> AsyncThrowingStream<GenerationEvent, any Error> {
        AsyncThrowingStream { $0.finish() }
    }
    package func memory() async -> MemoryReport { MemoryReport(byPurpose: [:], accounted: 0, heapSize: 0) }
    package func abilities() async -> ModelAbilities? { nil }
    package func plan(_ request: PlanRequest) async throws -> MemoryPlan { throw BackendError.noModel }
}
