import Generation
import Foundation
import TestSupport
import Testing

@testable import Speech

@Suite struct WhisperRulesTests {
    private static let isThere = ReferenceTensors.exists("whisper-80/generate.json")

    private func options(_ folder: String) throws -> TranscriptionOptions {
        let rules = try ReferenceTensors.json("\(folder)/generation_config.json")
        var options = TranscriptionOptions()
        options.temperatures = [0]
        options.suppressedTokens = rules["suppress_tokens"] as? [Int]
        options.beginSuppressedTokens = rules["begin_suppress_tokens"] as? [Int]
        options.maximumInitialTimestamp = (rules["max_initial_timestamp_index"] as? Int).map { Double($0) * 0.02 }
        options.noSpeechThreshold = nil
        return options
    }

    /// Every window of the fixtures: rules on real logits, ids exact.
    @Test(.enabled(if: isThere, "reference fixtures are absent"), arguments: [("whisper-80", 3), ("whisper-128", 2)])
    func windowsEqualTransformers(folder: String, heads: Int) throws {
        let model = try ReferenceWhisper(folder, heads: heads), tokenizer = try FixtureTokenizer(folder)
        let windows = try ReferenceTensors.json("\(folder)/generate.json")["windows"] as? [[String: Any]] ?? []
        #expect(windows.count == 4)
        for window in windows {
            let prompt = try #require(window["prompt"] as? [Int]), tokens = try #require(window["tokens"] as? [Int])
            var options = try options(folder)
            options.task = try #require((window["task"] as? String).flatMap(SpeechTask.init))
            options.timestamps = try #require(window["timestamps"] as? Bool)
            options.language = tokenizer.languages.first { $0.token == prompt[1] }?.code
            options.maximumTokensPerWindow = 20
            let rules = try WhisperRules(
                options, tokenizer: tokenizer, language: options.language, secondsPerTimestamp: 0.02)
            #expect(rules.initialTokens == prompt)
            let search = try SamplingSearch().run(
                model,
                SearchRequest(
                    prompt: prompt, processors: rules.processors, endTokens: [tokenizer.endOfText], maximumNewTokens: 20
                ))
            #expect(search.hypotheses[0].ids == tokens)
            let text = tokenizer.text(tokens)
            let whole = try #require(window["text"] as? String)
            if !options.timestamps { #expect(whole.hasSuffix(text), "\(text) \(whole)") }
        }
    }

    /// The same model through the whole transcriber: `model.generate` with its own configuration.
    @Test(.enabled(if: isThere, "reference fixtures are absent"), arguments: [("whisper-80", 3), ("whisper-128", 2)])
    func transcriptsEqualTransformers(folder: String, heads: Int) throws {
        let tokenizer = try FixtureTokenizer(folder)
        let runs = try ReferenceTensors.json("\(folder)/generate.json")["generate"] as? [[String: Any]] ?? []
        #expect(runs.count == 4)
        for run in runs {
            let given = try #require(run["options"] as? [String: Any])
            var options = try options(folder)
            options.task = try #require((given["task"] as? String).flatMap(SpeechTask.init))
            options.language = given["language"] as? String
            options.timestamps = given["return_timestamps"] as? Bool ?? false
            options.maximumTokensPerWindow = run["max_new_tokens"] as? Int
            let model = try ReferenceWhisper(folder, heads: heads)
            var streamed: [Int] = []
            let recording = try MelRecording(
                mels: 2, frames: 1130, values: [Float](repeating: 0, count: 2260), duration: 11.3)
            let transcript = try Transcriber(model: model, tokenizer: tokenizer, options: options).run(
                recording, isCancelled: { false }
            ) { event in
                if case .token(let token) = event { streamed.append(token.id) }
            }
            #expect(streamed == run["sequences"] as? [Int])
            #expect(transcript.segments.flatMap(\.tokens) == streamed)
        }
    }

    // MARK: - the grammar by itself

    private let rules = TimestampRules(timestampBegin: 6, endOfText: 4, noTimestamps: 5, maximumInitialIndex: 1)

    /// The tokens left of 10 (0–3 text, 4 end, 5 no timestamps, 6–9 times) with equal logits, text favored.
    private func allowed(after tokens: [Int], favoringText: Bool = true) -> [Int] {
        var logits = [Float](repeating: 0, count: 10)
        if favoringText { logits[0] = 9 } else { for time in 6..<10 { logits[time] = 0.1 } }
        rules.process(&logits, context: TokenContext(prompt: [9, 9], generated: tokens))
        return logits.indices.filter { logits[$0] > -.infinity }
    }

    @Test func timestampsComeInPairsAndNeverGoBack() {
        #expect(allowed(after: []) == [6, 7], "only early times begin")
        #expect(allowed(after: [7]) == [0, 1, 2, 3, 4], "text follows the first time")
        #expect(allowed(after: [6, 0]) == [0, 1, 2, 3, 4, 7, 8, 9], "the end lies after the start")
        #expect(allowed(after: [6, 0, 8]) == [8, 9], "a pair: together likelier than the end")
        var ending: [Float] = [9, 0, 0, 0, 5, 0, 0, 0, 0, 0]
        rules.process(&ending, context: TokenContext(generated: [6, 0, 8]))
        #expect(ending.indices.filter { ending[$0] > -.infinity } == [4, 8, 9], "or the end")
        #expect(allowed(after: [6, 0, 8, 8]) == [0, 1, 2, 3, 4])
        #expect(allowed(after: [6, 0, 8, 8, 1]) == [0, 1, 2, 3, 4, 9])
        #expect(allowed(after: [6, 0, 9, 9, 1]) == [0, 1, 2, 3, 4])
    }

    @Test func timesTogetherBeatSingleWords() {
        #expect(allowed(after: [6, 0], favoringText: false) == [7, 8, 9])
    }

    @Test func tokensOutsideTheVocabularyDoNoHarm() {
        let odd = TimestampRules(timestampBegin: 20, endOfText: 15, noTimestamps: 90, maximumInitialIndex: 90)
        var logits: [Float] = [1, 2, 3]
        odd.process(&logits, context: TokenContext(generated: [1]))
        #expect(logits == [1, 2, 3])
        odd.process(&logits, context: TokenContext(generated: [40]))
        #expect(logits == [1, 2, 3])
        odd.process(&logits, context: TokenContext(generated: [40, 2, 50]))
        #expect(logits.allSatisfy { $0 == -.infinity })
        logits = [1, 2, 3]
        odd.process(&logits, context: TokenContext())
        #expect(logits.allSatisfy { $0 == -.infinity }, "no timestamp to begin with")
    }

    // MARK: - prompts and lists

    @Test func promptsFollowTaskLanguageAndHistory() throws {
        let tokenizer = ToyTokenizer()
        var options = TranscriptionOptions()
        options.task = .translate
        let rules = try WhisperRules(options, tokenizer: tokenizer, language: "fr", secondsPerTimestamp: 0.02)
        #expect(
            rules.initialTokens == [tokenizer.startOfTranscript, tokenizer.languages[1].token, tokenizer.translate!])
        #expect(try rules.prompt(previous: [], tokenizer: tokenizer, maximumTokens: 448) == rules.initialTokens)
        let long = Array(repeating: 1, count: 300)
        #expect(
            try rules.prompt(previous: long, tokenizer: tokenizer, maximumTokens: 448) == [tokenizer.startOfPrevious!]
                + long.prefix(223) + rules.initialTokens)
        options.timestamps = false
        #expect(
            try WhisperRules(options, tokenizer: tokenizer, language: "en", secondsPerTimestamp: 0.02).initialTokens
                .last == tokenizer.noTimestamps)
        let english = try WhisperRules(
            TranscriptionOptions(), tokenizer: ToyTokenizer(isMultilingual: false), language: "en",
            secondsPerTimestamp: 0.02)
        #expect(english.initialTokens == [tokenizer.startOfTranscript])
        #expect(throws: GenerationError.self) {
            try WhisperRules(options, tokenizer: tokenizer, language: "xx", secondsPerTimestamp: 0.02)
        }
    }

    @Test func nonSpeechTokensAreSingleSymbols() throws {
        let found = try ToyTokenizer().nonSpeechTokens()
        #expect(found.contains(7) && found.contains(8), "the quote, with and without space")
        #expect(!found.contains(5) && !found.contains(6), "full stop and comma are spoken text")
    }
}
