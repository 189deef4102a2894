import Compute
import Foundation
import Generation
import Media
import Models
import TestSupport
import Testing
import Tokenization

@testable import Speech

/// Sessions of models that read the waveform, on the reference model of Moonshine.
@Suite("waveform sessions", .usesDevice, .needsLargeFixtures, .serialized)
struct WaveformSessionTests {
    private struct Answer {
        var windows: [AudioWindow] = []
        var tokens: [GeneratedToken] = []
        var segments: [TranscriptSegment] = []
        var summary: GenerationSummary?
    }

    private static func session() throws -> any TranscribingSession {
        try TranscribingSessions.load(
            path: Fixtures.model("moonshine").path, options: LoadOptions(), on: Device(validation: true)
        ) { _, _ in }
    }

    private static func transcribe(
        _ samples: [Float], _ session: any TranscribingSession, _ options: TranscriptionOptions = .init()
    ) throws -> (Answer, Transcript) {
        var answer = Answer()
        let transcript = try session.transcribe(
            Recording(samples: samples), options: options, isCancelled: { false }
        ) { event in
            switch event {
            case .inputPrepared(.audio(let window)): answer.windows.append(window)
            case .token(let token): answer.tokens.append(token)
            case .segment(let segment): answer.segments.append(segment)
            case .finished(let summary): answer.summary = summary
            default: break
            }
        }
        return (answer, transcript)
    }

    private static func recording() throws -> [Float] {
        try AudioFile.load(path: Fixtures.models.appending(path: "inputs/audio.wav").path).samples
    }

    @Test("the reference's tokens, with attention over the positions of the sound")
    func golden() throws {
        let golden = try Fixtures.golden("moonshine")
        let greedy = try golden.integers("short/greedy")
        let samples = Array(try Self.recording().prefix(try golden.integers("short/samples")[0]))
        var options = TranscriptionOptions()
        options.maximumTokensPerWindow = greedy.count
        let (answer, transcript) = try Self.transcribe(samples, Self.session(), options)
        #expect(answer.tokens.map(\.id) == Array(greedy.prefix(answer.tokens.count)) && !answer.tokens.isEmpty)
        #expect(answer.tokens.map(\.index) == Array(answer.tokens.indices))
        let window = try #require(answer.windows.first)
        #expect(answer.windows.count == 1 && abs(window.duration - Double(samples.count) / 16_000) < 1e-9)
        // A position is 24 ms of sound.
        let keys = try #require(answer.tokens.first?.attention.first?.keys)
        #expect(abs(Double(keys) * 0.024 - window.duration) < 0.05)
        #expect(transcript.segments == answer.segments && answer.summary?.tokens == answer.tokens.count)
    }

    @Test("long recordings are cut at quiet moments, and every piece has its place in time")
    func longRecording() throws {
        let tone = (0..<16_000 * 70).map { index -> Float in
            let second = Double(index) / 16_000
            return (27.0..<27.4).contains(second) || (54.0..<54.4).contains(second) ? 0 : sin(Float(index) * 0.1) / 4
        }
        var options = TranscriptionOptions()
        options.maximumTokensPerWindow = 3
        let (answer, transcript) = try Self.transcribe(tone, Self.session(), options)
        #expect(answer.windows.map(\.index) == [0, 1, 2] && transcript.duration == 70)
        #expect(abs(answer.windows[1].start - 27.2) < 0.25 && abs(answer.windows[2].start - 54.2) < 0.25)
        for (index, window) in answer.windows.enumerated() {
            let next = index + 1 < answer.windows.count ? answer.windows[index + 1].start : 70
            #expect(abs(window.start + window.duration - next) < 1e-9)
        }
        #expect(Set(answer.tokens.map(\.window)) == [0, 1, 2])
        #expect(answer.tokens.map(\.index) == Array(answer.tokens.indices))
    }

    @Test(
        "pieces cover the recording; too short a rest is left out",
        arguments: [0, 100, 895, 480_000, 480_100, 1_500_000])
    func pieces(_ count: Int) {
        let pieces = QuietCuts.pieces(of: [Float](repeating: 0.5, count: count), limits: 895...480_000)
        #expect(pieces.allSatisfy { (895...480_000).contains($0.count) })
        #expect(zip(pieces, pieces.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect((pieces.last?.upperBound ?? 0) == (count < 895 ? 0 : count) && (pieces.first?.lowerBound ?? 0) == 0)
    }

    @Test("what the vocabulary has no tokens for is refused")
    func refused() throws {
        let session = try Self.session(), samples = [Float](repeating: 0.1, count: 16_000)
        for change in [
            { $0.task = .translate }, { $0.language = "fr" }, { $0.words = true }, { $0.initialPrompt = "a" },
        ] as [(inout TranscriptionOptions) -> Void] {
            var options = TranscriptionOptions()
            change(&options)
            #expect(throws: GenerationError.self) { try Self.transcribe(samples, session, options) }
        }
    }
}
