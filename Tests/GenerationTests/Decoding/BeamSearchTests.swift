import Compute
import Foundation
import GenerationTestSupport
import TestSupport
import Testing

@testable import Generation

@Suite struct BeamSearchTests {
    // MARK: - against transformers

    /// One search of `sampling/beams.json`.
    struct Run: CustomTestStringConvertible, Sendable {
        let model: String
        let end: Int
        let penalty: Double
        let stopping: BeamStopping
        let sequences: [[Int]]
        let scores: [Double]
        let start: Int
        let beams: Int
        let maximum: Int
        let banned: [Int]

        var testDescription: String { "\(model) end \(end) penalty \(penalty) \(stopping.rawValue)" }
    }

    static func runs(_ model: String) -> [Run] {
        guard let all = try? ReferenceTensors.json("sampling/beams.json"), let own = all[model] as? [String: Any],
            let runs = own["runs"] as? [[String: Any]], let start = own["decoder_start_token_id"] as? Int,
            let beams = own["num_beams"] as? Int, let maximum = own["max_new_tokens"] as? Int
        else { return [] }
        let banned = (own["bad_words_ids"] as? [[Int]] ?? []).flatMap { $0 }
        return runs.compactMap { run in
            guard let end = run["eos_token_id"] as? Int, let penalty = run["length_penalty"] as? Double,
                let sequences = run["sequences"] as? [[Int]], let scores = run["sequences_scores"] as? [Double]
            else { return nil }
            let stopping: BeamStopping =
                run["early_stopping"] is String ? .never : run["early_stopping"] as? Bool == true ? .early : .heuristic
            return Run(
                model: model, end: end, penalty: penalty, stopping: stopping, sequences: sequences, scores: scores,
                start: start, beams: beams,
                maximum: maximum, banned: banned)
        }
    }

    /// Searches as `run` asks and compares; any decoder of the model will do.
    static func check(_ run: Run, on decoder: any SequenceDecoder) throws {
        let search = BeamSearch(
            beams: run.beams,
            rule: .transformers(lengthPenalty: run.penalty, stopping: run.stopping, maximumLength: run.maximum),
            results: run.beams)
        let request = SearchRequest(
            prompt: [run.start], processors: run.banned.isEmpty ? [] : [SuppressTokens(run.banned)],
            endTokens: [run.end],
            maximumNewTokens: run.maximum)
        let result = try search.run(decoder, request)
        #expect(result.hypotheses.map(\.ids) == run.sequences, "\(run.testDescription)")
        #expect(result.scores.count == run.scores.count)
        for (found, wanted) in zip(result.scores, run.scores) {
            #expect(abs(found - wanted) < 1e-4, "\(run.testDescription)")
        }
    }

    private static let isThere = ReferenceTensors.exists("sampling/beams.json")

    @Test(.enabled(if: isThere, "reference fixtures are absent")) func t5EqualsTransformers() throws {
        let runs = BeamSearchTests.runs("t5"), decoder = try ReferenceDecoder("t5", family: .t5, heads: 8)
        #expect(runs.count == 36)
        for run in runs { try BeamSearchTests.check(run, on: decoder) }
    }

    @Test(.enabled(if: isThere, "reference fixtures are absent")) func marianEqualsTransformers() throws {
        let runs = BeamSearchTests.runs("marian"), decoder = try ReferenceDecoder("marian", family: .marian, heads: 4)
        #expect(runs.count == 36)
        for run in runs { try BeamSearchTests.check(run, on: decoder) }
    }

