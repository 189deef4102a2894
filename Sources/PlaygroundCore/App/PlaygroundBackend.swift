import Generation
import Media
import ModelStore
import Planning

/// The engine as the app sees it. Tests and replays replace it.
package protocol PlaygroundBackend: Sendable {
    /// Name of the device.
    var deviceName: String { get async }
    func models() async -> [ModelChoice]
    /// Downloads a model of the catalogue.
    func pull(_ name: String) -> AsyncThrowingStream<PullProgress, any Error>
    /// Loads a model in place of the loaded one.
    func load(_ name: String) -> AsyncThrowingStream<LoadProgress, any Error>
    func unload() async
    /// Records through the microphone, chunk by chunk, until the task that reads the stream is cancelled.
    func listen() -> AsyncThrowingStream<Recording, any Error>
    /// Answers with the loaded model; cancelling the task that reads the stream stops it.
    func answer(_ request: GenerationRequest) -> AsyncThrowingStream<GenerationEvent, any Error>
    func memory() async -> MemoryReport
    /// Inputs and outputs of the loaded model; nil if none is loaded.
    func abilities() async -> ModelAbilities?
    /// Plans the device memory of a model.
    func plan(_ request: PlanRequest) async throws -> MemoryPlan
}
