import AttentionTypes
import Testing

@testable import AttentionAnalysis

@Suite struct AggregationTests {
    /// Two layers, two heads, two queries, three keys, every row different.
    private let captured: [AttentionWeights] = [
        AttentionWeights(
            kind: .cross, layer: 0, heads: 2, queries: 2, keys: 3,
            values: [
                0.2, 0.3, 0.5, 0.1, 0.1, 0.8,
                0.6, 0.2, 0.2, 0.3, 0.4, 0.3,
            ]),
        AttentionWeights(kind: .selfAttention, layer: 0, heads: 1, queries: 1, keys: 2, values: [0.5, 0.5]),
        AttentionWeights(
            kind: .cross, layer: 3, heads: 2, queries: 2, keys: 3,
            values: [
                0.9, 0.05, 0.05, 0.0, 1.0, 0.0,
                0.3, 0.3, 0.4, 0.25, 0.25, 0.5,
            ]),
    ]

    private func expect(_ row: [Float], _ wanted: [Float]) {
        #expect(row.count == wanted.count)
        for (a, b) in zip(row, wanted) { #expect(abs(a - b) < 1e-6) }
    }

    @Test func selectionsReduceTheRightHeads() throws {
        expect(
            try HeadSelection.single(AttentionHead(kind: .cross, layer: 3, head: 0)).row(
                of: captured, kind: .cross, query: 0),
            [0.9, 0.05, 0.05])
        expect(try HeadSelection.layer(0, .mean).row(of: captured, kind: .cross), [0.2, 0.25, 0.55])
        expect(try HeadSelection.layer(0, .max).row(of: captured, kind: .cross), [0.3, 0.4, 0.8])
        expect(try HeadSelection.all(.mean).row(of: captured, kind: .cross), [0.1625, 0.4375, 0.4])
        expect(try HeadSelection.all(.max).row(of: captured, kind: .cross), [0.3, 1, 0.8])
        let pair = [AttentionHead(kind: .cross, layer: 0, head: 0), AttentionHead(kind: .cross, layer: 3, head: 1)]
        expect(try HeadSelection.heads(pair, .mean).row(of: captured, kind: .cross), [0.175, 0.175, 0.65])
        expect(try HeadSelection.layer(0, .mean).row(of: captured, kind: .selfAttention), [0.5, 0.5])
    }

    @Test func absentSelectionsAreErrors() {
        #expect(throws: AttentionAnalysisError.self) {
            try HeadSelection.layer(1, .mean).row(of: captured, kind: .cross)
        }
        #expect(throws: AttentionAnalysisError.headOutOfRange(layer: 0, head: 2, heads: 2)) {
            try HeadSelection.single(AttentionHead(kind: .cross, layer: 0, head: 2)).row(of: captured, kind: .cross)
        }
        #expect(throws: AttentionAnalysisError.queryOutOfRange(layer: 0, query: 2, queries: 2)) {
            try HeadSelection.layer(0, .mean).row(of: captured, kind: .cross, query: 2)
        }
        let uneven =
            captured + [AttentionWeights(kind: .cross, layer: 4, heads: 1, queries: 2, keys: 2, values: [1, 0, 0, 1])]
        #expect(throws: AttentionAnalysisError.self) { try HeadSelection.all(.mean).row(of: uneven, kind: .cross) }
    }

    @Test func rolloutMultipliesHalfResidualLayers() throws {
        let first = AttentionWeights(
            kind: .selfAttention, layer: 0, heads: 1, queries: 2, keys: 2, values: [1, 0, 0.4, 0.6])
        let second = AttentionWeights(
            kind: .selfAttention, layer: 1, heads: 2, queries: 2, keys: 2, values: [1, 0, 0.2, 0.8, 1, 0, 0.6, 0.4])
        // 0.5·A + 0.5·I: [[1, 0], [0.2, 0.8]] and [[1, 0], [0.2, 0.8]]; the product's last row is [0.2 + 0.8·0.2, 0.64].
        expect(try AttentionRollout.rollOut([first, second]), [1, 0, 0.36, 0.64])
        #expect(throws: AttentionAnalysisError.self) { try AttentionRollout.rollOut([]) }
        #expect(throws: AttentionAnalysisError.self) { try AttentionRollout.rollOut([captured[0]]) }
    }

    @Test func sinksAreFoundAndTheRestKeepsTheSum() {
        let rows: [[Float]] = [[0.7, 0.2, 0.1], [0.8, 0.1, 0.05, 0.05], [0.6, 0.1, 0.1, 0.1, 0.1]]
        #expect(SinkMask(threshold: 0.5).sinks(in: rows) == [0])
        #expect(SinkMask(positions: [2], threshold: 0.5).sinks(in: rows) == [0, 2])
        #expect(SinkMask(positions: [1]).sinks(in: rows) == [1])
        expect(SinkMask.masking([0], in: rows[0]), [0, 2.0 / 3, 1.0 / 3])
        #expect(SinkMask.masking([0, 1, 2], in: rows[0]) == rows[0])
    }

    @Test func scalesRunFromZeroToOne() {
        let row: [Float] = [0, 0.001, 0.01, 0.1]
        expect(HeatScale.linear.apply(to: row), [0, 0.01, 0.1, 1])
        expect(HeatScale.linear.apply(to: row, maximum: 0.05), [0, 0.02, 0.2, 1])
        expect(HeatScale.log(decades: 2).apply(to: row), [0, 0, 0.5, 1])
        expect(HeatScale.percentile.apply(to: [0, 0.2, 0.1, 0.2]), [0, 1, 0.5, 1])
        for scale in [HeatScale.linear, .log(decades: 3), .percentile] {
            #expect(scale.apply(to: [0, 0]) == [0, 0])
            #expect(scale.apply(to: [.nan, .infinity, 1]).allSatisfy { $0 >= 0 && $0 <= 1 })
            #expect(scale.apply(to: []).isEmpty)
        }
    }
}
