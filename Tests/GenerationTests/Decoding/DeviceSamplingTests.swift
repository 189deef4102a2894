import Compute
import NumberFormats
import Models
import TestSupport
import Testing
import Transformer

@testable import Generation

/// Answers of small models with the best tokens found on the device, as on a device with memory of its own, against
/// answers from whole rows.
@Suite(
    "Sampling on the device", .usesDevice,
    .enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"), .serialized)
struct DeviceSamplingTests {
    private static let steps = 24

    private func session(_ name: String, givesCandidates: Bool, on device: Device) throws -> TextSession {
        let files = try ModelFiles(path: Fixtures.model(name).path)
        let model = try ModelRegistry.make(from: files)
        model.decoder.givesCandidates = givesCandidates
        let planned = model.plannedBuffers(unifiedMemory: device.properties.hasUnifiedMemory)
        let before = device.ledger.total
        let session = try TextSession(model, from: files, on: device)
        #expect(device.ledger.total - before == planned.reduce(0) { $0 + $1.bytes })
        return session
    }

    /// Bytes of logits and candidates that the steps after the prompt brought to the host come with the tokens.
    private func answer(_ session: TextSession, _ prompt: [Int], _ options: TextOptions) throws -> (
        tokens: [GeneratedToken], bytesRead: Int
    ) {
        var tokens: [GeneratedToken] = []
        let before = session.model.decoder.bytesRead
        try session.generate(prompt, options: options, endTokens: []) { event in
            if case .token(let token) = event { tokens.append(token) }
        }
        // The prompt's last row is read whole.
        return (tokens, session.model.decoder.bytesRead - before - session.model.vocabulary * 4)
    }

    private static func options(_ set: (inout TextOptions) -> Void) -> TextOptions {
        var options = TextOptions()
        options.maximumTokens = steps
        options.alternatives = 4
        set(&options)
        return options
    }

    @Test(
        "the same text, log-probabilities, alternatives and attention from half a kilobyte a token",
        arguments: ["llama", "llama3", "gpt2"])
    func decided(_ name: String) throws {
        let device = try Device(validation: true)
        let whole = try session(name, givesCandidates: false, on: device)
        let few = try session(name, givesCandidates: true, on: device)
        let prompt = try Fixtures.golden(name).integers("main/input_ids")
        let cases = [
            Self.options { _ in },
            Self.options { $0.alternatives = 65 },
            Self.options {
                $0.sampling.temperature = 0.8
                $0.sampling.topK = 20
                $0.sampling.topP = 0.9
                $0.sampling.seed = 11
            },
            Self.options {
                $0.sampling.temperature = 1.3
                $0.sampling.topK = 64
                $0.sampling.minP = 0.05
                $0.sampling.typicalP = 0.9
                $0.sampling.seed = 12
            },
        ]
        for (index, options) in cases.enumerated() {
            // Watching more makes other recordings.
            for session in [whole, few] { session.model.tap?.selection = index == 2 ? .everything : .off }
            let expected = try answer(whole, prompt, options), got = try answer(few, prompt, options)
            #expect(got.tokens.count == Self.steps)
            #expect(got.tokens.map(\.text).joined() == expected.tokens.map(\.text).joined())
            for (token, wanted) in zip(got.tokens, expected.tokens) {
                #expect(token.id == wanted.id && abs(token.logProbability - wanted.logProbability) <= 1e-5)
                #expect(
                    token.alternatives.map(\.id) == wanted.alternatives.map(\.id)
                        && token.alternatives.count == options.alternatives)
                for (other, wanted) in zip(token.alternatives, wanted.alternatives) {
                    #expect(abs(other.logProbability - wanted.logProbability) <= 1e-5)
                }
                #expect(token.attention.map(\.values) == wanted.attention.map(\.values))
            }
            #expect(expected.bytesRead == (Self.steps - 1) * whole.model.vocabulary * 4)
            #expect(got.bytesRead == (Self.steps - 1) * TokenCandidates.resultBytes(rows: 1))
        }
        #expect(device.instance.validationMessages == [])
    }

    @Test("where the best tokens do not tell, the rows are fetched, and the answer is the same")
    func undecided() throws {
        let device = try Device(validation: true)
        let whole = try session("llama", givesCandidates: false, on: device)
        let few = try session("llama", givesCandidates: true, on: device)
        let prompt = try Fixtures.golden("llama").integers("main/input_ids")
        let row = whole.model.vocabulary * 4, list = TokenCandidates.resultBytes(rows: 1)
        let steps = Self.steps - 1
        func check(_ bytes: ClosedRange<Int>, _ set: (inout TextOptions) -> Void) throws {
            let options = Self.options {
                $0.sampling.seed = 13
                set(&$0)
            }
            let expected = try answer(whole, prompt, options), got = try answer(few, prompt, options)
            #expect(got.tokens.map(\.id) == expected.tokens.map(\.id))
            for (token, wanted) in zip(got.tokens, expected.tokens) {
                #expect(abs(token.logProbability - wanted.logProbability) <= 1e-5)
            }
            #expect(bytes.contains(got.bytesRead), "\(got.bytesRead) not in \(bytes)")
        }
        // Asked for, and never enough: a nucleus of nearly everything.
        try check(steps * (list + row)...steps * (list + row)) {
            $0.sampling.temperature = 3; $0.sampling.topP = 0.999
        }
        // Sometimes enough.
        try check(steps * list...steps * (list + row)) {
            $0.sampling.temperature = 0.4; $0.sampling.topP = 0.7
        }
        // Never asked for.
        try check(steps * row...steps * row) { $0.sampling.temperature = 1 }
        try check(steps * row...steps * row) { $0.sampling.repetitionPenalty = 1.2 }
        try check(steps * row...steps * row) { $0.alternatives = 66 }
        try check(steps * row...steps * row) { $0.sampling.suppressed = [5] }
        #expect(device.instance.validationMessages == [])
    }

    @Test("several samples, with and without enough, and steps that are not replayed")
    func samples() throws {
        let device = try Device(validation: true)
        let whole = try session("llama", givesCandidates: false, on: device)
        let few = try session("llama", givesCandidates: true, on: device)
        let request = SearchRequest(
            prompt: try Fixtures.golden("llama").integers("main/input_ids"), endTokens: [3, 7, 11],
            maximumNewTokens: 12, alternatives: 2)
        for (topK, topP) in [(20, nil), (nil, 0.8)] as [(Int?, Float?)] {
            var sampling = SamplingOptions()
            sampling.temperature = 0.7
            sampling.topK = topK
            sampling.topP = topP
            sampling.seed = 4
            let search = SamplingSearch(sampling, samples: 5)
            let expected = try search.run(whole.decoder, request), got = try search.run(few.decoder, request)
            #expect(got.hypotheses.map(\.ids) == expected.hypotheses.map(\.ids))
            for (score, wanted) in zip(got.scores, expected.scores) { #expect(abs(score - wanted) < 1e-4) }
        }
        few.model.decoder.stream?.isProfiling = true
        let options = Self.options { _ in }
        let profiled = try answer(few, request.prompt, options)
        few.model.decoder.stream?.isProfiling = false
        #expect(profiled.tokens.map(\.id) == (try answer(whole, request.prompt, options)).tokens.map(\.id))
        #expect(device.instance.validationMessages == [])
    }

    @Test("without a word, steps give candidates where the device has memory of its own")
    func byDevice() throws {
        let files = try ModelFiles(path: Fixtures.model("llama").path)
        let device = try Device(validation: false)
        let session = try TextSession(path: Fixtures.model("llama").path, on: device)
        #expect(session.model.decoder.canGiveCandidates == !device.properties.hasUnifiedMemory)
        let model = try ModelRegistry.make(from: files)
        func labels(unified: Bool) -> Int {
            model.plannedBuffers(unifiedMemory: unified).filter { $0.label.hasPrefix("candidates") }.count
        }
        #expect(labels(unified: true) == 0 && labels(unified: false) == 2)
    }
}
