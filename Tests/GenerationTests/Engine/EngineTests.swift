import AttentionAnalysis
import AttentionTypes
import Foundation
import Media
import Models
import Speech
import TestSupport
import Testing

@testable import Generation

/// The engine as the playground uses it, on models of every kind.
@Suite(
    "Engine", .usesDevice, .enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"),
    .serialized)
struct EngineTests {
    /// The events of a run.
    struct Answer {
        var tokens: [GeneratedToken] = []
        var source: SourceText?
        var pictures: [PictureInput] = []
        var dropped = 0
        var reopened = 0
        var encodings = 0
        var summary: GenerationSummary?

        var ids: [Int] { tokens.map(\.id) }
        var text: String { tokens.map(\.text).joined() }
    }

    static func ask(_ engine: Engine, _ request: GenerationRequest) async throws -> Answer {
        var answer = Answer()
        for try await event in engine.answer(request) {
            switch event {
            case .token(let token): answer.tokens.append(token)
            case .inputPrepared(.source(let source)): answer.source = source
            case .inputPrepared(.picture(let picture)): answer.pictures.append(picture)
            case .inputPrepared(.audio), .segment, .discarded: break
            case .encoded: answer.encodings += 1
            case .contextShortened(let count): answer.dropped += count
            case .deviceReopened: answer.reopened += 1
            case .finished(let summary): answer.summary = summary
            }
        }
        return answer
    }

    static func open(_ path: String, options: LoadOptions = LoadOptions()) async throws -> Engine {
        let engine = try Engine(deviceSelector: nil, pipelineCacheFolder: nil, sessions: .standard)
        #expect(engine.abilities() == nil)
        for try await _ in engine.load(path: path, options: options) {}
        return engine
    }

