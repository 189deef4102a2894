import Foundation

/// Stopping rule of transformers' beam search.
package enum BeamStopping: String, Sendable, Hashable, Codable, CaseIterable {
    /// As soon as there are as many finished hypotheses as beams (`early_stopping=True`).
    case early
    /// Once the best running hypothesis, at its present length, cannot beat the worst finished one (`False`).
    case heuristic
    /// Once it could not beat it at any allowed length (`"never"`).
    case never
}

/// Ranking, finishing and stopping rules of a beam search.
package enum BeamRule: Sendable, Hashable {
    /// As `transformers` 5: score = sum of log-probabilities / length^penalty, where the length counts generated tokens with
    /// the end token. Running into the length limit finishes a hypothesis too. `maximumLength` is that limit, needed by
    /// ``BeamStopping/never``.
    case transformers(lengthPenalty: Double, stopping: BeamStopping, maximumLength: Int)
    /// As the published Whisper: search until round(beams · patience) hypotheses have ended (Kasai et al., "Beam Decoding
    /// with Controlled Patience", 2022), then rank by sum / length, or sum / ((5 + length) / 6)^penalty (Wu et al. 2016),
    /// where the length leaves the end token out.
    case whisper(patience: Double, lengthPenalty: Double?)

    /// transformers' processors see log-probabilities, Whisper's rules see logits and are normalized afterwards.
    var normalizesBeforeProcessors: Bool {
        if case .transformers = self { return true }
        return false
    }

    func validate() throws {
        switch self {
        case .transformers(let penalty, _, let maximum):
            guard penalty.isFinite else {
                throw GenerationError.invalidOption(name: "length penalty", value: "\(penalty)", allowed: "a number")
            }
            guard maximum > 0 else {
                throw GenerationError.invalidOption(name: "maximum length", value: "\(maximum)", allowed: "1 or more")
            }
        case .whisper(let patience, let penalty):
            guard patience > 0, patience.isFinite else {
                throw GenerationError.invalidOption(name: "patience", value: "\(patience)", allowed: "above 0")
            }
            if let penalty, !(0...1).contains(penalty) {
                throw GenerationError.invalidOption(name: "length penalty", value: "\(penalty)", allowed: "0 to 1")
            }
        }
    }

    /// Number of continuations considered: enough to fill the beam if all others are end tokens.
    func candidates(beams: Int, endTokens: Int) -> (perHypothesis: Int, total: Int?) {
        switch self {
        case .transformers:
            let kept = max(2, 1 + endTokens) * beams
            return (kept, kept)
        case .whisper:
            return (beams + 1, nil)
        }
    }

    func makeJudge(beams: Int) -> any BeamJudge {
        switch self {
        case .transformers(let penalty, let stopping, let maximum):
            TransformersJudge(beams: beams, lengthPenalty: penalty, stopping: stopping, maximumLength: maximum)
        case .whisper(let patience, let penalty):
            WhisperJudge(
                beams: beams, wanted: Int(min(max((Double(beams) * patience).rounded(.toNearestOrEven), 1), 1e9)),
                lengthPenalty: penalty)
        }
    }

    /// Whisper's rank of a hypothesis; also used for best-of-n samples.
    package static func whisperScore(sum: Double, length: Int, penalty: Double?) -> Double {
        if let penalty { return sum / pow((5 + Double(length)) / 6, penalty) }
        return sum / Double(max(length, 1))
    }
}

/// The state of a rule during one search.
protocol BeamJudge {
    /// Hypotheses that have ended and may win.
    var ended: [Hypothesis] { get }

    /// - Parameters:
    ///   - candidates: best first by sum.
    ///   - length: generated tokens of each candidate.
    ///   - isLast: there will be no further step.
    ///   - extend: makes a candidate's hypothesis.
    mutating func judge(
        _ candidates: [BeamSearch.Candidate], length: Int, isLast: Bool, extend: (BeamSearch.Candidate) -> Hypothesis
    ) -> (continuing: [BeamSearch.Candidate], isOver: Bool)

    /// All results, best first.
    func ranking(unfinished: [Hypothesis], wasCancelled: Bool) -> [(hypothesis: Hypothesis, score: Double)]
}

