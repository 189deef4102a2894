import ComputeReference
import Compute
import Testing

@testable import Generation

@Suite("Choosing from candidates is choosing from the whole row")
struct CandidateFilterTests {
    /// Rows of the kinds that models give, and some that they do not.
    private static func row(_ kind: Int, _ columns: Int, _ random: inout RandomSource) -> [Float] {
        var row = (0..<columns).map { _ in Float(random.uniform() * 16 - 8) }
        switch kind {
        case 0: break
        case 1:
            // Peaked: a few likely, a long tail.
            for rank in 0..<12 {
                row[Int.random(in: 0..<columns, using: &random)] = 16 - Float(rank) * Float(random.uniform())
            }
        case 2:
            // Ties everywhere.
            for index in row.indices { row[index] = row[index].rounded() }
        case 3:
            // Ties among the best alone.
            for _ in 0..<90 { row[Int.random(in: 0..<columns, using: &random)] = 9 }
        case 4:
            for index in row.indices where index % 5 != 0 { row[index] = -.infinity }
        default:
            // Far from zero, where the digits behind the point are few.
            for index in row.indices { row[index] = row[index] * 3 + 900 }
        }
        return row
    }

    private static func options(_ random: inout RandomSource) -> SamplingOptions {
        func pick<T>(_ values: [T]) -> T { values[Int.random(in: values.indices, using: &random)] }
        var options = SamplingOptions()
        options.temperature = pick([0, 0.05, 0.3, 0.8, 1, 1, 1.5])
        options.topK = pick([nil, nil, nil, nil, nil, 1, 2, 20, 40, 63, 64, 65, 200])
        options.topP = pick([nil, nil, 0.1, 0.37, 0.5, 0.61, 0.9, 0.95, 1])
        options.minP = pick([nil, nil, nil, 0, 0.02, 0.1, 1])
        options.typicalP = pick([nil, nil, nil, 0.6])
        return options
    }

    @Test(
        "the same tokens for the same seed wherever the candidates tell, and no random number drawn where they do not")
    func equalsSampler() {
        var random = RandomSource(seed: 5)
        var decided = 0, cases = 0
        for round in 0..<1200 {
            let columns = [1, 30, 64, 65, 66, 400, 3000][round % 7]
            let row = Self.row(round % 6, columns, &random)
            var options = Self.options(&random)
            options.seed = random.next()
            let temperature = options.temperature > 0 ? options.temperature : 1
            let candidates = Reference.candidates(row, temperature: temperature)
            var whole = Sampler(options), few = Sampler(options)
            for _ in 0..<4 {
                cases += 1
                let expected = whole.choose(row, context: TokenContext())
                if let token = few.choose(candidates) {
                    decided += 1
                    #expect(token == expected, "\(columns) columns, kind \(round % 6), \(options)")
                } else {
                    few.skip(1)
                }
            }
        }
        // Not by never telling.
        #expect(decided > cases / 3, "\(decided) of \(cases)")
    }

    @Test("a sum that is off as a device's may be changes no token")
    func inexactSums() {
        var random = RandomSource(seed: 6)
        var decided = 0
        for round in 0..<400 {
            var row = Self.row(1, 2000, &random)
            var options = SamplingOptions()
            options.temperature = [0.2, 0.7, 1, 1.3][round % 4]
            options.topP = [0.2, 0.5, 0.8, 0.9][round / 4 % 4]
            options.seed = UInt64(round)
            if round % 3 == 0 {
                // The nucleus ends just where it should: at p itself, but for the last digit.
                row = [Float](repeating: -60, count: 2000)
                for index in 0..<10 { row[index * 7] = 1 }
                options.temperature = 1
                options.topP = [0.1, 0.2, 0.3, 0.5, 0.9][round % 5]
            }
            let exact = Reference.candidates(row, temperature: options.temperature)
            let error = Float(round % 2 == 0 ? 1e-5 : -1e-5)
            let candidates = TokenCandidates(exact, scaledLogSumExp: exact.scaledLogSumExp + error)
            var whole = Sampler(options), few = Sampler(options)
            for _ in 0..<4 {
                let expected = whole.choose(row, context: TokenContext())
                if let token = few.choose(candidates) {
                    decided += 1
                    #expect(token == expected, "round \(round)")
                } else {
                    few.skip(1)
                }
            }
        }
        #expect(decided > 400, "\(decided)")
    }

