import Compute
import Foundation
import Models
import Transformer

/// Measures a model that encodes a text or a picture and decodes a text, phase by phase.
struct EncoderDecoderBenchmark {
    let device: Device
    /// Tokens decoded in each run.
    let tokens: Int
    let measuring: Measuring

    /// Tokens of the text that is encoded, and of the decoder's prompt.
    private static let sourceTokens = 256
    private static let prefillTokens = 64

    func run(modelName: String, files: ModelFiles, model: any Model, report: (String) -> Void) throws
        -> BenchReport
    {
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
        let encode = try Self.encoder(of: model, files: files)
        let encoderSeconds = try measuring.median { try encode() }

        report("decoding")
        let vocabulary = model.vocabulary
        let room = model.position + model.positionsLeft
        let prompt = Measuring.tokens(min(Self.prefillTokens, room / 2), vocabulary: vocabulary)
        let prefillSeconds = try measuring.median { _ = try model.start(tokens: prompt, hypotheses: 1, logitRows: []) }
        let count = max(1, min(tokens, room - 8))
        let following = Measuring.tokens(count, vocabulary: vocabulary)
        let beginning = Measuring.tokens(min(4, room / 2), vocabulary: vocabulary)
        let captures = [
            Measuring.Capture(name: "off", selection: .off), .init(name: "watched", selection: .cross),
            .init(name: "everything", selection: .everything),
        ]
        let decode = try measuring.decode(captures, count: count, tap: tap, stream: stream) {
            _ = try model.start(tokens: beginning, hypotheses: 1, logitRows: [])
            _ = try model.advance(tokens: [1], parents: nil)
        } step: {
            _ = try model.advance(tokens: [following[$0]], parents: nil)
        }
        let bytes = device.ledger.bytesByPurpose

        report("timing kernels")
        let kernels = try profile(model, stream: stream, encode: encode, beginning: beginning, following: following)
        device.savePipelineCache()
        let perToken = Double(model.bytesPerToken) * Double(beginning.count + 1 + count / 2)
        return BenchReport(
            model: modelName, architecture: try ModelRegistry.modelType(of: files), device: device.properties.name,
            driver: [device.properties.driverName, device.properties.driverInfo].filter { !$0.isEmpty }.joined(
                separator: " "),
            ceilings: ceilings, loadSeconds: loadSeconds, weightBytes: Measuring.weightBytes(bytes),
            deviceBytes: device.ledger.total, encoderSeconds: encoderSeconds,
            encoderOperations: Measuring.operations("encoder", in: kernels), prefillTokens: prompt.count,
            prefillSeconds: prefillSeconds, decodeContext: beginning.count + 1, decodeTokens: count,
            decodeBytesPerToken: Double(model.parameters.bytesReadEachStep) + Double(bytes[.crossKV] ?? 0) + perToken,
            decode: decode, kernels: kernels,
            peakHostBytes: Measuring.peakHostBytes)
    }

    /// The model's encoder over dummy input: any tokens, or a picture of stripes.
    static func encoder(of model: any Model, files: ModelFiles) throws -> () throws -> Void {
        if let text = model.textSource {
            let source = Measuring.tokens(min(sourceTokens, text.sourcePositions), vocabulary: text.sourceVocabulary)
            return { try text.encode(tokens: source) }
        }
        guard let reader = model.pictureReader else {
            throw ProgramError.unsuitableModel(model: files.path, problem: "this kind of model cannot be measured yet")
        }
        let picture = try MeasuredPicture(model: reader, files: files)
        return { try picture.read() }
    }

    private func profile(
        _ model: any Model, stream: CommandStream, encode: () throws -> Void, beginning: [Int],
        following: [Int]
    ) throws -> [BenchReport.Kernel] {
        guard device.properties.timestampPeriod > 0 else { return [] }
        stream.isProfiling = true
        defer { stream.isProfiling = false }
        _ = stream.takeTimings()
        try encode()
        let encoder = stream.takeTimings()
        _ = try model.start(tokens: beginning, hypotheses: 1, logitRows: [])
        _ = stream.takeTimings()
        for token in following.prefix(16) { _ = try model.advance(tokens: [token], parents: nil) }
        return Measuring.table("encoder", encoder) + Measuring.table("decode", stream.takeTimings())
    }
}
