import ComputeReference
import Testing

@testable import Compute

@Suite("bias by relative position equals its CPU twin")
struct RelativeBiasTests {
    @Test(
        "squares, rows after others, single queries",
        arguments: [(1, 1, 1), (3, 5, 5), (8, 33, 33), (6, 2, 40), (2, 1, 300)], [false, true])
    func spreading(_ size: (heads: Int, queries: Int, keys: Int), isMasked: Bool) throws {
        let bench = try KernelBench()
        let weights = bench.matrix(7, size.heads)
        // The queries are the last ones of the keys; the list has room to spare at both ends.
        let first = size.queries + 2
        let buckets = bench.integers(first + size.keys + 3, below: 7)
        let mask = isMasked ? bench.values(size.keys) : nil
        let out = try bench.output(size.heads * size.queries, size.keys, rowStride: size.keys + 3)
        try bench.stream.relativeBias(
            weights: bench.tensor(weights), buckets: bench.ids(buckets), first: first,
            mask: mask.map { try bench.vector($0) },
            queries: size.queries, into: out)
        let expected = Reference.relativeBias(
            weights: weights, buckets: buckets, first: first, mask: mask, queries: size.queries, keys: size.keys)
        #expect(largestDifference(try bench.read(out), expected) == 0)
        bench.expectUntouchedGaps(out)
        bench.expectNoValidationMessages()
    }
}