private struct TransformersJudge: BeamJudge {
    let beams: Int
    let lengthPenalty: Double
    let stopping: BeamStopping
    let maximumLength: Int
    /// Sorted, at most `beams`.
    private var finished: [(hypothesis: Hypothesis, score: Double)] = []
    /// Goes false when no running hypothesis can improve the result any more.
    private var canImprove = true

    init(beams: Int, lengthPenalty: Double, stopping: BeamStopping, maximumLength: Int) {
        self.beams = beams
        self.lengthPenalty = lengthPenalty
        self.stopping = stopping
        self.maximumLength = maximumLength
    }

    var ended: [Hypothesis] { finished.map(\.hypothesis) }

    private func score(_ sum: Double, length: Int) -> Double { sum / pow(Double(length), lengthPenalty) }

    mutating func judge(
        _ candidates: [BeamSearch.Candidate], length: Int, isLast: Bool, extend: (BeamSearch.Candidate) -> Hypothesis
    ) -> (continuing: [BeamSearch.Candidate], isOver: Bool) {
        let isFull = finished.count >= beams
        // Only the top `beams` candidates may finish; the ones below are there to fill the beam.
        if canImprove, !(isFull && stopping == .early) {
            for candidate in candidates.prefix(beams) where candidate.ends || isLast {
                insert(extend(candidate), score: score(candidate.sum, length: length))
            }
        }
        let continuing = isLast ? [] : Array(candidates.lazy.filter { !$0.ends }.prefix(beams))
        if let best = continuing.first {
            let reach = stopping == .never && lengthPenalty > 0 ? maximumLength : length
            let possible = score(best.sum, length: reach)
            canImprove = canImprove && (finished.count < beams || possible > (finished.last?.score ?? -.infinity))
        }
        let isOver = !canImprove || (stopping == .early && finished.count >= beams) || continuing.isEmpty
        return (continuing, isOver)
    }

    private mutating func insert(_ hypothesis: Hypothesis, score: Double) {
        let place = finished.firstIndex { $0.score < score } ?? finished.count
        finished.insert((hypothesis, score), at: place)
        if finished.count > beams { finished.removeLast() }
    }

    func ranking(unfinished: [Hypothesis], wasCancelled: Bool) -> [(hypothesis: Hypothesis, score: Double)] {
        guard finished.isEmpty || wasCancelled else { return finished }
        let running = unfinished.map {
            (hypothesis: $0, score: score($0.sumLogProbability, length: max($0.ids.count, 1)))
        }
        return finished + running.sorted { $0.score > $1.score }
    }
}

private struct WhisperJudge: BeamJudge {
    let beams: Int
    let wanted: Int
    let lengthPenalty: Double?
    /// In the order in which they ended.
    private var finished: [Hypothesis] = []

    var ended: [Hypothesis] { finished }

    init(beams: Int, wanted: Int, lengthPenalty: Double?) {
        self.beams = beams
        self.wanted = wanted
        self.lengthPenalty = lengthPenalty
    }

    mutating func judge(
        _ candidates: [BeamSearch.Candidate], length: Int, isLast: Bool, extend: (BeamSearch.Candidate) -> Hypothesis
    ) -> (continuing: [BeamSearch.Candidate], isOver: Bool) {
        var continuing: [BeamSearch.Candidate] = []
        for candidate in candidates {
            if candidate.ends {
                if finished.count < wanted { finished.append(extend(candidate)) }
            } else {
                continuing.append(candidate)
                if continuing.count == beams { break }
            }
        }
        return (continuing, finished.count >= wanted)
    }

    func ranking(unfinished: [Hypothesis], wasCancelled: Bool) -> [(hypothesis: Hypothesis, score: Double)] {
        var all = finished
        if all.count < beams {
            all += unfinished.sorted { $0.sumLogProbability > $1.sumLogProbability }.prefix(beams - all.count)
        }
        let scored = all.map {
            (
                hypothesis: $0,
                score: BeamRule.whisperScore(
                    sum: $0.sumLogProbability, length: $0.textIDs.count, penalty: lengthPenalty)
            )
        }
        // A stable order: of equal scores the one that ended first.
        return scored.enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }.map(
            \.element)
    }
}
