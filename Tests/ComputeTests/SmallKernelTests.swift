import ComputeReference
import Foundation
import NumberFormats
import TestSupport
import Testing

@testable import Compute

@Suite("norms, embedding and elementwise equal their CPU twins", .usesDevice)
struct SmallKernelTests {
    @Test("norms", arguments: [(1, 1), (3, 7), (5, 31), (2, 64), (7, 512), (3, 1281)], [0, 1, 4])
    func norms(_ shape: (rows: Int, columns: Int), gap: Int) throws {
        let bench = try KernelBench()
        // Far from zero, where a one-pass variance would lose its digits.
        let x = bench.matrix(shape.rows, shape.columns, in: 90...110)
        let (gamma, beta) = (bench.values(shape.columns), bench.values(shape.columns))
        let source = try bench.tensor(x, rowStride: shape.columns + gap)
        let out = try bench.output(shape.rows, shape.columns, rowStride: shape.columns + gap)
        try bench.stream.layerNorm(
            source, gamma: bench.vector(gamma), beta: bench.vector(beta), epsilon: 1e-5, into: out)
        #expect(
            largestDifference(try bench.read(out), Reference.layerNorm(x, gamma: gamma, beta: beta, epsilon: 1e-5))
                < 3e-5)
        bench.expectUntouchedGaps(out)
        try bench.stream.rmsNorm(source, gamma: bench.vector(gamma), epsilon: 1e-6, into: out)
        #expect(largestDifference(try bench.read(out), Reference.rmsNorm(x, gamma: gamma, epsilon: 1e-6)) < 3e-6)
        bench.expectUntouchedGaps(out)
        // In place, and without parameters.
        try bench.stream.layerNorm(source, gamma: nil, beta: nil, epsilon: 1e-5, into: source)
        #expect(
            largestDifference(try bench.read(source), Reference.layerNorm(x, gamma: nil, beta: nil, epsilon: 1e-5))
                < 3e-5)
        bench.expectNoValidationMessages()
    }

    @Test("embedding of a step and of a sequence", arguments: LinearSelection.plainFormats, [1, 5, 12, 100])
    func embedding(_ format: ElementFormat, columns: Int) throws {
        let bench = try KernelBench()
        let (table, rounded) = try bench.weight(bench.matrix(53, columns), format: format)
        let positions = bench.matrix(20, columns)
        let tokens = bench.integers(6, below: 53)
        let out = try bench.output(6, columns, rowStride: columns + 1)
        try bench.stream.embed(
            tokens: bench.ids(tokens), firstPosition: 4, table: table, scale: 1.5, positions: bench.tensor(positions),
            into: out)
        #expect(
            largestDifference(
                try bench.read(out),
                Reference.embed(tokens, table: rounded, scale: 1.5, positions: positions, rowPositions: Array(4..<10)))
                < 1e-6)
        bench.expectUntouchedGaps(out)

        let step = try StepBuffer(device: bench.device)
        step.write(StepState(position: 11, tokens: tokens))
        try bench.stream.embed(step: step, rows: 6, table: table, positions: bench.tensor(positions), into: out)
        #expect(
            largestDifference(
                try bench.read(out),
                Reference.embed(
                    tokens, table: rounded, scale: 1, positions: positions, rowPositions: Array(repeating: 11, count: 6)
                )) < 1e-6)

        // Ids and positions beyond their tables are clamped, not followed into the wilds.
        try bench.stream.embed(
            tokens: bench.ids([4_000_000_000]), firstPosition: 1000, table: table, positions: bench.tensor(positions),
            into: out.rows(0..<1))
        #expect(
            largestDifference(
                try bench.read(out.rows(0..<1)),
                Reference.embed([52], table: rounded, scale: 1, positions: positions, rowPositions: [19])) < 1e-6)
        bench.expectNoValidationMessages()
    }

    @Test("conversions", arguments: [(1, 1), (3, 127), (2, 128), (5, 131)])
    func conversions(_ shape: (rows: Int, columns: Int)) throws {
        let bench = try KernelBench()
        let x = bench.matrix(shape.rows, shape.columns, in: -70...70)
        for (source, target) in ElementwiseSelection.conversions {
            let out = try bench.output(shape.rows, shape.columns, rowStride: shape.columns + 5, format: target)
            try bench.stream.convert(
                bench.tensor(x, rowStride: shape.columns + 3, format: source), scale: 0.5, into: out)
            let got = try bench.read(out)
            for (value, original) in zip(got.values, x.values) {
                let expected = KernelBench.rounded(original, to: source) * 0.5
                // Half a unit in the last place, or a whole one where the device rounds towards zero.
                let tolerance = target == .f16 ? abs(expected) * 0x1p-10 : 0
                #expect(abs(value - expected) <= tolerance)
            }
        }
        bench.expectNoValidationMessages()
    }

    @Test("capped values, in place")
    func caps() throws {
        let bench = try KernelBench()
        let x = bench.matrix(3, 131, in: -70...70)
        let tensor = try bench.tensor(x, rowStride: 133)
        try bench.stream.convert(tensor, scale: 0.5, cap: 6, into: tensor)
        for (value, original) in zip(try bench.read(tensor).values, x.values) {
            #expect(abs(Double(value) - 6 * tanh(Double(original) / 12)) < 2e-5)
        }
        bench.expectNoValidationMessages()
    }

    @Test("root-mean-square norms of heads in rows with gaps", arguments: [4, 12, 5])
    func headNorms(_ size: Int) throws {
        let bench = try KernelBench()
        let (x, gamma) = (bench.matrix(5, 3 * size, in: -3...3), bench.matrix(1, size))
        let tensor = try bench.tensor(x, rowStride: 3 * size + 4)
        try bench.stream.rmsNorm(tensor, gamma: bench.vector(gamma.values), epsilon: 1e-6, into: tensor)
        let heads = Reference.Matrix(rows: 15, columns: size, values: x.values)
        let expected = Reference.rmsNorm(heads, gamma: gamma.values, epsilon: 1e-6)
        #expect(
            largestDifference(
                .init(rows: 15, columns: size, values: try bench.read(tensor).values), expected) < 3e-6)
        bench.expectUntouchedGaps(tensor)
        bench.expectNoValidationMessages()
    }

    @Test("activations, sums and gates", arguments: Activation.allCases, [1, 130])
    func combinations(_ activation: Activation, columns: Int) throws {
        let bench = try KernelBench()
        let (a, b) = (bench.matrix(3, columns, in: -4...4), bench.matrix(3, columns))
        let (ta, tb) = (try bench.tensor(a, rowStride: columns + 1), try bench.tensor(b))
        let out = try bench.output(3, columns, rowStride: columns + 2)
        for operation in ElementwiseOperation.allCases {
            try bench.stream.combine(ta, activation: activation, operation, tb, into: out)
            #expect(
                largestDifference(try bench.read(out), Reference.combine(a, activation: activation, operation, b))
                    < 1e-5)
        }
        try bench.stream.activate(ta, activation, into: ta)
        #expect(largestDifference(try bench.read(ta), Reference.combine(a, activation: activation)) < 1e-5)
        bench.expectUntouchedGaps(out)
        bench.expectNoValidationMessages()
    }
}
