import Compute
import Models
import Transformer

/// Measures a model phase by phase: encoder, prefill, decoding with and without capture, time by kernel.
struct Benchmark {
    let device: Device
    /// Tokens decoded in each run.
    let tokens: Int
    let measuring: Measuring

    /// Tokens of text that prefill runs, and tokens before the first decoded one.
    private struct Lengths {
        let prefill: Int
        let context: Int

        init(_ model: any Model) {
            (prefill, context) = model.capabilities.needsSource ? (64, 5) : (512, 128)
        }
    }

    func run(modelName: String, files: ModelFiles, model: any Model, report: (String) -> Void) throws -> BenchReport {
        let input = try BenchmarkInput(model, files: files)
        report("measuring the device")
        let ceilings = try DeviceCeilings.measure(on: device)
        Measuring.forgetPeak()

        report("loading the model")
        let loadSeconds = try Measuring.seconds { try model.load(from: files, on: device) { _, _ in } }
        defer { model.unload() }
        guard let tap = model.tap, let stream = model.stream else { throw TransformerError.notLoaded(model: modelName) }
        files.release()
        tap.selection = .off

        report("encoder")
        let logMelSeconds = try input.logMel.map { logMel in try measuring.median { logMel() } }
        let encoderSeconds = try input.source.map { source in try measuring.median { try model.encode(source) } }

        report("prefill")
        let lengths = Lengths(model), room = model.contextLength
        let needsSource = model.capabilities.needsSource
        let prompt = Array(
            (input.promptTokens + input.text(lengths.prefill)).prefix(needsSource ? max(room / 2, 1) : room))
        // Behind a source the last row's logits are not asked for, as in figures of earlier versions.
        let logitRows: Set<Int> = needsSource ? [] : [prompt.count - 1]
        let prefillSeconds = try measuring.median { _ = try model.prefill(prompt, at: 0, logitRows: logitRows) }

        report("decoding")
        let context = max(2, min(input.promptTokens.count + lengths.context, room / 2))
        let count = max(1, min(tokens, room - context - 3))
        let beginning = Array((prompt + input.text(context)).prefix(context))
        let following = input.text(count)
        _ = try model.prefill(beginning, at: 0, logitRows: [])
        let decode = try measuring.decode(Self.captures(model), count: count, tap: tap, stream: stream) {
            // The prompt's keys and values stay: decoding starts over behind them.
            _ = try model.prefill([1], at: context - 2, logitRows: [])
            _ = try model.advance(tokens: [1])
        } step: {
            _ = try model.advance(tokens: [following[$0]])
        }
        let bytes = device.ledger.bytesByPurpose

        report("timing kernels")
        let kernels = try profile(
            model, input.source, stream: stream, prompt: prompt, logitRows: logitRows, beginning: beginning,
            following: following)
        device.savePipelineCache()
        let keysAndValues = Double(bytes[.crossKV] ?? 0) + Double(model.bytesPerToken) * Double(context + count / 2)
        return BenchReport(
            model: modelName, architecture: try ModelRegistry.modelType(of: files), device: device.properties.name,
            driver: [device.properties.driverName, device.properties.driverInfo].filter { !$0.isEmpty }
                .joined(separator: " "),
            ceilings: ceilings, loadSeconds: loadSeconds, weightBytes: Measuring.weightBytes(bytes),
            deviceBytes: device.ledger.total, logMelSeconds: logMelSeconds, pictureTiles: input.pictureTiles,
            encoderSeconds: encoderSeconds,
            encoderOperations: input.source.map { _ in Measuring.operations("encoder", in: kernels) },
            prefillTokens: prompt.count, prefillSeconds: prefillSeconds,
            prefillOperations: Measuring.operations("prefill", in: kernels), decodeContext: context,
            decodeTokens: count, decodeBytesPerToken: Double(model.parameters.bytesReadEachStep) + keysAndValues,
            decode: decode, kernels: kernels, peakHostBytes: Measuring.peakHostBytes)
    }

    /// No capture, the capture of the playground's attention panel, and everything.
    private static func captures(_ model: any Model) -> [Measuring.Capture] {
        let watched: AttentionTap.Selection =
            model.capabilities.watchedAttention == .cross ? .cross : .init(.selfAttention, layers: [0])
        return [
            .init(name: "off", selection: .off), .init(name: "watched", selection: watched),
            .init(name: "everything", selection: .everything),
        ]
    }

    private func profile(
        _ model: any Model, _ source: ModelInput?, stream: CommandStream, prompt: [Int], logitRows: Set<Int>,
        beginning: [Int], following: [Int]
    ) throws -> [BenchReport.Kernel] {
        guard device.properties.timestampPeriod > 0 else { return [] }
        stream.isProfiling = true
        defer { stream.isProfiling = false }
        _ = stream.takeTimings()
        if let source { try model.encode(source) }
        let encoder = stream.takeTimings()
        _ = try model.prefill(prompt, at: 0, logitRows: logitRows)
        let prefill = stream.takeTimings()
        _ = try model.prefill(beginning, at: 0, logitRows: [])
        _ = stream.takeTimings()
        for token in following.prefix(16) { _ = try model.advance(tokens: [token]) }
        return Measuring.table("encoder", encoder) + Measuring.table("prefill", prefill)
            + Measuring.table("decode", stream.takeTimings())
    }
}
