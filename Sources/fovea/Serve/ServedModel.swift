import AttentionTypes
import Compute
import Foundation
import Generation
import Models
import Planning
import Synchronization
import Transformer

/// A loaded model that answers one request after another, on a thread of its own.
final class ServedModel: Sendable {
    let name: String
    let abilities: ModelAbilities
    /// Layers of the decoder by kind of attention, and heads of each.
    let decoderLayers: [AttentionKind: [Int]]
    let decoderHeads: Int
    private let queue = DispatchQueue(label: "fovea.serve", qos: .userInitiated)
    private let device: Device
    // Safety: used on `queue` only.
    private nonisolated(unsafe) let model: any Model
    private nonisolated(unsafe) let session: any ModelSession

    init(name: String, _ declared: DeclaredModel, on device: Device, session: any ModelSession) {
        self.name = name
        abilities = declared.abilities
        self.device = device
        model = declared.model
        self.session = session
        let decoder = declared.model.decoder
        decoderHeads = decoder.heads
        decoderLayers = Dictionary(
            uniqueKeysWithValues: [AttentionKind.selfAttention, .cross].map { ($0, decoder.layers(of: $0)) })
    }

    /// Answers a request; stops at the next token when the task is cancelled.
    /// - Parameters:
    ///   - capture: attention that token events carry; nil for none.
    ///   - emit: takes every event, on the model's thread; what it throws ends the answer.
    func answer(
        _ request: GenerationRequest, capture: AttentionTap.Selection?,
        emit: @escaping @Sendable (GenerationEvent) throws -> Void
    ) async throws {
        let stop = StopFlag()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                queue.async { [self] in
                    continuation.resume(
                        with: Result {
                            // Rows that nobody asked for are not copied to the host. Word times switch it themselves.
                            model.tap?.selection = capture ?? .off
                            try session.answer(request, isCancelled: { stop.isSet }, emit: emit)
                        })
                }
            }
        } onCancel: {
            stop.set()
        }
        try Task.checkCancellation()
    }

    /// Device memory now, without waiting for the model.
    func memory() -> MemoryReport { MemoryReport(device: device) }
}

/// Says to a run on another thread that it should end.
private final class StopFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}
