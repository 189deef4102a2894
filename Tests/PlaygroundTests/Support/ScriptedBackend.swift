import Compute
import AttentionTypes
import ModelStore
import NumberFormats
import Foundation
import Generation
import Media
import Playground
import Support
import PlaygroundCore
import Synchronization
import Planning

/// A backend without a model: a made-up recording of eleven seconds, its words, and attention that moves with them over
/// six layers of eight heads. Everything in it is computed, so it is the same in each run.
final class ScriptedBackend: PlaygroundBackend {
    struct Script: Sendable {
        var installed = true
        /// Between tokens.
        var pace: Duration = .milliseconds(2)
        var windows = 1
        var failure: String?
        var discards = false
        /// Seconds the microphone hears before it fails with `microphoneFailure`, or as long as one likes without one.
        var microphoneSeconds = 0.0
        var microphoneFailure: String?
        /// Unloading never ends.
        var hangs = false
    }

    struct Failure: Error, CustomStringConvertible { let description: String }

    private struct Holdings {
        var loaded = false
        var installed: Bool
        var tokens = 0
        var encoding = false
        var request: GenerationRequest?
    }

    private let script: Script
    private let holdings: Mutex<Holdings>

    init(_ script: Script = Script()) {
        self.script = script
        holdings = Mutex(Holdings(installed: script.installed))
    }

    var deviceName: String { get async { "llvmpipe (LLVM 15.0.6, 256 bits)" } }

    func models() async -> [ModelChoice] {
        let installed = holdings.withLock { $0.installed }
        return [
            ModelChoice(
                name: "whisper-base", description: "speech, 99 languages, 74 M parameters", installed: installed,
                bytes: 145_000_000),
            ModelChoice(
                name: "whisper-tiny.en", description: "speech, English, 39 M parameters", installed: false,
                bytes: 78_000_000),
        ]
    }

    func pull(_ name: String) -> AsyncThrowingStream<PullProgress, any Error> {
        .running { [script, self] emit in
            for step in 0...20 {
                emit(
                    PullProgress(
                        phase: .downloading, file: "model.bin", receivedBytes: step * 3_900_000,
                        totalBytes: 78_000_000))
                try await Task.sleep(for: script.pace)
            }
            holdings.withLock { $0.installed = true }
        }
    }

    func load(_ name: String) -> AsyncThrowingStream<LoadProgress, any Error> {
        .running { [script, self] emit in
            for step in 0...20 {
                emit(LoadProgress(stage: step < 8 ? "encoder weights" : "decoder weights", fraction: Double(step) / 20))
                try await Task.sleep(for: script.pace)
            }
            holdings.withLock { $0.loaded = true }
        }
    }

    func unload() async {
        if script.hangs { try? await Task.sleep(for: .seconds(3600)) }
        holdings.withLock { $0.loaded = false }
    }

    /// Something is on the device.
    var isLoaded: Bool { holdings.withLock { $0.loaded } }
    /// The last request.
    var lastRequest: GenerationRequest? { holdings.withLock { $0.request } }

    func listen() -> AsyncThrowingStream<Recording, any Error> {
        .running { [script] emit in
            var chunk = 0
            while script.microphoneFailure == nil || Double(chunk) * 0.1 < script.microphoneSeconds {
                let loudness = Float(0.02 + 0.3 * abs(sin(Double(chunk) * 0.7)))
                emit(Recording(samples: (0..<1600).map { $0 % 2 == 0 ? loudness : -loudness }, sampleRate: 16_000))
                chunk += 1
                try await Task.sleep(for: script.pace)
            }
            if let failure = script.microphoneFailure { throw Failure(description: failure) }
        }
    }

    func abilities() async -> ModelAbilities? {
        guard isLoaded else { return nil }
        return ModelAbilities(
            family: "Whisper", inputs: [.sound], holdsConversations: false, shownAttention: .cross,
            attentionLayers: Array(0..<RecordedSpeech.layers),
            attentionHeads: RecordedSpeech.heads, contextLength: 448)
    }

    func plan(_ request: PlanRequest) async throws -> MemoryPlan {
        MemoryPlan(
            path: request.model, architecture: "whisper", context: 448, deviceMemory: 8_326_742_016,
            total: 145_286_144 + 448 * 12_288, bytesPerToken: 12_288,
            purposes: [.init(purpose: .weightsDecoder, bytes: 145_286_144)],
            contexts: [448, 4096, 1 << 20].map {
                .init(context: $0, cache: $0 * 12_288, total: 145_286_144 + $0 * 12_288)
            })
    }

