import Compute
import Foundation
import TestSupport
import Testing
import Transformer

@testable import Generation

@Suite(
    "Text sessions", .usesDevice,
    .enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"), .serialized)
struct TextSessionTests {
    /// Tokens and text of a run, and how it ended.
    private func run(_ session: TextSession, _ prompt: [Int], _ options: TextOptions) throws -> (
        ids: [Int], text: String, end: FinishReason?
    ) {
        var ids: [Int] = []
        var text = ""
        var end: FinishReason?
        try session.generate(prompt, options: options) { event in
            switch event {
            case .token(let token):
                ids.append(token.id)
                text += token.text
            case .finished(let summary): end = summary.reason
            default: Issue.record("\(event)")
            }
        }
        return (ids, text, end)
    }

    @Test("greedy answers are the reference's, and the next turn runs only what is new", arguments: ["llama", "gpt2"])
    func turns(_ name: String) throws {
        let golden = try Fixtures.golden(name)
        let session = try TextSession(path: Fixtures.model(name).path, on: Device(validation: true))
        let prompt = try golden.integers("main/input_ids")
        let expected = try golden.integers("main/greedy")
        var options = TextOptions()
        options.maximumTokens = expected.count
        let first = try run(session, prompt, options)
        #expect(first.ids == Array(expected.prefix(first.ids.count)))
        #expect(first.ids.count == expected.count || session.endTokens.contains(first.ids.last ?? -1))
        #expect(session.decoder.prefilledTokens == prompt.count)
        let answer = first.ids.filter { !session.endTokens.contains($0) }
        #expect(first.text == session.tokenizer.decode(answer))

        // The same again: the last token alone has to run, for its logits.
        let again = try run(session, prompt, options)
        #expect(again.ids == first.ids && session.decoder.prefilledTokens == 1)

        let turn = prompt + first.ids + [5, 6, 7]
        let second = try run(session, turn, options)
        // The last token of an answer was never run: nobody asked what follows it.
        #expect(session.decoder.prefilledTokens == 4)
        session.decoder.reset()
        #expect(try run(session, turn, options).ids == second.ids)
        #expect(session.decoder.prefilledTokens == turn.count)
    }

    @Test("several samples, a stop string, and no room left")
    func endings() throws {
        let golden = try Fixtures.golden("gpt2")
        let session = try TextSession(path: Fixtures.model("gpt2").path, on: Device(validation: false))
        let prompt = try golden.integers("main/input_ids")
        var options = TextOptions()
        options.maximumTokens = 6
        let plain = try run(session, prompt, options)
        let middle = session.tokenizer.decode([plain.ids[2]])
        options.stopStrings = [middle]
        let stopped = try run(session, prompt, options)
        #expect(stopped.end == .stopString && stopped.ids.count <= 3 && !stopped.text.contains(middle))

        options.stopStrings = []
        options.maximumTokens = 1000
        let context = session.decoder.contextLength
        let long = Array(repeating: 17, count: context - 2)
        let end = try run(session, long, options)
        #expect(end.ids.count <= 3 && (end.end == .lengthLimit || end.end == .endOfText))
        #expect(throws: GenerationError.self) { try session.generate(Array(repeating: 17, count: context)) { _ in } }

        // Beams leave the prompt behind for the next run.
        let request = SearchRequest(prompt: prompt, endTokens: [], maximumNewTokens: 4)
        var sampling = SamplingOptions()
        sampling.temperature = 1
        sampling.seed = 3
        _ = try SamplingSearch(sampling, samples: 3).run(session.decoder, request)
        options.maximumTokens = 6
        #expect(try run(session, prompt, options).ids == plain.ids)
    }

    @Test("stop strings across pieces, with what might be one held back")
    func stopStrings() {
        func pieces(_ strings: [String], _ pieces: [String]) -> ([String], Bool) {
            var stops = StopStrings(strings)
            var shown = pieces.map { stops.add($0) }
            shown.append(stops.finish())
            return (shown, stops.isMet)
        }
        #expect(pieces(["END"], ["a", "bE", "N", "D c"]) == (["a", "b", "", "", ""], true))
        #expect(pieces(["END"], ["xE", "Ny"]) == (["x", "ENy", ""], false))
        #expect(pieces(["END"], ["xEN"]) == (["x", "EN"], false))
        #expect(pieces(["b", "abc"], ["ab"]) == (["a", ""], true))
        #expect(pieces([], ["ab"]) == (["ab", ""], false))
    }
}

/// Real weights, where they are on this machine.
@Suite(
    "SmolLM2", .usesDevice,
    .enabled(if: Fixtures.realModel("smollm2-135m-instruct") != nil, "smollm2-135m-instruct is not installed"),
    .serialized)
struct SmolLM2Tests {
    @Test("greedy continuations are those of float32 arithmetic on the dequantized weights")
    func greedy() throws {
        let folder = try #require(Fixtures.realModel("smollm2-135m-instruct"))
        let file = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasSuffix(".gguf") })
        let session = try TextSession(
            path: folder.appending(path: file).path, contextLength: 256, on: Device(validation: false))
        for (question, ids) in SmolLM2Reference.answers {
            let prompt = session.tokenizer.encode("<|im_start|>user\n\(question)<|im_end|>\n<|im_start|>assistant\n")
            var logits = try #require(
                try session.model.prefill(prompt, at: 0, logitRows: [prompt.count - 1]).values.first)
            for (step, id) in ids.enumerated() {
                try #require(LogProbabilities.argmax(logits) == id, "\(question), step \(step)")
                logits = try session.model.advance(tokens: [id]).logits[0]
            }
        }
    }

    @Test("answers a question, and a second turn runs only its own tokens")
    func answer() throws {
        let folder = try #require(Fixtures.realModel("smollm2-135m-instruct"))
        let file = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasSuffix(".gguf") })
        let session = try TextSession(
            path: folder.appending(path: file).path, contextLength: 256, on: Device(validation: false))
        var options = TextOptions()
        options.maximumTokens = 12
        func ask(_ prompt: [Int]) throws -> (text: String, ids: [Int], reason: FinishReason?) {
            var text = ""
            var reason: FinishReason?
            let ids = try session.generate(prompt, options: options) { event in
                if case .token(let token) = event { text += token.text }
                if case .finished(let summary) = event { reason = summary.reason }
            }
            return (text, ids, reason)
        }
        let first = session.tokenizer.encode(
            "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n")
        let answer = try ask(first)
        #expect(answer.text == "The capital of France is Paris." && answer.reason == .endOfText)
        let turn = session.tokenizer.encode(
            "<|im_end|>\n<|im_start|>user\nAnd of Italy?<|im_end|>\n<|im_start|>assistant\n")
        let second = try ask(first + answer.ids + turn)
        #expect(session.decoder.prefilledTokens == turn.count && !second.text.isEmpty)
    }
}