    @Test("what the candidates do not tell is not said")
    func undecided() {
        func says(_ row: [Float], _ set: (inout SamplingOptions) -> Void) -> Bool {
            var options = SamplingOptions()
            options.temperature = 1
            set(&options)
            var sampler = Sampler(options)
            return sampler.choose(Reference.candidates(row, temperature: options.temperature)) != nil
        }
        let flat = [Float](repeating: 0, count: 1000), steep = (0..<1000).map { -Float($0) / 4 }
        #expect(says(flat) { $0.temperature = 0 })
        #expect(!says(flat) { $0.topK = 3 })
        // 51 tokens of a thousand equal ones: which they are is not known.
        #expect(!says(flat) { $0.topP = 0.0505 })
        #expect(!says(flat) { $0.minP = 0.5 })
        #expect(says(steep) { $0.topK = 64 } && says(steep) { $0.topP = 0.99 } && says(steep) { $0.minP = 0.01 })
        #expect(
            says(steep) {
                $0.topK = 64; $0.typicalP = 0.5
            })
        // The nucleus is wider than the candidates.
        #expect(
            !says(steep) {
                $0.topP = 0.9; $0.temperature = 30
            })
        #expect(
            !says([Float](repeating: 1, count: 30) + [.nan] + flat) {
                $0.temperature = 1; $0.topK = 1
            })

        func asks(alternatives: Int = 0, _ set: (inout SamplingOptions) -> Void) -> Bool {
            var options = SamplingOptions()
            set(&options)
            return options.canUseCandidates(alternatives: alternatives)
        }
        #expect(asks { _ in } && asks(alternatives: 65) { _ in } && !asks(alternatives: 66) { _ in })
        #expect(
            asks {
                $0.temperature = 1; $0.topP = 0.9
            }
                && asks {
                    $0.temperature = 1; $0.topK = 64
                }
                && asks {
                    $0.temperature = 1; $0.minP = 0.1
                })
        #expect(
            !asks { $0.temperature = 1 }
                && !asks {
                    $0.temperature = 1; $0.topK = 65; $0.topP = 0.9
                }
                && !asks {
                    $0.temperature = 1; $0.topP = 1
                })
        #expect(
            !asks {
                $0.temperature = 1; $0.typicalP = 0.5
            }
                && !asks {
                    $0.temperature = 1; $0.topK = 20; $0.presencePenalty = 1
                })
        #expect(!asks { $0.repetitionPenalty = 1.1 } && !asks { $0.noRepeatNGram = 3 } && !asks { $0.suppressed = [4] })
    }

    @Test("a search over a decoder that gives candidates is the search over its logits", arguments: [1, 4])
    func searches(_ samples: Int) throws {
        var random = RandomSource(seed: 7)
        for round in 0..<60 {
            var options = Self.options(&random)
            if round % 5 == 0 { options.presencePenalty = 0.5 }
            options.seed = random.next()
            let request = SearchRequest(
                prompt: [1, 2], endTokens: [0], maximumNewTokens: 12, alternatives: [0, 3, 65, 66][round % 4])
            let table = TableDecoder(vocabulary: 300, seed: UInt64(round), sharpness: round % 2 == 0 ? 2 : 9)
            let expected = try SamplingSearch(options, samples: samples).run(table, request)
            let decoder = CandidateDecoder(
                TableDecoder(vocabulary: 300, seed: UInt64(round), sharpness: round % 2 == 0 ? 2 : 9))
            let got = try SamplingSearch(options, samples: samples).run(decoder, request)
            #expect(got.hypotheses.map(\.ids) == expected.hypotheses.map(\.ids), "\(options)")
            for (token, wanted) in zip(got.hypotheses.flatMap(\.tokens), expected.hypotheses.flatMap(\.tokens)) {
                #expect(abs(token.logProbability - wanted.logProbability) < 1e-5)
                #expect(token.alternatives.map(\.id) == wanted.alternatives.map(\.id))
            }
            #expect(
                (decoder.candidateSteps == 0) == !options.canUseCandidates(alternatives: request.alternatives)
                    || decoder.steps == 0)
            #expect(decoder.fetches <= decoder.candidateSteps)
        }
    }
}

extension TokenCandidates {
    /// The same with another sum.
    fileprivate init(_ row: TokenCandidates, scaledLogSumExp: Float) {
        self.init(
            ids: row.ids, logits: row.logits, logSumExp: row.logSumExp, temperature: row.temperature,
            scaledLogSumExp: scaledLogSumExp)
    }
}

/// A table that gives candidates when it is asked for them, and has the logits at hand.
private final class CandidateDecoder: SequenceDecoder {
    private let table: TableDecoder
    private var newest: [[Float]] = []
    private(set) var steps = 0
    private(set) var candidateSteps = 0
    private(set) var fetches = 0

    init(_ table: TableDecoder) { self.table = table }

    var vocabularySize: Int { table.vocabularySize }
    var maximumHypotheses: Int { table.maximumHypotheses }

    func start(prompt: [Int], hypotheses: Int, logitRows: [Int]) throws -> DecoderOutput {
        try table.start(prompt: prompt, hypotheses: hypotheses, logitRows: logitRows)
    }

    func advance(tokens: [Int], parents: [Int]) throws -> DecoderOutput {
        steps += 1
        return try table.advance(tokens: tokens, parents: parents)
    }

    func advance(tokens: [Int], parents: [Int], temperature: Float) throws -> DecoderOutput {
        newest = try advance(tokens: tokens, parents: parents).logits
        candidateSteps += 1
        return DecoderOutput(candidates: newest.map { Reference.candidates($0, temperature: temperature) })
    }

    func newestLogits() throws -> [[Float]] {
        fetches += 1
        return newest
    }
}
