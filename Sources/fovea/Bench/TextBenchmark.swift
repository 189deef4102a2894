import Compute
import Foundation
import Models
import Transformer

/// Measures a decoder-only model phase by phase; of one that takes pictures also how it reads one, which its prompts then
/// begin with.
struct TextBenchmark {
    let device: Device
    /// Tokens decoded in each run.
    let tokens: Int
    let measuring: Measuring

    /// Tokens of text that the prefill measurement runs.
    private static let prefillTokens = 512
    /// Tokens of text before the first decoded one.
    private static let context = 128

    func run(modelName: String, files: ModelFiles, model: any Model, report: (String) -> Void) throws
        -> BenchReport
    {
        let picture = try model.pictureReader.map { try MeasuredPicture(model: $0, files: files) }
        report("measuring the device")
        let ceilings = try DeviceCeilings.measure(on: device)
        Measuring.forgetPeak()

        report("loading the model")
        let loadSeconds = try Measuring.seconds { try model.load(from: files, on: device) { _, _ in } }
        defer { model.unload() }
        guard let tap = model.tap, let stream = model.decoder.stream else {
            throw TransformerError.notLoaded(model: modelName)
        }
        files.checkpoint.release()
        tap.selection = .off

        var encoderSeconds: Double?
        if let picture {
            report("picture")
            encoderSeconds = try measuring.median { try picture.read() }
        }

        report("prefill")
        let shown = picture?.tokens ?? []
        func text(_ count: Int) -> [Int] {
            Measuring.tokens(count, vocabulary: model.vocabulary, excluding: picture?.model.pictureToken)
        }
        let prompt = Array((shown + text(Self.prefillTokens)).prefix(model.contextLength))
        let last = prompt.count - 1
        let prefillSeconds = try measuring.median { _ = try model.prefill(prompt, at: 0, logitRows: [last]) }

        report("decoding")
        let context = min(shown.count + Self.context, model.contextLength / 2)
        let count = min(tokens, model.contextLength - context - 1)
        let beginning = Array(prompt.prefix(context))
        let following = text(count)
        _ = try model.prefill(beginning, at: 0, logitRows: [])
        let captures = [
            Measuring.Capture(name: "off", selection: .off), .init(name: "watched", selection: Self.watched(model)),
            .init(name: "everything", selection: .everything),
        ]
        let decode = try measuring.decode(captures, count: count, tap: tap, stream: stream) {
            // The prompt's keys and values stay: decoding starts over behind them.
            _ = try model.prefill([1], at: context - 1, logitRows: [])
            _ = try model.advance(tokens: [1])
        } step: {
            _ = try model.advance(tokens: [following[$0]])
        }
        let bytes = device.ledger.bytesByPurpose

        report("timing kernels")
        let kernels = try profile(
            model, picture, stream: stream, prompt: prompt, beginning: beginning, following: following)
        device.savePipelineCache()
        let keysAndValues = Double(bytes[.crossKV] ?? 0) + Double(model.bytesPerToken) * Double(context + count / 2)
        return BenchReport(
            model: modelName, architecture: try ModelRegistry.modelType(of: files), device: device.properties.name,
            driver: [device.properties.driverName, device.properties.driverInfo].filter { !$0.isEmpty }.joined(
                separator: " "),
            ceilings: ceilings, loadSeconds: loadSeconds, weightBytes: Measuring.weightBytes(bytes),
            deviceBytes: device.ledger.total,
            pictureTiles: picture?.tiles, encoderSeconds: encoderSeconds,
            encoderOperations: picture.map { _ in Measuring.operations("encoder", in: kernels) },
            prefillTokens: prompt.count,
            prefillSeconds: prefillSeconds, prefillOperations: Measuring.operations("prefill", in: kernels),
            decodeContext: context,
            decodeTokens: count, decodeBytesPerToken: Double(model.parameters.bytesReadEachStep) + keysAndValues,
            decode: decode,
            kernels: kernels, peakHostBytes: Measuring.peakHostBytes)
    }

    /// What the playground watches: cross-attention to pictures; else a layer's attention to the tokens.
    private static func watched(_ model: any Model) -> AttentionTap.Selection {
        model.pictureReader?.capabilities.watchedAttention == .cross ? .cross : .init(.selfAttention, layers: [0])
    }

    private func profile(
        _ model: any Model, _ picture: MeasuredPicture?, stream: CommandStream, prompt: [Int],
        beginning: [Int],
        following: [Int]
    ) throws -> [BenchReport.Kernel] {
        guard device.properties.timestampPeriod > 0 else { return [] }
        stream.isProfiling = true
        defer { stream.isProfiling = false }
        _ = stream.takeTimings()
        try picture?.read()
        let encoder = stream.takeTimings()
        _ = try model.prefill(prompt, at: 0, logitRows: [prompt.count - 1])
        let prefill = stream.takeTimings()
        _ = try model.prefill(beginning, at: 0, logitRows: [])
        _ = stream.takeTimings()
        for token in following.prefix(16) { _ = try model.advance(tokens: [token]) }
        return Measuring.table("encoder", encoder) + Measuring.table("prefill", prefill)
            + Measuring.table("decode", stream.takeTimings())
    }
}
