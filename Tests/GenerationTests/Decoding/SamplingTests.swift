import Foundation
import TestSupport
import Testing

@testable import Generation

@Suite struct SamplingTests {
    private static let chains: [String: [any LogitsProcessor]] = [
        "temperature_0.7": [Temperature(0.7)], "temperature_1.8": [Temperature(1.8)],
        "top_k_1": [TopK(1)], "top_k_5": [TopK(5)], "top_k_200": [TopK(200)],
        "top_p_0.1": [TopP(0.1)], "top_p_0.5": [TopP(0.5)], "top_p_0.9": [TopP(0.9)], "top_p_0.999": [TopP(0.999)],
        "min_p_0.05": [MinP(0.05)], "min_p_0.3": [MinP(0.3)],
        "repetition_1.3": [RepetitionPenalty(1.3)], "repetition_0.8": [RepetitionPenalty(0.8)],
        "typical_0.6": [TypicalP(0.6)], "no_repeat_ngram_3": [NoRepeatNGram(3)],
        "chain_default": chain {
            $0.repetitionPenalty = 1.2; $0.temperature = 0.8; $0.topK = 20; $0.topP = 0.95; $0.minP = 0.02
        },
        "chain_cold": chain {
            $0.repetitionPenalty = 1.1; $0.temperature = 0.2; $0.topK = 50; $0.topP = 0.9
        },
    ]

    private static func chain(_ set: (inout SamplingOptions) -> Void) -> [any LogitsProcessor] {
        var options = SamplingOptions()
        set(&options)
        return options.processors + options.warpers
    }

    private static let isThere = ReferenceTensors.exists("sampling/golden.safetensors")