    @Test(
        "a text that is read and rewritten: source, tokens, attention to the source",
        arguments: ["t5", "flan-t5", "marian", "bart"])
    func translation(_ name: String) async throws {
        let golden = try Fixtures.golden(name)
        let engine = try await Self.open(Fixtures.model(name).path)
        let abilities = try #require(engine.abilities())
        #expect(abilities.inputs == [.text] && abilities.shownAttention == .cross && !abilities.holdsConversations)
        var request = GenerationRequest(messages: [ChatMessage(.user, try golden.text("main"))])
        request.text.alternatives = 3
        // The fixtures' greedy runs do not stop at an end token; ours does.
        let greedy = try golden.integers("main/greedy")
        request.text.maximumTokens = greedy.count
        let answer = try await Self.ask(engine, request)
        let source = try #require(answer.source)
        #expect(source.tokens.map(\.id) == (try golden.integers("main/input_ids")))
        #expect(answer.ids == Array(greedy.prefix(answer.ids.count)) && !answer.ids.isEmpty)
        #expect(answer.encodings == 1 && answer.summary?.tokens == answer.ids.count)
        // The rollout through the encoder is that of the reference's attention.
        let layers = try (0..<16).map { "main/enc.attn.\($0)" }.filter(golden.contains).enumerated().map {
            layer, name in
            let shape = Array(try golden.shape(name).suffix(3))
            return AttentionWeights(
                kind: .encoder, layer: layer, heads: shape[0], queries: shape[1], keys: shape[2],
                values: try golden.floats(name))
        }
        let rollout = try AttentionRollout.rollOut(layers)
        #expect(
            source.rollout.count == source.tokens.count * source.tokens.count && source.rollout.count == rollout.count)
        #expect(zip(source.rollout, rollout).allSatisfy { abs($0 - $1) < 1e-4 })
        for (step, token) in answer.tokens.enumerated() {
            #expect(token.index == step && token.alternatives.first?.id == token.id)
            #expect(token.attention.map(\.layer) == abilities.attentionLayers)
            for weights in token.attention {
                #expect(
                    weights.kind == .cross && weights.keys == source.tokens.count
                        && weights.heads == abilities.attentionHeads)
                let mismatch = try golden.compare(
                    actual: weights.values, shape: [weights.heads, 1, weights.keys],
                    to: "main/step\(step).cross.\(weights.layer)")
                #expect(mismatch == nil)
            }
        }
        // Taken up again from its middle, the answer goes on as it did.
        let half = answer.ids.count / 2
        request.text.answerPrefix = Array(answer.ids.prefix(half))
        let rest = try await Self.ask(engine, request)
        #expect(rest.ids == Array(answer.ids.dropFirst(half)) && rest.tokens.first?.index == half)
        #expect(answer.tokens.prefix(half).map(\.text).joined() + rest.text == answer.text)
    }

    @Test("a sampled answer taken up again with the same seed goes on as it did")
    func seeds() async throws {
        let golden = try Fixtures.golden("gpt2")
        let engine = try await Self.open(Fixtures.model("gpt2").path)
        var request = GenerationRequest(messages: [ChatMessage(.user, try golden.text("main"))])
        request.text.maximumTokens = 12
        request.text.sampling.temperature = 1
        request.text.sampling.seed = 7
        request.text.sampling.presencePenalty = 0.5
        let answer = try await Self.ask(engine, request)
        #expect(answer.ids.count > 4)
        request.text.answerPrefix = Array(answer.ids.prefix(4))
        let rest = try await Self.ask(engine, request)
        #expect(rest.ids == Array(answer.ids.dropFirst(4)))
    }

    @Test("beams report tokens once all agree, and end with the best", arguments: ["t5", "marian"])
    func beams(_ name: String) async throws {
        let golden = try Fixtures.golden(name)
        let engine = try await Self.open(Fixtures.model(name).path)
        var request = GenerationRequest(messages: [ChatMessage(.user, try golden.text("main"))])
        request.text.maximumTokens = 10
        request.text.beams = 4
        let answer = try await Self.ask(engine, request)
        #expect(answer.tokens.map(\.index) == Array(answer.tokens.indices) && !answer.ids.isEmpty)
        var greedy = request
        greedy.text.beams = 1
        let plain = try await Self.ask(engine, greedy)
        // A beam's best is at least as likely, by its own measure.
        func score(_ answer: Answer) -> Float {
            answer.tokens.reduce(0) { $0 + $1.logProbability } / Float(answer.tokens.count)
        }
        #expect(score(answer) >= score(plain) - 1e-4)
        request.text.sampling.temperature = 1
        await #expect(throws: GenerationError.self) { try await Self.ask(engine, request) }
    }

    @Test("a transcript taken up again goes on as it did; hidden moments and silenced heads change it")
    func speech() async throws {
        let engine = try await Self.open(Fixtures.model("whisper-80").path)
        let sound = try AudioFile.load(
            path: Fixtures.models.appending(path: "inputs/audio.wav").path, acceptTruncated: false)
        var request = GenerationRequest(sound: .recording(sound))
        request.speech.temperatures = [0]
        request.speech.language = "fr"
        request.speech.noSpeechThreshold = nil
        request.speech.maximumTokensPerWindow = 12
        let answer = try await Self.ask(engine, request)
        try #require(answer.ids.count > 6)
        request.text.answerPrefix = Array(answer.ids.prefix(5))
        let rest = try await Self.ask(engine, request)
        #expect(rest.tokens.first?.index == 5 && rest.ids == Array(answer.ids.dropFirst(5)))
        for (old, new) in zip(answer.tokens.dropFirst(5), rest.tokens) {
            #expect(abs(old.logProbability - new.logProbability) < 1e-3)
        }

        request.interventions.hiddenKeys[.cross] = Set(0..<400)
        let hidden = try await Self.ask(engine, request)
        for weights in hidden.tokens.flatMap(\.attention) {
            for head in 0..<weights.heads {
                #expect(weights.row(head: head, query: 0).prefix(400).allSatisfy { $0 == 0 })
            }
        }
        request.interventions = Interventions(silencedHeads: [AttentionHead(kind: .encoder, layer: 0, head: 1)])
        let silenced = try await Self.ask(engine, request)
        #expect(silenced.tokens.map(\.logProbability) != rest.tokens.map(\.logProbability))
        request.interventions = .none
        let back = try await Self.ask(engine, request)
        #expect(back.tokens.map(\.logProbability) == rest.tokens.map(\.logProbability))
    }

    @Test("an answer that nobody wants any more stops, and the engine goes on")
    func cancelling() async throws {
        let golden = try Fixtures.golden("gpt2")
        let engine = try await Self.open(Fixtures.model("gpt2").path)
        var request = GenerationRequest(messages: [ChatMessage(.user, try golden.text("main"))])
        request.text.maximumTokens = 1000
        request.text.sampling.suppressed = [0]
        var seen = 0
        for try await event in engine.answer(request) {
            if case .token = event { seen += 1 }
            if seen == 2 { break }
        }
        request.text.maximumTokens = 4
        request.text.sampling.suppressed = []
        let answer = try await Self.ask(engine, request)
        #expect(answer.ids == Array(try golden.integers("main/greedy").prefix(answer.ids.count)) && !answer.ids.isEmpty)
        // Far fewer than there is room for ran before that: the rest of the first answer was not waited for.
        #expect(engine.memory().tokensLeft.map { $0 > 0 } ?? false)
    }

    @Test("what a model does not read is refused by name, and the engine goes on")
    func wrongInputs() async throws {
        let engine = try await Self.open(Fixtures.model("t5").path)
        let sound = Recording(samples: [0, 0], sampleRate: 16000)
        for request in [
            GenerationRequest(messages: [ChatMessage(.user, "a")], sound: .recording(sound)), GenerationRequest(),
            GenerationRequest(messages: [ChatMessage(.user, "a", pictures: ["a.png"])]),
        ] {
            do {
                _ = try await Self.ask(engine, request)
                Issue.record("not refused")
            } catch let error as GenerationError {
                guard case .unsuitableInput(_, _, let takes) = error else { throw error }
                #expect(takes == "text")
            }
        }
        #expect(
            !(try await Self.ask(engine, GenerationRequest(messages: [ChatMessage(.user, "The cat.")])).ids.isEmpty))
        for try await _ in engine.load(path: Fixtures.model("whisper-80").path) {}
        #expect(engine.abilities()?.inputs == [.sound])
        await #expect(throws: GenerationError.self) {
            try await Self.ask(engine, GenerationRequest(messages: [ChatMessage(.user, "a")]))
        }
        await engine.unload()
        #expect(engine.abilities() == nil)
    }
}

extension Golden {
    /// The text that a case's ids were made of.
    func text(_ name: String) throws -> String {
        guard case .object(let root) = meta, case .object(let texts)? = root["texts"],
            case .string(let text)? = texts[name]
        else {
            throw GenerationError.missingToken("texts.\(name)")
        }
        return text
    }
}
