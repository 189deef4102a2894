import Compute
import Foundation
import Media
import Models
import Transformer

/// Measures a speech model phase by phase, on sound made here, so that figures of different machines compare.
struct SpeechBenchmark {
    let path: String
    let device: Device
    /// Tokens decoded in each run.
    let tokens: Int
    /// Runs of each measurement, of which the fastest counts.
    let repeats: Int

    private static let prefillTokens = 64

    func run(modelName: String, report: (String) -> Void) throws -> BenchReport {
        report("measuring the device")
        let ceilings = try DeviceCeilings.measure(on: device)

        report("loading the model")
        let files = try ModelFiles(path: path)
        guard let model = try ModelRegistry.make(from: files) as? Whisper else {
            throw ProgramError.unsuitableModel(model: modelName, problem: "only speech models can be measured so far")
        }
        let loadSeconds = try seconds { try model.load(from: files, on: device) { _, _ in } }
        defer { model.unload() }
        guard let tap = model.tap, let stream = model.stream else { throw ModelError.notLoaded(model: modelName) }
        files.checkpoint.release()
        tap.selection = .off

        report("log-mel and encoder")
        let logMel = try self.logMel(mels: model.configuration.mels)
        let features = logMel.window(Self.sound)
        let logMelSeconds = try fastest { _ = logMel.window(Self.sound) }
        let encoderSeconds = try fastest { try model.encode(logMel: features.values) }

        report("decoding")
        let prompt = Self.tokens(Self.prefillTokens, vocabulary: model.configuration.vocabulary)
        let prefillSeconds = try fastest { _ = try model.start(tokens: prompt, hypotheses: 1, logitRows: []) }
        let count = min(tokens, model.configuration.textPositions - 8)
        let decode = try decodeRuns(model, tap: tap, stream: stream, count: count)
        let bytes = device.ledger.bytesByPurpose

        report("timing kernels")
        let kernels = try profile(model, tap: tap, stream: stream, features: features.values)
        device.savePipelineCache()
        return BenchReport(
            model: modelName, architecture: try ModelRegistry.modelType(of: files), device: device.properties.name,
            driver: [device.properties.driverName, device.properties.driverInfo].filter { !$0.isEmpty }.joined(separator: " "),
            ceilings: ceilings, loadSeconds: loadSeconds, weightBytes: (bytes[.weightsEncoder] ?? 0) + (bytes[.weightsDecoder] ?? 0),
            deviceBytes: device.ledger.total, logMelSeconds: logMelSeconds, encoderSeconds: encoderSeconds,
            encoderOperations: kernels.filter { $0.phase == "encoder" }.reduce(0) { $0 + $1.operations }, prefillTokens: prompt.count,
            prefillSeconds: prefillSeconds, decodeTokens: count, decodeBytesPerToken: decodeBytes(model, bytes: bytes, count: count), decode: decode,
            kernels: kernels, peakHostBytes: Self.peakHostBytes)
    }

    // MARK: Decoding

    private static let captures: [(name: String, selection: AttentionTap.Selection)] = [
        ("off", .off), ("watched", .cross), ("everything", .everything),
    ]

    /// Decodes with each setting of the tap in turn, several times over, so that a busy moment of the machine does not
    /// fall on one of them alone.
    private func decodeRuns(_ model: Whisper, tap: AttentionTap, stream: CommandStream, count: Int) throws -> [BenchReport.Decode] {
        let vocabulary = model.configuration.vocabulary
        // Of each position its fastest run: a burst of other work then spoils a token, not a measurement.
        var shortest = [[Double]](repeating: Array(repeating: .infinity, count: count), count: Self.captures.count)
        var dispatches = [Double](repeating: 0, count: Self.captures.count)
        // The first round compiles and records.
        for round in 0...repeats {
            for (index, capture) in Self.captures.enumerated() {
                tap.selection = capture.selection
                _ = try model.start(tokens: Self.tokens(4, vocabulary: vocabulary), hypotheses: 1, logitRows: [])
                _ = try model.advance(tokens: [1], parents: nil)
                let before = stream.dispatchCount
                for (position, token) in Self.tokens(count, vocabulary: vocabulary).enumerated() {
                    try Task.checkCancellation()
                    let time = try seconds { _ = try model.advance(tokens: [token], parents: nil) }
                    if round > 0 { shortest[index][position] = min(shortest[index][position], time) }
                }
                dispatches[index] = Double(stream.dispatchCount - before) / Double(count)
            }
        }
        tap.selection = .off
        let means = shortest.map { $0.reduce(0, +) / Double(count) }
        return Self.captures.indices.map { index in
            BenchReport.Decode(
                capture: Self.captures[index].name, secondsPerToken: means[index], cost: means[index] / means[0] - 1,
                dispatchesPerToken: dispatches[index])
        }
    }

