import Compute

/// Consecutive queries of a pass that see the same keys. A pass whose queries differ in what they see is described by
/// its runs, one after another: far less than a matrix of all queries and keys.
package struct MaskRun: Sendable {
    package let queries: Range<Int>
    /// Added to the scores, `[1, keys]`; nil where the run sees everything.
    package let mask: Tensor?

    package init(queries: Range<Int>, mask: Tensor?) {
        self.queries = queries
        self.mask = mask
    }
}

/// Queries of a pass that one call of the attention kernel takes.
struct QueryRun {
    let queries: Range<Int>
    var bias: AttentionBias?
    /// With a value, the run's queries see all keys before it; see `AttentionShape.spanEnd`.
    var spanEnd: Int?

    /// All queries at once.
    static func all(_ count: Int, bias: AttentionBias?) -> [QueryRun] { [QueryRun(queries: 0..<count, bias: bias)] }

    /// Runs of a causal pass over `count` positions from `firstPosition` on, in which the queries of each span also see those
    /// after them in the span. Spans ascend and do not overlap.
    static func causal(_ count: Int, spans: [Range<Int>], firstPosition: Int) -> [QueryRun] {
        var runs: [QueryRun] = []
        var end = 0
        for span in spans {
            if span.lowerBound > end { runs.append(QueryRun(queries: end..<span.lowerBound)) }
            runs.append(QueryRun(queries: span, spanEnd: firstPosition + span.upperBound))
            end = span.upperBound
        }
        if end < count { runs.append(QueryRun(queries: end..<count)) }
        return runs
    }

    /// The shape of the whole pass as this run's queries see it.
    func shape(_ pass: AttentionShape) -> AttentionShape {
        var shape = pass.from(query: queries.lowerBound)
        shape.spanEnd = spanEnd
        return shape
    }

    static func masked(_ runs: [MaskRun], queries: Int) -> [QueryRun] {
        var end = 0
        for run in runs {
            precondition(run.queries.lowerBound == end, "runs of queries follow each other")
            end = run.queries.upperBound
        }
        precondition(end == queries, "runs of \(end) of \(queries) queries")
        return runs.map { run in
            QueryRun(queries: run.queries, bias: run.mask.map { AttentionBias(mask: $0, queries: run.queries.count) })
        }
    }
}
