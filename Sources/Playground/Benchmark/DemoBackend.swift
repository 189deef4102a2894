import AttentionTypes
import Foundation
import Generation
import Media
import ModelStore
import Planning
import PlaygroundCore
import Support

/// A backend that keeps the screen as busy as a fast model: a picture, and tokens with the
/// attention of twelve layers of twelve heads, one every `pace`.
struct DemoBackend: PlaygroundBackend {
    var pace: Duration
    var tokens: Int

    static let side = 24, layers = 12, heads = 12

    var deviceName: String { get async { "no device" } }
    func models() async -> [ModelChoice] {
        [ModelChoice(name: "demonstration", description: "", installed: true, bytes: 0)]
    }
    func pull(_ name: String) -> AsyncThrowingStream<PullProgress, any Error> {
        AsyncThrowingStream { $0.finish() }
    }
    func load(_ name: String) -> AsyncThrowingStream<LoadProgress, any Error> { AsyncThrowingStream { $0.finish() } }
    func unload() async {}
    func listen() -> AsyncThrowingStream<Recording, any Error> { AsyncThrowingStream { $0.finish() } }
    func memory() async -> MemoryReport {
        MemoryReport(byPurpose: [.weightsDecoder: 1 << 30, .selfKV: 1 << 28], accounted: 5 << 28, heapSize: 8 << 30)
    }
    func plan(_ request: PlanRequest) async throws -> MemoryPlan { throw BackendError.noModel }

    func abilities() async -> ModelAbilities? {
        ModelAbilities(
            family: "demonstration", inputs: [.picture, .text], holdsConversations: true, shownAttention: .cross,
            attentionLayers: Array(0..<Self.layers),
            attentionHeads: Self.heads, contextLength: 4096)
    }

    func answer(_ request: GenerationRequest) -> AsyncThrowingStream<GenerationEvent, any Error> {
        .running { yield in
            for event in Self.events(tokens: tokens) {
                if case .token = event { try await Task.sleep(for: pace) }
                yield(event)
            }
        }
    }

    static func events(tokens: Int) -> some Sequence<GenerationEvent> {
        let attention = (0..<16).map(Self.attention)
        let summary = GenerationSummary(
            reason: .lengthLimit, tokens: tokens, encodeSeconds: 0, prefillSeconds: 0, decodeSeconds: 1)
        return (-2...tokens).lazy.map { index -> GenerationEvent in
            if index == -2 { return .inputPrepared(.picture(picture)) }
            if index == -1 { return .encoded(seconds: 0) }
            if index == tokens { return .finished(summary) }
            return .token(
                GeneratedToken(
                    index: index, id: index % 100, text: index % 12 == 11 ? ".\n" : " token", piece: "token",
                    logProbability: -0.3, attention: attention[index % 16]))
        }
    }

    private static let picture: PictureInput = {
        var pixels: [UInt8] = []
        for y in 0..<256 { for x in 0..<256 { pixels += [UInt8(x), UInt8(y), UInt8((x + y) / 2)] } }
        let step = 256.0 / Double(side)
        let keys = (0..<side * side).map { key in
            PatchKey(
                key: key, tile: 0,
                rectangle: PictureRectangle(
                    x: Double(key % side) * step, y: Double(key / side) * step, width: step, height: step))
        }
        return PictureInput(
            index: 0, name: "colors", picture: RGBImage(width: 256, height: 256, pixels: pixels), width: 256,
            height: 256, kind: .cross, keys: keys)
    }()

    private static func attention(_ number: Int) -> [AttentionWeights] {
        let keys = side * side
        let row = (0..<keys).map { key -> Float in
            let dx = Float(key % side - number), dy = Float(key / side - number)
            return expf(-(dx * dx + dy * dy) / 12)
        }
        let total = row.reduce(0, +)
        let values = (0..<heads).flatMap { _ in row.map { $0 / total } }
        return (0..<layers).map {
            AttentionWeights(kind: .cross, layer: $0, heads: heads, queries: 1, keys: keys, values: values)
        }
    }
}