    func memory() async -> MemoryReport {
        let now = holdings.withLock { $0 }
        guard now.loaded else { return MemoryReport(byPurpose: [:], accounted: 0, heapSize: 8_326_742_016) }
        let parts: [MemoryPurpose: Int] = [
            .weightsEncoder: 41_313_280, .weightsDecoder: 103_972_864,
            .crossKV: now.encoding || now.tokens > 0 ? 18_432_000 : 0,
            .selfKV: 1_048_576 + now.tokens * 12_288, .activations: now.encoding ? 46_080_000 : 6_291_456,
            .capture: 4_608_000, .staging: 8_388_608,
            .pipelines: 1_310_720,
        ]
        let sum = parts.values.reduce(0, +)
        return MemoryReport(
            byPurpose: parts, accounted: sum, driverUsage: sum + 2_359_296, driverBudget: nil, heapSize: 8_326_742_016,
            bytesPerToken: 12_288,
            tokensLeft: 448 - now.tokens)
    }

    func answer(_ request: GenerationRequest) -> AsyncThrowingStream<GenerationEvent, any Error> {
        .running { [script, self] emit in
            holdings.withLock { $0.request = request }
            if let failure = script.failure { throw Failure(description: failure) }
            var index = 0
            for window in 0..<script.windows {
                let start = Double(window) * 30
                holdings.withLock { $0.encoding = true }
                emit(.inputPrepared(.audio(RecordedSpeech.window(window, language: request.speech.language ?? "en"))))
                try await Task.sleep(for: script.pace * 4)
                holdings.withLock { $0.encoding = false }
                emit(.encoded(seconds: 0.41))
                let tokens = RecordedSpeech.tokens(window: window, start: start)
                if script.discards && window == 0 {
                    for token in tokens.prefix(5) { emit(.token(token)) }
                    emit(.discarded(keeping: 0, reason: "compression ratio 2.6 above 2.4, temperature 0.2"))
                }
                for token in tokens {
                    try await Task.sleep(for: script.pace)
                    emit(.token(token.renumbered(index)))
                    index += 1
                    holdings.withLock { $0.tokens = index }
                }
                for segment in RecordedSpeech.segments(window: window, start: start) { emit(.segment(segment)) }
            }
            emit(
                .finished(
                    GenerationSummary(
                        reason: .endOfText, tokens: index, encodeSeconds: 0.41, prefillSeconds: 0.02,
                        decodeSeconds: Double(index) / 31.4)))
        }
    }
}

extension GeneratedToken {
    func renumbered(_ index: Int) -> GeneratedToken {
        GeneratedToken(
            index: index, window: window, id: id, text: text, piece: piece, isSpecial: isSpecial, timestamp: timestamp,
            logProbability: logProbability,
            alternatives: alternatives, attention: attention)
    }
}

/// The made-up recording: words with times, a spectrogram with bands like a voice's, attention near each word.
enum RecordedSpeech {
    static let layers = 6, heads = 8, positions = 1500, frames = 3000, mels = 80
    static let duration = 11.0

    /// Text, start and end in seconds, probability.
    static let words: [(text: String, start: Double, end: Double, probability: Double)] = [
        (" And", 0.3, 0.6, 0.93), (" so", 0.6, 1.0, 0.99), (",", 1.0, 1.0, 0.71), (" my", 1.1, 1.4, 0.98),
        (" fellow", 1.4, 1.8, 0.99),
        (" Americ", 1.8, 2.3, 0.97), ("ans", 2.3, 2.7, 0.99), (",", 2.7, 2.9, 0.64), (" ask", 3.4, 3.9, 0.88),
        (" not", 4.1, 4.6, 0.95),
        (" what", 5.4, 5.7, 0.91), (" your", 5.7, 5.9, 0.42), (" country", 5.9, 6.4, 0.99), (" can", 6.4, 6.7, 0.98),
        (" do", 6.7, 6.9, 0.99),
        (" for", 6.9, 7.1, 0.99), (" you", 7.1, 7.5, 0.98), (",", 7.6, 7.7, 0.55), (" ask", 8.1, 8.5, 0.96),
        (" what", 8.5, 8.8, 0.97),
        (" you", 8.8, 9.0, 0.97), (" can", 9.0, 9.3, 0.98), (" do", 9.3, 9.5, 0.99), (" for", 9.5, 9.7, 0.99),
        (" your", 9.7, 10.0, 0.98),
        (" country", 10.0, 10.5, 0.99), (".", 10.5, 10.6, 0.86),
    ]

    static func window(_ number: Int, language: String) -> AudioWindow {
        AudioWindow(
            index: number, start: Double(number) * 30, duration: duration, mels: mels, frames: frames, logMel: logMel,
            language: language,
            languageProbability: 0.98)
    }