    /// All of the decoder's weights, the keys and values of the sound, and on average half of the tokens' own.
    private func decodeBytes(_ model: Whisper, bytes: [MemoryPurpose: Int], count: Int) -> Double {
        Double(bytes[.weightsDecoder] ?? 0) + Double(bytes[.crossKV] ?? 0) + Double(model.bytesPerToken) * Double(5 + count / 2)
    }

    // MARK: Kernels

    private func profile(_ model: Whisper, tap: AttentionTap, stream: CommandStream, features: [Float]) throws -> [BenchReport.Kernel] {
        guard device.properties.timestampPeriod > 0 else { return [] }
        stream.isProfiling = true
        defer { stream.isProfiling = false }
        _ = stream.takeTimings()
        try model.encode(logMel: features)
        let encoder = stream.takeTimings()
        _ = try model.start(tokens: Self.tokens(4, vocabulary: model.configuration.vocabulary), hypotheses: 1, logitRows: [])
        _ = stream.takeTimings()
        for token in Self.tokens(16, vocabulary: model.configuration.vocabulary) { _ = try model.advance(tokens: [token], parents: nil) }
        return Self.table("encoder", encoder) + Self.table("decode", stream.takeTimings())
    }

    private static func table(_ phase: String, _ timings: [KernelTiming]) -> [BenchReport.Kernel] {
        Dictionary(grouping: timings, by: \.variant.name).map { name, group in
            BenchReport.Kernel(
                phase: phase, kernel: name, dispatches: group.count, seconds: group.reduce(0) { $0 + $1.seconds },
                operations: group.reduce(0) { $0 + $1.operations })
        }.sorted { ($1.seconds, $0.kernel) < ($0.seconds, $1.kernel) }
    }

    // MARK: Input and clock

    private func logMel(mels: Int) throws -> LogMelSpectrogram {
        var parameters = LogMelSpectrogram.Parameters()
        parameters.melCount = mels
        return try LogMelSpectrogram(parameters)
    }

    /// 30 s of a rising tone with pauses.
    private static let sound: [Float] = (0..<30 * Media.speechSampleRate).map { index in
        let time = Float(index) / Float(Media.speechSampleRate)
        return time.truncatingRemainder(dividingBy: 1) < 0.7 ? 0.3 * sin(2 * .pi * (200 + 20 * time) * time) : 0
    }

    /// Any tokens do: the arithmetic is the same.
    private static func tokens(_ count: Int, vocabulary: Int) -> [Int] { (0..<count).map { ($0 * 37 + 11) % min(vocabulary, 1000) } }

    private func seconds(_ work: () throws -> Void) rethrows -> Double {
        let began = ContinuousClock.now
        try work()
        return began.duration(to: .now) / .seconds(1)
    }

    /// The fastest of several runs after one that compiles and warms up.
    private func fastest(_ work: () throws -> Void) throws -> Double {
        var shortest = Double.infinity
        for run in 0...repeats {
            try Task.checkCancellation()
            let time = try seconds(work)
            if run > 0 { shortest = min(shortest, time) }
        }
        return shortest
    }

    /// `VmHWM` of Linux.
    private static var peakHostBytes: Int? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let match = status.firstMatch(of: /VmHWM:\s*(\d+) kB/), let kibibytes = Int(match.1)
        else { return nil }
        return kibibytes * 1024
    }
}
