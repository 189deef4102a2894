import ComputeReference
import TestSupport
import Testing

@testable import Compute

@Suite("rotary positions equal their CPU twin", .usesDevice)
struct RotaryTests {
    @Test(
        "sequences and steps, whole heads and parts, both pairings",
        arguments: [(1, 2, 2), (3, 8, 8), (6, 12, 12), (5, 64, 32), (9, 128, 128)], [false, true])
    func turning(_ size: (heads: Int, dimension: Int, turned: Int), isInterleaved: Bool) throws {
        let bench = try KernelBench()
        let shape = RotaryShape(
            headDimension: size.dimension, rotaryDimension: size.turned, isInterleaved: isInterleaved)
        let x = bench.matrix(5, size.heads * size.dimension)
        let angles = bench.matrix(20, size.turned)
        let table = try bench.tensor(angles)

        let sequence = try bench.tensor(x, rowStride: x.columns + 3)
        try bench.stream.rotary(sequence, shape: shape, table: table, firstPosition: 7)
        #expect(
            largestDifference(
                try bench.read(sequence), Reference.rotary(x, shape: shape, table: angles, rowPositions: Array(7..<12)))
                < 1e-6)
        bench.expectUntouchedGaps(sequence)

        let step = try StepBuffer(device: bench.device)
        step.write(StepState(position: 13, tokens: [0, 0, 0, 0, 0]))
        let rows = try bench.tensor(x)
        try bench.stream.rotary(rows, shape: shape, table: table, step: step)
        #expect(
            largestDifference(
                try bench.read(rows),
                Reference.rotary(x, shape: shape, table: angles, rowPositions: Array(repeating: 13, count: 5))) < 1e-6)
        bench.expectNoValidationMessages()
    }
}