    /// Every chain of the fixture: the removed set equal, the rest within 1e-5, probabilities within 1e-6.
    @Test(.enabled(if: isThere, "reference fixtures are absent"), arguments: chains.keys.sorted())
    func filtersEqualTransformers(name: String) throws {
        let golden = try ReferenceTensors("sampling/golden.safetensors")
        let raw = golden["logits"], history = golden["input_ids"]
        let wanted = golden["\(name)/logits"].values, probabilities = golden["\(name)/probabilities"].values
        let chain = try #require(SamplingTests.chains[name])
        let vocabulary = raw.shape[1], length = history.shape[1]
        for row in 0..<raw.shape[0] {
            var logits = Array(raw.values[row * vocabulary..<(row + 1) * vocabulary])
            let tokens = Array(history.integers[row * length..<(row + 1) * length])
            // Where the prompt ends makes no difference to these rules.
            chain.process(
                &logits,
                context: TokenContext(
                    prompt: Array(tokens.prefix(row * 5)), generated: Array(tokens.dropFirst(row * 5))))
            let softmax = LogProbabilities.softmax(logits)
            for token in 0..<vocabulary {
                let reference = wanted[row * vocabulary + token]
                if reference == -.infinity || logits[token] == -.infinity {
                    #expect(reference == logits[token], "row \(row), token \(token)")
                } else {
                    #expect(abs(reference - logits[token]) <= 1e-5, "row \(row), token \(token)")
                }
                #expect(
                    abs(probabilities[row * vocabulary + token] - softmax[token]) <= 1e-6, "row \(row), token \(token)")
            }
        }
    }

    @Test(.enabled(if: isThere, "reference fixtures are absent")) func everyChainOfTheFixtureIsTested() throws {
        let golden = try ReferenceTensors("sampling/golden.safetensors")
        let named = Set(golden.names.filter { $0.hasSuffix("/logits") }.map { String($0.dropLast("/logits".count)) })
        #expect(named == Set(SamplingTests.chains.keys))
    }

    @Test func presenceAndFrequencyCountGeneratedTokensOnly() {
        var logits: [Float] = [1, 1, 1, 1]
        PresenceFrequencyPenalty(presence: 0.5, frequency: 0.25).process(
            &logits, context: TokenContext(prompt: [0, 0], generated: [1, 2, 2, 9]))
        #expect(logits == [1, 0.25, 0, 1])
    }

    @Test func suppressionHoldsAlwaysOrAtTheBegin() {
        var logits: [Float] = [1, 1, 1]
        SuppressTokens([1, 77, -1]).process(&logits, context: TokenContext(generated: [0]))
        SuppressTokensAtBegin([2]).process(&logits, context: TokenContext(generated: [0]))
        #expect(logits == [1, -.infinity, 1])
        SuppressTokensAtBegin([2]).process(&logits, context: TokenContext(prompt: [5]))
        #expect(logits == [1, -.infinity, -.infinity])
    }

    @Test func optionsOutsideTheirRangeAreRefused() {
        for set: (inout SamplingOptions) -> Void in [
            { $0.temperature = -1 }, { $0.temperature = .nan }, { $0.topK = 0 }, { $0.topP = 0 }, { $0.topP = 1.1 },
            { $0.minP = 2 },
            { $0.typicalP = 0 }, { $0.repetitionPenalty = 0 }, { $0.frequencyPenalty = .infinity },
            { $0.noRepeatNGram = 0 },
        ] {
            var options = SamplingOptions()
            set(&options)
            #expect(throws: GenerationError.self) { try options.validate() }
        }
    }

    // MARK: - probabilities

    @Test func logSumExpIsCareful() {
        #expect(abs(LogProbabilities.logSumExp([1000, 1000]) - 1000.6931) < 1e-3)
        #expect(abs(LogProbabilities.logSumExp([-1000, -1001]) - -999.6867) < 1e-3)
        #expect(LogProbabilities.logSumExp([-.infinity, 3]) == 3)
        #expect(LogProbabilities.logSumExp([-.infinity, -.infinity]) == -.infinity)
        #expect(LogProbabilities.logSumExp([1, .nan]).isNaN)
        #expect(LogProbabilities.logSumExp([]) == -.infinity)
        #expect(abs(LogProbabilities.logSumExp([Float](repeating: 0, count: 51_865)) - logf(51_865)) < 1e-6)
    }

    @Test func shortlistsEqualSorting() {
        var random = RandomSource(seed: 5)
        for count in [1, 2, 7, 100, 5000] {
            // Few distinct values, so that there are ties.
            let values = (0..<count).map { _ -> Float in
                let v = Float(random.next() % 50); return v == 0 ? -.infinity : v
            }
            let sorted = values.indices.filter { values[$0] > -.infinity }.sorted {
                (values[$1], $0) < (values[$0], $1)
            }
            for wanted in [0, 1, 5, 64, 10_000] {
                #expect(LogProbabilities.top(wanted, of: values).map(\.index) == Array(sorted.prefix(wanted)))
            }
            var walked: [Int] = []
            RankedSelection.descending(values) {
                walked.append($0); return true
            }
            #expect(
                walked
                    == values.indices.filter { values[$0] > -.infinity }.sorted { (values[$1], $1) < (values[$0], $0) })
            let all = values.sorted(by: >)
            for rank in [1, 2, 50, 5000] {
                #expect(RankedSelection.value(rank: rank, of: values) == all[min(rank, count) - 1])
            }
        }
        #expect(LogProbabilities.top(3, of: [.nan, 1, .nan, 2]).map(\.index) == [3, 1])
        #expect(LogProbabilities.argmax([-.infinity, .nan]) == nil)
        #expect(LogProbabilities.argmax([1, 3, 3]) == 1)
    }

    // MARK: - drawing

    @Test func theSameSeedDrawsTheSame() {
        var options = SamplingOptions()
        options.temperature = 1
        options.seed = 42
        func drawn(_ options: SamplingOptions) -> [Int?] {
            var sampler = Sampler(options)
            return (0..<50).map { _ in sampler.choose([0, 1, 2, 0.5], context: TokenContext()) }
        }
        let first = drawn(options)
        #expect(first == drawn(options))
        options.seed = 43
        #expect(first != drawn(options))
        // The generator is part of the promise: these are the first outputs of xoshiro256** seeded so.
        var random = RandomSource(seed: 42)
        #expect([random.next(), random.next()] == [1_546_998_764_402_558_742, 6_990_951_692_964_543_102])
    }

    @Test func drawsFollowTheProbabilities() {
        var options = SamplingOptions()
        options.temperature = 0.5
        options.seed = 1
        var sampler = Sampler(options)
        let logits: [Float] = [0, 0.5, -.infinity, 1]
        let expected = LogProbabilities.softmax(logits.map { $0 * 2 })
        var counts = [Int](repeating: 0, count: 4)
        for _ in 0..<20_000 { counts[sampler.choose(logits, context: TokenContext())!] += 1 }
        for token in 0..<4 { #expect(abs(Float(counts[token]) / 20_000 - expected[token]) < 0.015) }
        #expect(counts[2] == 0)
        #expect(Sampler.draw(logits, at: 0.999_999_999_999) == 3)
        #expect(Sampler.draw([-.infinity], at: 0.5) == nil)
    }

    @Test func greedySearchTakesTheLikeliestAndSuppressionBinds() throws {
        let decoder = TableDecoder(vocabulary: 9, seed: 3)
        var request = SearchRequest(
            prompt: [1, 2], endTokens: [0], maximumNewTokens: 6, alternatives: 3, logitRows: [0])
        request.processors = [SuppressTokens([4, 0])]
        var streamed: [Int] = []
        let result = try SamplingSearch().run(decoder, request) {
            streamed.append($0.id); return true
        }
        var prefix = [1, 2]
        for token in result.hypotheses[0].tokens {
            var logits = decoder.logits(after: prefix)
            logits[4] = -.infinity
            logits[0] = -.infinity
            let probabilities = LogProbabilities.logSoftmax(logits)
            #expect(token.id == LogProbabilities.argmax(logits))
            #expect(token.logProbability == probabilities[token.id])
            #expect(token.alternatives.map(\.id) == LogProbabilities.top(3, of: logits).map(\.index))
            prefix.append(token.id)
        }
        #expect(streamed == result.hypotheses[0].ids && streamed.count == 6 && !result.hypotheses[0].isFinished)
        #expect(result.promptLogits[0] == decoder.logits(after: [1]))
        request.processors = [SuppressTokens(Array(0..<9))]
        #expect(throws: GenerationError.noCandidate(step: 0)) { try SamplingSearch().run(decoder, request) }
    }

    @Test func samplesEndOnTheirOwnAndStopBeingComputed() throws {
        let decoder = TableDecoder(vocabulary: 4, seed: 8)
        var options = SamplingOptions()
        options.temperature = 1
        options.seed = 7
        let result = try SamplingSearch(options, samples: 6).run(
            decoder, SearchRequest(prompt: [1], endTokens: [0], maximumNewTokens: 40))
        #expect(result.hypotheses.count == 6 && Set(result.hypotheses.map(\.ids)).count > 1)
        for hypothesis in result.hypotheses {
            #expect(hypothesis.isFinished == (hypothesis.ids.last == 0) && !hypothesis.textIDs.contains(0))
            var prefix = [1], sum = 0.0
            for id in hypothesis.ids {
                sum += Double(LogProbabilities.logSoftmax(decoder.logits(after: prefix))[id])
                prefix.append(id)
            }
            #expect(abs(sum - hypothesis.sumLogProbability) < 1e-4)
        }
        #expect(decoder.widths.first == 6 && decoder.widths == decoder.widths.sorted(by: >) && decoder.widths.last! < 6)
    }

    @Test func searchesStopWhenAsked() throws {
        let decoder = TableDecoder(vocabulary: 9, seed: 3)
        let request = SearchRequest(prompt: [1], endTokens: [], maximumNewTokens: 50)
        var asked = 0
        let cancelled = try SamplingSearch().run(
            decoder, request,
            isCancelled: {
                asked += 1; return asked == 4
            })
        #expect(cancelled.wasCancelled && cancelled.hypotheses[0].ids.count == 4)
        let stopped = try SamplingSearch().run(decoder, request, onToken: { _ in false })
        #expect(!stopped.wasCancelled && stopped.hypotheses[0].ids.count == 1)
    }

    @Test func largeVocabulariesAreQuick() {
        var random = RandomSource(seed: 9)
        let logits = (0..<51_865).map { _ in Float(random.uniform() * 20 - 10) }
        var options = SamplingOptions()
        options.temperature = 0.8
        options.topP = 0.95
        options.seed = 1
        var sampler = Sampler(options)
        let clock = ContinuousClock()
        let taken =
            clock.measure {
                for _ in 0..<10 {
                    _ = LogProbabilities.logSumExp(logits)
                    _ = LogProbabilities.top(10, of: logits)
                    _ = sampler.choose(logits, context: TokenContext())
                }
            } / 10
        #if DEBUG
            #expect(taken < .seconds(2))
        #else
            #expect(taken < .milliseconds(20), "\(taken)")
        #endif
    }
}
