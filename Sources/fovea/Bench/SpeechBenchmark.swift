import Compute
import Foundation
import Media
import Models
import Transformer

/// Measures a speech model phase by phase, on sound made here, so that figures of different machines compare.
struct SpeechBenchmark {
    let device: Device
    /// Tokens decoded in each run.
    let tokens: Int
    let measuring: Measuring

    private static let prefillTokens = 64

    func run(modelName: String, files: ModelFiles, model: Whisper, report: (String) -> Void) throws -> BenchReport {
        report("measuring the device")
        let ceilings = try DeviceCeilings.measure(on: device)
        Measuring.forgetPeak()

        report("loading the model")
        let loadSeconds = try Measuring.seconds { try model.load(from: files, on: device) { _, _ in } }
        defer { model.unload() }
        guard let tap = model.tap, let stream = model.stream else { throw TransformerError.notLoaded(model: modelName) }
        files.checkpoint.release()
        tap.selection = .off

        report("log-mel and encoder")
        let logMel = try Self.logMel(mels: model.configuration.mels)
        let features = logMel.window(Self.sound)
        let logMelSeconds = try measuring.median { _ = logMel.window(Self.sound) }
        let encoderSeconds = try measuring.median { try model.encode(logMel: features.values) }

        report("decoding")
        let prompt = Measuring.tokens(Self.prefillTokens, vocabulary: model.configuration.vocabulary)
        let prefillSeconds = try measuring.median { _ = try model.start(tokens: prompt, hypotheses: 1, logitRows: []) }
        let count = min(tokens, model.configuration.textPositions - 8)
        let decode = try decodeRuns(model, tap: tap, stream: stream, count: count)
        let bytes = device.ledger.bytesByPurpose

        report("timing kernels")
        let kernels = try profile(model, tap: tap, stream: stream, features: features.values)
        device.savePipelineCache()
        return BenchReport(
            model: modelName, architecture: try ModelRegistry.modelType(of: files), device: device.properties.name,
            driver: [device.properties.driverName, device.properties.driverInfo].filter { !$0.isEmpty }.joined(
                separator: " "),
            ceilings: ceilings, loadSeconds: loadSeconds, weightBytes: Measuring.weightBytes(bytes),
            deviceBytes: device.ledger.total, logMelSeconds: logMelSeconds, encoderSeconds: encoderSeconds,
            encoderOperations: Measuring.operations("encoder", in: kernels), prefillTokens: prompt.count,
            prefillSeconds: prefillSeconds, decodeContext: 5, decodeTokens: count,
            decodeBytesPerToken: decodeBytes(model, bytes: bytes, count: count), decode: decode,
            kernels: kernels, peakHostBytes: Measuring.peakHostBytes)
    }

    // MARK: Decoding

    private static let captures = [
        Measuring.Capture(name: "off", selection: .off), .init(name: "watched", selection: .cross),
        .init(name: "everything", selection: .everything),
    ]

    private func decodeRuns(_ model: Whisper, tap: AttentionTap, stream: CommandStream, count: Int) throws
        -> [BenchReport.Decode]
    {
        let vocabulary = model.configuration.vocabulary
        let following = Measuring.tokens(count, vocabulary: vocabulary)
        return try measuring.decode(Self.captures, count: count, tap: tap, stream: stream) {
            _ = try model.start(tokens: Measuring.tokens(4, vocabulary: vocabulary), hypotheses: 1, logitRows: [])
            _ = try model.advance(tokens: [1], parents: nil)
        } step: {
            _ = try model.advance(tokens: [following[$0]], parents: nil)
        }
    }

    /// The decoder's weights, the keys and values of the sound, and on average half of the tokens' own.
    private func decodeBytes(_ model: Whisper, bytes: [MemoryPurpose: Int], count: Int) -> Double {
        Double(model.parameters.bytesReadEachStep) + Double(bytes[.crossKV] ?? 0) + Double(model.bytesPerToken)
            * Double(5 + count / 2)
    }

    // MARK: Kernels

    private func profile(_ model: Whisper, tap: AttentionTap, stream: CommandStream, features: [Float]) throws
        -> [BenchReport.Kernel]
    {
        guard device.properties.timestampPeriod > 0 else { return [] }
        stream.isProfiling = true
        defer { stream.isProfiling = false }
        _ = stream.takeTimings()
        try model.encode(logMel: features)
        let encoder = stream.takeTimings()
        _ = try model.start(
            tokens: Measuring.tokens(4, vocabulary: model.configuration.vocabulary), hypotheses: 1, logitRows: [])
        _ = stream.takeTimings()
        for token in Measuring.tokens(16, vocabulary: model.configuration.vocabulary) {
            _ = try model.advance(tokens: [token], parents: nil)
        }
        return Measuring.table("encoder", encoder) + Measuring.table("decode", stream.takeTimings())
    }

    // MARK: Input

    /// The log-mel spectrogram of the sound, `[mels, frames]`.
    static func features(mels: Int) throws -> LogMelFeatures { try logMel(mels: mels).window(sound) }

    private static func logMel(mels: Int) throws -> LogMelSpectrogram {
        var parameters = LogMelSpectrogram.Parameters()
        parameters.melCount = mels
        return try LogMelSpectrogram(parameters)
    }

    /// 30 s of a rising tone with pauses.
    private static let sound: [Float] = (0..<30 * Media.speechSampleRate).map { index in
        let time = Float(index) / Float(Media.speechSampleRate)
        return time.truncatingRemainder(dividingBy: 1) < 0.7 ? 0.3 * sin(2 * .pi * (200 + 20 * time) * time) : 0
    }
}