    private static let logMel: [Float] = {
        var logMel = [Float](repeating: -1.2, count: mels * frames)
        for (index, word) in words.enumerated() {
            let pitch = 7.0 + 2.0 * sin(Double(index) * 1.7)
            for frame in Int(word.start * 100)..<Int(word.end * 100) {
                let phase = (Double(frame) / 100 - word.start) / max(0.05, word.end - word.start)
                let envelope = sin(.pi * min(1, max(0, phase)))
                let isNoisy = index % 5 == 3 && phase < 0.35
                for mel in 0..<mels {
                    let place = Double(mel)
                    var energy = 0.0
                    if isNoisy {
                        energy = 0.7 * exp(-pow((place - 62) / 14, 2)) * (0.8 + 0.2 * sin(Double(frame * 7 + mel * 13)))
                    } else {
                        for (number, formant) in [
                            pitch, 19 + 7 * sin(Double(index) * 0.9 + phase), 38 + 6 * cos(Double(index) + phase * 2),
                            55,
                        ].enumerated() {
                            energy +=
                                (1 - 0.17 * Double(number)) * exp(-pow((place - formant) / (2.2 + Double(number)), 2))
                        }
                        energy *= 0.82 + 0.18 * sin(place * 1.35)
                    }
                    logMel[mel * frames + frame] = Float(-1.2 + 2.4 * min(1, energy) * envelope)
                }
            }
        }
        // A little room noise, the same each time.
        var noise: UInt32 = 7
        for frame in 0..<Int(duration * 100) {
            for mel in 0..<mels {
                noise = noise &* 1_664_525 &+ 1_013_904_223
                logMel[mel * frames + frame] += Float(noise >> 24) / 255 * 0.22
            }
        }
        return logMel
    }()

    static func tokens(window: Int, start: Double) -> [GeneratedToken] {
        var tokens: [GeneratedToken] = [stamp(0, window, start)]
        for (number, word) in words.enumerated() {
            if number == 18 { tokens += [stamp(7.8, window, start), stamp(7.8, window, start)] }
            tokens.append(
                GeneratedToken(
                    index: 0, window: window, id: 1000 + number, text: word.text,
                    piece: word.text.replacingOccurrences(of: " ", with: "Ġ"),
                    logProbability: Float(log(word.probability)), attention: wordAttention[number]))
        }
        return tokens + [stamp(10.8, window, start)]
    }

    private static func stamp(_ time: Double, _ window: Int, _ start: Double) -> GeneratedToken {
        GeneratedToken(
            index: 0, window: window, id: 50364 + Int(time * 50), text: "",
            piece: "<|\(String(format: "%.2f", time))|>", isSpecial: true,
            timestamp: start + time, logProbability: -0.05, attention: stampAttention)
    }

    static func segments(window: Int, start: Double) -> [TranscriptSegment] {
        [(0.0, 7.8, 0..<18), (7.8, 10.8, 18..<words.count)].enumerated().map { index, part in
            TranscriptSegment(
                index: window * 2 + index, start: start + part.0, end: start + part.1,
                text: words[part.2].map(\.text).joined(), tokens: part.2.map { 1000 + $0 },
                temperature: 0, averageLogProbability: -0.12, compressionRatio: 1.3, noSpeechProbability: 0.01,
                words: timed(part.2, start))
        }
    }

    /// Words with their punctuation, as the alignment joins them.
    private static func timed(_ range: Range<Int>, _ start: Double) -> [TimedWord] {
        range.reduce(into: []) { timed, number in
            let word = words[number]
            if word.text.first == " " {
                timed.append(
                    TimedWord(
                        text: word.text, start: start + word.start, end: start + word.end,
                        probability: Float(word.probability)))
            } else if let last = timed.popLast() {
                timed.append(
                    TimedWord(
                        text: last.text + word.text, start: last.start,
                        end: word.text.count > 1 ? start + word.end : last.end, probability: last.probability))
            }
        }
    }

    private static let wordAttention = words.map {
        attention(around: ($0.start + $0.end) / 2, width: max(0.12, $0.end - $0.start))
    }
    private static let stampAttention = attention(around: 0.1, width: 0.5)

    /// Each head is a mix of a peak at the word, a broad look around it, the first positions, and everything evenly.
    static func attention(around time: Double, width: Double) -> [AttentionWeights] {
        (0..<layers).map { layer in
            var values: [Float] = []
            values.reserveCapacity(heads * positions)
            for head in 0..<heads {
                let sharpness = Double((layer * 5 + head * 3) % 8) / 7
                let shift = head % 4 == 1 ? -0.5 : head % 4 == 2 ? 0.35 : 0
                let spread = width * (0.25 + 2.5 * (1 - sharpness))
                var row = [Double](repeating: 0, count: positions)
                var total = 0.0
                for position in 0..<positions {
                    let moment = Double(position) * 0.02
                    var weight = sharpness * exp(-pow((moment - time - shift) / spread, 2)) + 0.004 * (1 - sharpness)
                    if position < 12 { weight += 0.25 * (1 - sharpness) * exp(-Double(position) / 4) }
                    if moment > duration { weight *= 0.3 }
                    row[position] = weight
                    total += weight
                }
                values += row.map { Float($0 / total) }
            }
            return AttentionWeights(
                kind: .cross, layer: layer, heads: heads, queries: 1, keys: positions, values: values)
        }
    }
}
