import Compute
import Foundation
import Models
import Transformer

/// Measures a decoder-only text model phase by phase.
struct TextBenchmark {
    let device: Device
    /// Tokens decoded in each run.
    let tokens: Int
    let measuring: Measuring

    /// Tokens that the prefill measurement runs.
    private static let prefillTokens = 512
    /// Where decoding starts.
    private static let context = 128

    func run(modelName: String, files: ModelFiles, model: any DecoderOnlyModel, report: (String) -> Void) throws -> BenchReport {
        report("measuring the device")
        let ceilings = try DeviceCeilings.measure(on: device)
        Measuring.forgetPeak()

        report("loading the model")
        let loadSeconds = try Measuring.seconds { try model.load(from: files, on: device) { _, _ in } }
        defer { model.unload() }
        guard let tap = model.tap, let stream = model.decoder.stream else { throw ModelError.notLoaded(model: modelName) }
        files.checkpoint.release()
        tap.selection = .off
        let vocabulary = model.vocabulary

        report("prefill")
        let prompt = Measuring.tokens(min(Self.prefillTokens, model.contextLength), vocabulary: vocabulary, excluding: model.decoder.pictures?.token)
        let last = prompt.count - 1
        let prefillSeconds = try measuring.fastest { _ = try model.prefill(prompt, at: 0, logitRows: [last]) }

        report("decoding")
        let context = min(Self.context, model.contextLength / 2)
        let count = min(tokens, model.contextLength - context - 1)
        let beginning = Array(prompt.prefix(context))
        let following = Measuring.tokens(count, vocabulary: vocabulary, excluding: model.decoder.pictures?.token)
        _ = try model.prefill(beginning, at: 0, logitRows: [])
        let captures = [
            Measuring.Capture(name: "off", selection: .off), .init(name: "watched", selection: .init(.selfAttention, layers: [0])),
            .init(name: "everything", selection: .everything),
        ]
        let decode = try measuring.decode(captures, count: count, tap: tap, stream: stream) {
            // The prompt's keys and values stay: decoding starts over behind them.
            _ = try model.prefill([1], at: context - 1, logitRows: [])
            _ = try model.advance(tokens: [1])
        } step: { _ = try model.advance(tokens: [following[$0]]) }
        let bytes = device.ledger.bytesByPurpose

        report("timing kernels")
        let kernels = try profile(model, stream: stream, prompt: prompt, beginning: beginning, following: following)
        device.savePipelineCache()
        let weights = (bytes[.weightsEncoder] ?? 0) + (bytes[.weightsDecoder] ?? 0)
        return BenchReport(
            model: modelName, architecture: try ModelRegistry.modelType(of: files), device: device.properties.name,
            driver: [device.properties.driverName, device.properties.driverInfo].filter { !$0.isEmpty }.joined(separator: " "),
            ceilings: ceilings, loadSeconds: loadSeconds, weightBytes: weights, deviceBytes: device.ledger.total, prefillTokens: prompt.count,
            prefillSeconds: prefillSeconds,
            prefillOperations: kernels.filter { $0.phase == "prefill" }.reduce(0) { $0 + $1.operations }, decodeContext: context,
            decodeTokens: count,
            decodeBytesPerToken: Double(weights) + Double(model.bytesPerToken) * Double(context + count / 2), decode: decode, kernels: kernels,
            peakHostBytes: Measuring.peakHostBytes)
    }

    private func profile(
        _ model: any DecoderOnlyModel, stream: CommandStream, prompt: [Int], beginning: [Int], following: [Int]
    ) throws -> [BenchReport.Kernel] {
        guard device.properties.timestampPeriod > 0 else { return [] }
        stream.isProfiling = true
        defer { stream.isProfiling = false }
        _ = stream.takeTimings()
        _ = try model.prefill(prompt, at: 0, logitRows: [prompt.count - 1])
        let prefill = stream.takeTimings()
        _ = try model.prefill(beginning, at: 0, logitRows: [])
        _ = stream.takeTimings()
        for token in following.prefix(16) { _ = try model.advance(tokens: [token]) }
        return Measuring.table("prefill", prefill) + Measuring.table("decode", stream.takeTimings())
    }
}
