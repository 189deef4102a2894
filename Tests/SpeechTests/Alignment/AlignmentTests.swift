import AttentionAnalysis
import Generation
import AttentionTypes
import TestSupport
import Testing

@testable import Speech

@Suite struct AlignmentTests {
    // MARK: - against transformers

    /// `return_token_timestamps` of the two Whisper fixtures: alignment heads of the greedy steps, every time exact.
    @Test(
        .enabled(if: ReferenceTensors.exists("whisper-80/golden.safetensors"), "reference fixtures are absent"),
        arguments: ["whisper-80", "whisper-128"])
    func tokenTimesEqualTransformers(name: String) throws {
        let golden = try ReferenceTensors("\(name)/golden.safetensors")
        let runs = try ReferenceTensors.json("\(name)/generate.json")["generate"] as? [[String: Any]] ?? []
        let run = try #require(runs.first { $0["token_timestamps"] != nil })
        let sequence = try #require(run["sequences"] as? [Int]),
            times = try #require(run["token_timestamps"] as? [Double])
        #expect(golden["main/greedy"].integers == sequence, "the greedy steps of the fixture are those of the run")

        let pairs = golden["alignment_heads"].integers
        let heads = stride(from: 0, to: pairs.count, by: 2).map {
            AttentionHead(kind: .cross, layer: pairs[$0], head: pairs[$0 + 1])
        }
        let steps = (1..<sequence.count).map { step in
            (0..<2).map { layer in
                let tensor = golden["main/step\(step).cross.\(layer)"]
                return AttentionWeights(
                    kind: .cross, layer: layer, heads: tensor.shape[0], queries: tensor.shape[1], keys: tensor.shape[2],
                    values: tensor.values)
            }
        }
        let weights = try AlignmentWeights(collecting: heads, from: steps)
        for positions in [nil, 1500] {
            let found = weights.tokenTimes(options: .init(positions: positions))
            #expect(found.count == times.count)
            for (a, b) in zip(found, times) { #expect(abs(a - b) < 1e-6, "\(found) \(times)") }
        }
    }

    // MARK: - warping

    /// The cheapest of all monotonic paths, by trying all of them.
    private func cheapest(_ cost: [Float], rows: Int, columns: Int) -> Float {
        func best(_ row: Int, _ column: Int) -> Float {
            let own = cost[row * columns + column]
            if row == 0 && column == 0 { return own }
            var before = Float.infinity
            if row > 0 { before = min(before, best(row - 1, column)) }
            if column > 0 { before = min(before, best(row, column - 1)) }
            if row > 0 && column > 0 { before = min(before, best(row - 1, column - 1)) }
            return own + before
        }
        return best(rows - 1, columns - 1)
    }

    @Test(arguments: [(1, 1), (1, 6), (6, 1), (3, 4), (5, 5), (4, 7)])
    func warpingFindsTheCheapestPath(rows: Int, columns: Int) {
        var state: UInt64 = UInt64(rows * 31 + columns)
        for _ in 0..<20 {
            let cost = (0..<rows * columns).map { _ -> Float in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Float(state >> 40) / Float(1 << 24) - 0.5
            }
            let path = DynamicTimeWarping.path(cost: cost, rows: rows, columns: columns)
            let spent = zip(path.rows, path.columns).reduce(Float(0)) { $0 + cost[$1.0 * columns + $1.1] }
            #expect(abs(spent - cheapest(cost, rows: rows, columns: columns)) < 1e-5)
            #expect(
                path.rows.first == 0 && path.columns.first == 0 && path.rows.last == rows - 1
                    && path.columns.last == columns - 1)
            for step in path.rows.indices.dropFirst() {
                #expect(
                    (0...1).contains(path.rows[step] - path.rows[step - 1])
                        && (0...1).contains(path.columns[step] - path.columns[step - 1]))
                #expect(path.rows[step] + path.columns[step] > path.rows[step - 1] + path.columns[step - 1])
            }
            #expect(path.firstColumns.count == rows)
        }
    }

    @Test func equalCostsWalkAlongTheRowFirst() {
        // Walking back from the end, a tie goes to the left neighbor: the last row takes the columns.
        let path = DynamicTimeWarping.path(cost: [Float](repeating: 0, count: 6), rows: 2, columns: 3)
        #expect(path.rows == [0, 1, 1, 1] && path.columns == [0, 0, 1, 2])
    }

    @Test func fullSizeWarpingIsQuick() {
        let rows = 448, columns = 1500
        let cost = (0..<rows * columns).map { Float(($0 &* 2_654_435_761) % 1000) / 1000 }
        let clock = ContinuousClock()
        let taken = clock.measure { _ = DynamicTimeWarping.path(cost: cost, rows: rows, columns: columns) }
        #if DEBUG
            #expect(taken < .seconds(10))
        #else
            #expect(taken < .milliseconds(100), "\(taken)")
        #endif
    }

    // MARK: - smoothing

    @Test func medianReflectsAtTheEnds() {
        // Reflected: 3 2 | 1 2 3 9 5 | 9 3
        #expect(MedianFilter.filter([1, 2, 3, 9, 5], columns: 5, width: 5) == [2, 2, 3, 5, 5])
        #expect(MedianFilter.filter([5, 1, 4], columns: 3, width: 7) == [5, 1, 4], "too short a row stays as it is")
        #expect(MedianFilter.filter([5, 1, 4, 1, 9, 2], columns: 3, width: 3) == [1, 4, 1, 9, 2, 9])
    }

    @Test(arguments: [3, 5, 7, 9]) func medianEqualsSortingEveryWindow(width: Int) {
        var state: UInt64 = 3
        for columns in [width / 2 + 1, width, 40] {
            let rows = (0..<3 * columns).map { _ -> Float in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Float(state >> 60)
            }
            let filtered = MedianFilter.filter(rows, columns: columns, width: width)
            for row in 0..<3 {
                for column in 0..<columns {
                    let window = (-(width / 2)...width / 2).map { offset -> Float in
                        let index = abs(column + offset)
                        return rows[row * columns + (index < columns ? index : 2 * (columns - 1) - index)]
                    }
                    #expect(filtered[row * columns + column] == window.sorted()[width / 2])
                }
            }
        }
    }

    @Test func croppingRenormalizes() throws {
        // Rows of equal shape but unequal mass within the crop: only with renormalization is there no spread left.
        let weights = AlignmentWeights(
            heads: 1, tokens: 2, positions: 4, values: [0.4, 0.4, 0.1, 0.1, 0.1, 0.1, 0.4, 0.4])
        let cut = TokenAlignment.evidence(weights, options: .init(medianWidth: 1, positions: 2)).values
        #expect(cut.map { $0.rounded() } == [1, 1, -1, -1])
        let scaled = TokenAlignment.evidence(weights, options: .init(medianWidth: 1, positions: 2, renormalizes: true))
            .values
        #expect(scaled.allSatisfy { abs($0) < 1e-6 })
    }

    @Test func missingAlignmentHeadsAreErrors() {
        let step = [AttentionWeights(kind: .cross, layer: 0, heads: 1, queries: 1, keys: 2, values: [0.5, 0.5])]
        #expect(throws: AttentionAnalysisError.self) {
            try AlignmentWeights(collecting: [AttentionHead(kind: .cross, layer: 1, head: 0)], from: [step])
        }
        #expect(throws: AttentionAnalysisError.headOutOfRange(layer: 0, head: 3, heads: 1)) {
            try AlignmentWeights(collecting: [AttentionHead(kind: .cross, layer: 0, head: 3)], from: [step])
        }
    }
}