    /// The same searches on the engine's own models.
    @Test(.usesDevice, .enabled(if: isThere, "reference fixtures are absent"), arguments: ["t5", "marian"])
    func theEngineEqualsTransformers(name: String) throws {
        let source = try #require(
            (try ReferenceTensors.json("sampling/beams.json")[name] as? [String: Any])?["input_ids"] as? [Int])
        let runs = BeamSearchTests.runs(name),
            decoder = try EngineDecoder(name, source: source, on: Device(validation: false))
        #expect(runs.count == 36)
        for run in runs { try BeamSearchTests.check(run, on: decoder) }
    }

    // MARK: - against enumeration

    private struct Answer {
        var ids: [Int]
        var sum: Double
        var ends: Bool
    }

    /// Every sequence up to `limit` tokens: those that end, and those that reach the limit.
    private func enumerate(_ decoder: TableDecoder, prompt: [Int], end: Int, limit: Int) -> [Answer] {
        var done: [Answer] = [], open = [Answer(ids: [], sum: 0, ends: false)]
        for _ in 0..<limit {
            var next: [Answer] = []
            for answer in open {
                let probabilities = LogProbabilities.logSoftmax(decoder.logits(after: prompt + answer.ids))
                for id in 0..<decoder.vocabularySize {
                    let longer = Answer(
                        ids: answer.ids + [id], sum: answer.sum + Double(probabilities[id]), ends: id == end)
                    if longer.ends { done.append(longer) } else { next.append(longer) }
                }
            }
            open = next
        }
        return done + open
    }

    /// A beam as wide as the tree finds the best of all sequences.
    @Test(arguments: [0.0, 0.6, 1.0, 2.0], [BeamStopping.never, .heuristic])
    func aWideBeamFindsTheBest(penalty: Double, stopping: BeamStopping) throws {
        for seed in UInt64(0)..<6 {
            let decoder = TableDecoder(vocabulary: 4, seed: seed, sharpness: 3)
            let all = enumerate(decoder, prompt: [2], end: 0, limit: 4)
            let best = all.map { $0.sum / pow(Double($0.ids.count), penalty) }.sorted(by: >)
            let search = BeamSearch(
                beams: 64, rule: .transformers(lengthPenalty: penalty, stopping: stopping, maximumLength: 4), results: 3
            )
            let result = try search.run(decoder, SearchRequest(prompt: [2], endTokens: [0], maximumNewTokens: 4))
            #expect(result.scores.count == 3)
            for (found, wanted) in zip(result.scores, best) { #expect(abs(found - wanted) < 1e-5, "seed \(seed)") }
        }
    }

    @Test(arguments: [nil, 0.0, 0.5, 1.0] as [Double?])
    func whisperRanksEverythingWithAWideBeam(penalty: Double?) throws {
        for seed in UInt64(0)..<6 {
            let decoder = TableDecoder(vocabulary: 4, seed: seed, sharpness: 3)
            let all = enumerate(decoder, prompt: [2], end: 0, limit: 3)
            let scores = all.map { answer -> Double in
                let length = Double(answer.ids.count - (answer.ends ? 1 : 0))
                guard let penalty else { return answer.sum / max(length, 1) }
                return answer.sum / pow((5 + length) / 6, penalty)
            }
            let search = BeamSearch(beams: 64, rule: .whisper(patience: 2, lengthPenalty: penalty), results: 5)
            let result = try search.run(decoder, SearchRequest(prompt: [2], endTokens: [0], maximumNewTokens: 3))
            for (found, wanted) in zip(result.scores, scores.sorted(by: >)) {
                #expect(abs(found - wanted) < 1e-5, "seed \(seed)")
            }
        }
    }

    @Test func whisperStopsWhenEnoughHaveEnded() throws {
        // Patience 1 with two beams: two ended hypotheses are enough; patience 3 waits for six.
        func ended(_ patience: Double) throws -> (Int, Int) {
            let decoder = TableDecoder(vocabulary: 5, seed: 4)
            let search = BeamSearch(beams: 2, rule: .whisper(patience: patience, lengthPenalty: nil), results: 9)
            let result = try search.run(decoder, SearchRequest(prompt: [1], endTokens: [0], maximumNewTokens: 200))
            return (result.hypotheses.filter(\.isFinished).count, decoder.widths.count)
        }
        let impatient = try ended(1), patient = try ended(3)
        // Endless patience is a long search, not a crash.
        let endless = BeamSearch(beams: 2, rule: .whisper(patience: 1e300, lengthPenalty: nil))
        _ = try endless.run(
            TableDecoder(vocabulary: 5, seed: 4), SearchRequest(prompt: [1], endTokens: [0], maximumNewTokens: 5))
        #expect(impatient.0 == 2 && patient.0 == 6 && impatient.1 < patient.1)
    }

    @Test func aSingleBeamIsGreedy() throws {
        for seed in UInt64(0)..<8 {
            let decoder = TableDecoder(vocabulary: 6, seed: seed)
            let request = SearchRequest(prompt: [1], endTokens: [0], maximumNewTokens: 12)
            let greedy = try SamplingSearch().run(decoder, request)
            let beam = try BeamSearch(beams: 1, rule: .whisper(patience: 1, lengthPenalty: nil)).run(decoder, request)
            #expect(beam.hypotheses[0].ids == greedy.hypotheses[0].ids)
            #expect(decoder.widths.allSatisfy { $0 == 1 })
        }
    }

    @Test func badOptionsAndDeadEndsAreErrors() {
        let decoder = TableDecoder(vocabulary: 4, seed: 1, maximumHypotheses: 4)
        let request = SearchRequest(prompt: [1], endTokens: [0], maximumNewTokens: 4)
        #expect(throws: GenerationError.self) {
            try BeamSearch(beams: 5, rule: .whisper(patience: 1, lengthPenalty: nil)).run(decoder, request)
        }
        #expect(throws: GenerationError.self) {
            try BeamSearch(beams: 2, rule: .whisper(patience: 0, lengthPenalty: nil)).run(decoder, request)
        }
        #expect(throws: GenerationError.self) {
            try BeamSearch(beams: 2, rule: .whisper(patience: 1, lengthPenalty: 2)).run(decoder, request)
        }
        var dead = request
        dead.processors = [SuppressTokens([0, 1, 2, 3])]
        #expect(throws: GenerationError.noCandidate(step: 0)) {
            try BeamSearch(beams: 2, rule: .transformers(lengthPenalty: 1, stopping: .early, maximumLength: 4)).run(
                decoder, dead)
        }
    }
}
