import ModelStore
import JSON
import Generation
import AttentionAnalysis
import Checkpoint
import Compute
import ComputeReference
import AttentionTypes
import NumberFormats
import Foundation
import Media
import Models
import TestSupport
import Testing

@testable import Speech

@Suite(
    "Whisper's generation, as transformers does it", .usesDevice,
    .enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"), .serialized)
struct WhisperFixtureGenerationTests {
    /// The fixture's own decoding rules, around a loaded model that has heard the fixture's recording.
    private struct Case {
        let session: SpeechSession
        let recording: Recording
        let generation: JSONReader
        let expected: JSONValue

        init(_ name: String) throws {
            let folder = Fixtures.model(name)
            session = try SpeechSession(path: folder.path, on: TestDevice.open())
            recording = try AudioFile.load(path: Fixtures.models.appending(path: "inputs/audio.wav").path)
            generation = try JSONReader(contentsOf: folder.appending(path: "generation_config.json").path)
            expected = try JSONReader(contentsOf: folder.appending(path: "generate.json").path).value
            // The extractor of transformers pads the sound, not the spectrogram, to 30 s.
            let mel = try session.spectrogram(of: recording)
            let configuration = try #require(session.model as? Whisper).configuration
            let window = mel.slice(
                first: 0, count: configuration.frames, length: configuration.frames, padding: .silence)
            try session.decoder.encode(
                window: AudioWindow(
                    index: 0, start: 0, duration: recording.duration, mels: configuration.mels,
                    frames: configuration.frames, logMel: window))
        }

        func processors(timestamps: Bool) throws -> [any LogitsProcessor] {
            var chain: [any LogitsProcessor] = [
                SuppressTokensAtBegin(try generation.ints("begin_suppress_tokens")),
                SuppressTokens(try generation.ints("suppress_tokens")),
            ]
            if timestamps {
                chain.append(
                    TimestampRules(
                        timestampBegin: try generation.int("no_timestamps_token_id") + 1,
                        endOfText: try generation.int("eos_token_id"),
                        noTimestamps: try generation.int("no_timestamps_token_id"),
                        maximumInitialIndex: try generation.int("max_initial_timestamp_index")))
            }
            return chain
        }
    }

    @Test(
        "one window, greedy, with and without timestamps, both tasks: the same tokens",
        arguments: ["whisper-80", "whisper-128"])
    func windows(_ name: String) throws {
        let fixture = try Case(name)
        let windows = try #require(fixture.expected["windows"]?.arrayValue)
        #expect(!windows.isEmpty)
        for window in windows {
            let prompt = try #require(window["prompt"]?.intArray)
            let tokens = try #require(window["tokens"]?.intArray)
            let timestamps = window["timestamps"]?.boolValue == true
            let request = SearchRequest(
                prompt: prompt, processors: try fixture.processors(timestamps: timestamps),
                endTokens: [try fixture.generation.int("eos_token_id")], maximumNewTokens: tokens.count)
            let result = try SamplingSearch(SamplingOptions()).run(fixture.session.decoder, request)
            #expect(result.hypotheses[0].tokens.map(\.id) == tokens, "prompt \(prompt)")
        }
    }

    @Test("token times by dynamic time warping over the alignment heads", arguments: ["whisper-80", "whisper-128"])
    func tokenTimes(_ name: String) throws {
        let fixture = try Case(name)
        let runs = try #require(fixture.expected["generate"]?.arrayValue)
        let run = try #require(runs.first { $0["token_timestamps"] != nil })
        let times = try #require(run["token_timestamps"]?.doubleArray)
        let tokens = try #require(run["sequences"]?.intArray)
        let windows = try #require(fixture.expected["windows"]?.arrayValue)
        let prompt = try #require(
            windows.first { $0["timestamps"]?.boolValue == false && $0["task"]?.stringValue == "transcribe" }?[
                "prompt"]?.intArray)

        let decoder = fixture.session.decoder
        _ = try decoder.start(prompt: prompt, hypotheses: 1, logitRows: [])
        var steps: [[AttentionWeights]] = []
        for token in tokens.dropLast() { steps.append(try decoder.advance(tokens: [token], parents: [0]).attention[0]) }
        let weights = try AlignmentWeights(collecting: decoder.alignmentHeads, from: steps)
        // transformers keeps the positions of the frames it was given: the whole padded window here.
        let found = weights.tokenTimes(options: .init())
        #expect(found.count == times.count)
        for (a, b) in zip(found, times) { #expect(abs(a - b) < 0.011, "\(found) instead of \(times)") }
    }

    @Test("beam search keeps its promise: no worse than greedy, and one beam is greedy")
    func beams() throws {
        let fixture = try Case("whisper-80")
        let windows = try #require(fixture.expected["windows"]?.arrayValue)
        let prompt = try #require(windows[0]["prompt"]?.intArray)
        let request = SearchRequest(
            prompt: prompt, processors: try fixture.processors(timestamps: false),
            endTokens: [try fixture.generation.int("eos_token_id")],
            maximumNewTokens: 8)
        let greedy = try SamplingSearch(SamplingOptions()).run(fixture.session.decoder, request)
        let one = try BeamSearch(beams: 1, rule: .whisper(patience: 1, lengthPenalty: nil)).run(
            fixture.session.decoder, request)
        let five = try BeamSearch(beams: 5, rule: .whisper(patience: 1, lengthPenalty: nil)).run(
            fixture.session.decoder, request)
        #expect(one.hypotheses[0].tokens.map(\.id) == greedy.hypotheses[0].tokens.map(\.id))
        func total(_ result: SearchResult) -> Float { result.hypotheses[0].tokens.reduce(0) { $0 + $1.logProbability } }
        #expect(total(five) >= total(greedy) - 1e-3)
    }
}

/// Real weights, when they have been pulled.
@Suite("Whisper with its real weights", .usesDevice, .serialized)
struct RealWhisperTests {
    private static func installed(_ name: String) -> Bool { (try? ModelStore.standard().resolve(name)) != nil }
    private static let words =
        "and so my fellow americans ask not what your country can do for you ask what you can do for your country"

    private static func normalized(_ text: String) -> String {
        text.lowercased().split { !$0.isLetter }.joined(separator: " ")
    }

    @Test(
        "the famous sentence, its words and their times",
        .enabled(if: Fixtures.available, "the sample recording is not beside the checkout"),
        .enabled(
            if: installed("whisper-tiny.en") && installed("whisper-base"), "pull whisper-tiny.en and whisper-base first"
        ),
        arguments: ["whisper-tiny.en", "whisper-base"])
    func sentence(_ name: String) throws {
        let device = try TestDevice.open()
        let recording = try AudioFile.load(path: Fixtures.data.appending(path: "jfk.wav").path)
        var options = TranscriptionOptions()
        options.words = true
        var tokens = 0
        var watched = 0
        let transcript: Transcript
        do {
            let session = try SpeechSession(path: ModelStore.standard().resolve(name).path, on: device)
            transcript = try session.transcribe(recording, options: options) { event in
                guard case .token(let token) = event else { return }
                tokens += 1
                watched += token.attention.isEmpty ? 0 : 1
                for weights in token.attention {
                    for head in 0..<weights.heads {
                        let sum = weights.row(head: head, query: 0).reduce(0, +)
                        #expect(abs(sum - 1) < 1e-4, "layer \(weights.layer) head \(head) sums to \(sum)")
                    }
                }
            }
        }
        #expect(Self.normalized(transcript.text) == Self.words)
        #expect(transcript.language == (name.hasSuffix(".en") ? nil : "en") || transcript.language == "en")
        #expect(tokens > 20 && watched == tokens)
        let found = transcript.segments.flatMap { $0.words ?? [] }
        #expect(Self.normalized(found.map(\.text).joined()) == Self.words)
        for (earlier, later) in zip(found, found.dropFirst()) {
            #expect(earlier.start <= later.start && earlier.start <= earlier.end)
        }
        // "country" ends the sentence, and the recording is 11 s long; "Americans" is said around 2.3 s.
        let americans = try #require(found.first { Self.normalized($0.text) == "americans" })
        #expect(americans.start > 1 && americans.end < 3.5)
        #expect(device.ledger.entries.filter { $0.purpose == .weightsDecoder || $0.purpose == .crossKV }.isEmpty)
    }

    /// Set to a Python that has torch, transformers and safetensors.
    private static let python = ProcessInfo.processInfo.environment["FOVEA_TEST_PYTORCH"]

    @Test(
        "cross-attention as PyTorch computes it from the same weights",
        .enabled(if: python != nil, "set FOVEA_TEST_PYTORCH to a Python with transformers"),
        .enabled(if: Fixtures.available, "the sample recording is not beside the checkout"),
        .enabled(
            if: installed("whisper-tiny.en") && installed("whisper-base"), "pull whisper-tiny.en and whisper-base first"
        ),
        arguments: ["whisper-tiny.en", "whisper-base"])
    func againstPyTorch(_ name: String) throws {
        let folder = try ModelStore.standard().resolve(name).path
        let session = try SpeechSession(path: folder, on: TestDevice.open())
        let recording = try AudioFile.load(path: Fixtures.data.appending(path: "jfk.wav").path)
        let whisper = try #require(session.model as? Whisper)
        let configuration = whisper.configuration
        let features = try session.spectrogram(of: recording)
            .slice(first: 0, count: configuration.frames, length: configuration.frames, padding: .silence)
        try whisper.encode(logMel: features)
        let encoded = try whisper.decoder.readEncoderOutput().values

        // Prefill a prompt, then decode greedily: both ways through the cross-attention are held against PyTorch.
        let special = session.tokenizer
        var tokens = [special.startOfTranscript]
        if special.isMultilingual {
            tokens += [special.languages.first { $0.code == "en" }?.token, special.transcribe].compactMap { $0 }
        }
        tokens += [special.noTimestamps].compactMap { $0 }
        session.model.tap?.queryRows = .all
        let first = try session.model.start(tokens: tokens, hypotheses: 1, logitRows: Set(tokens.indices))
        var steps = [session.model.tap?.takeRows() ?? []]
        session.model.tap?.queryRows = .none
        var logits = tokens.indices.map { first[$0] ?? [] }
        for _ in 0..<24 {
            let next = try #require(LogProbabilities.argmax(logits[logits.count - 1]))
            tokens.append(next)
            let (row, attention) = try session.model.advance(tokens: [next], parents: nil)
            logits.append(row[0])
            steps.append(attention[0])
        }

        let temporary = try TemporaryFolder()
        let input = try SafetensorsWriter(path: temporary.path("input.safetensors"))
        try input.add("features", shape: [configuration.mels, configuration.frames], floats: features)
        try input.add("tokens", shape: [tokens.count], integers: tokens)
        try input.finish()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.python ?? "python3")
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "PyTorch/whisper_reference.py")
        process.arguments = [
            script.path, folder, temporary.path("input.safetensors"), temporary.path("output.safetensors"),
        ]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "the reference script failed")
        let reference = try Checkpoint.open(temporary.path("output.safetensors"))

        func difference(_ a: [Float], _ b: [Float]) -> Float {
            #expect(a.count == b.count)
            return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
        }
        var worst: Float = 0
        for layer in 0..<configuration.decoderLayers {
            let expected = try reference.floats("cross.\(layer)")
            let rows = steps.map { $0.first { $0.kind == .cross && $0.layer == layer } }
            var actual: [Float] = []
            for head in 0..<configuration.decoderHeads {
                for case let step? in rows {
                    for query in 0..<step.queries { actual += step.row(head: head, query: query) }
                }
            }
            worst = max(worst, difference(actual, expected))
        }
        let scale = try reference.floats("logits").reduce(0) { max($0, abs($1)) }
        let logitError = difference(logits.flatMap { $0 }, try reference.floats("logits")) / scale
        let encoderError = difference(encoded, try reference.floats("enc.out"))
        print(
            "\(name): cross-attention differs by at most \(worst), logits by \(logitError) of the largest, encoder output by \(encoderError)"
        )
        #expect(worst <= 2e-3)
        #expect(logitError <= 1e-3)
    }
}