@Suite struct WordTimingTests {
    private func word(_ text: String, _ start: Double = 0, _ end: Double = 0, tokens: Int = 1) -> AlignedWord {
        AlignedWord(text: text, tokens: [Int](repeating: 7, count: tokens), start: start, end: end, probability: 1)
    }

    @Test func wordsTakeTheTimesOfTheirTokens() {
        let words = [
            WordTokens(text: " so", tokens: [1]), WordTokens(text: " listen", tokens: [2, 3]),
            WordTokens(text: "<end>", tokens: [9]),
        ]
        let aligned = WordTiming.align(words: words, startTimes: [0.1, 0.5, 0.7, 1.2], probabilities: [0.5, 0.2, 0.6])
        #expect(aligned.map(\.start) == [0.1, 0.5] && aligned.map(\.end) == [0.5, 1.2])
        #expect(aligned.map(\.probability) == [0.5, 0.4])
        #expect(WordTiming.align(words: [words[2]], startTimes: [0], probabilities: []).isEmpty)
    }

    @Test func punctuationJoinsItsWord() {
        var words = [
            word(" \""), word(" He"), word("llo"), word(","), word(" (("), word(" you"), word("!"), word("\""),
        ]
        WordTiming.mergePunctuation(&words)
        #expect(
            words.map(\.text) == ["", " \" He", "llo,", "", " ((", " you!\"", "", ""],
            "\"((\" is not in the published list")
        #expect(words.map { $0.tokens.count } == [0, 2, 2, 0, 1, 3, 0, 0])
    }

    @Test func longWordsAtSentenceEndsAreClamped() {
        var words = [word(" a", 0, 0.4), word(".", 0.4, 3), word(" b", 3, 6), word(" c", 6, 6.4)]
        #expect(WordTiming.medianDuration(words) == 0.7)
        #expect(abs(WordTiming.medianDuration([word("a", 0, 0.2), word("b", 1, 1.4), word("c", 2, 2)]) - 0.3) < 1e-9)
        WordTiming.clampAtSentenceEnds(&words, maximum: 1)
        #expect(words[1].end == 1.4 && words[2].start == 5 && words[3].start == 6)
    }

    @Test func segmentsTakeTheirWords() {
        var segments = [
            SegmentWords(start: 10, end: 12, textTokens: 2), SegmentWords(start: 12, end: 14, textTokens: 1),
        ]
        var lastSpeech = 10.0
        let words = [word(" a", 0.1, 0.5), word(" b", 0.5, 1.9), word("", 2, 2, tokens: 0), word(" c", 2.1, 3.9)]
        SegmentWords.assign(words, to: &segments, offset: 10, median: 0.5, maximum: 1, lastSpeech: &lastSpeech)
        #expect(segments[0].words.map(\.text) == [" a", " b"] && segments[1].words.map(\.text) == [" c"])
        #expect(segments[0].start == 10.1 && segments[0].end == 11.9)
        #expect(segments[1].start == 12.1 && segments[1].end == 13.9 && lastSpeech == 13.9)
    }

    @Test func aFirstWordAfterAPauseIsNotStretched() {
        var segments = [SegmentWords(start: 8, end: 9, textTokens: 1)]
        var lastSpeech = 0.0
        SegmentWords.assign(
            [word(" late", 0, 9)], to: &segments, offset: 0, median: 0.5, maximum: 1, lastSpeech: &lastSpeech)
        // Cut to one second before its end; the segment's own start (8) is not half a second later than that.
        #expect(segments[0].words[0].start == 8 && segments[0].words[0].end == 9)
    }
}
