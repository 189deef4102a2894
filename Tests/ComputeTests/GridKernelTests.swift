import ComputeReference
import TestSupport
import Testing

@testable import Compute

@Suite("kernels over grids equal their CPU twins", .usesDevice)
struct GridKernelTests {
    @Test("gathered rows, zeros where there is none", arguments: [(1, 1), (9, 7), (40, 33)])
    func gather(_ shape: (rows: Int, columns: Int)) throws {
        let bench = try KernelBench()
        let x = bench.matrix(shape.rows, shape.columns)
        var index = bench.integers(23, below: shape.rows)
        for place in [0, 7, 22] { index[place] = Int(CommandStream.noRow) }
        let out = try bench.output(index.count, shape.columns, rowStride: shape.columns + 3)
        try bench.stream.gatherRows(
            bench.tensor(x, rowStride: shape.columns + 2), index: bench.ids(index), into: out)
        #expect(try bench.read(out) == Reference.gatherRows(x, index: index))
        bench.expectUntouchedGaps(out)
        bench.expectNoValidationMessages()
    }

    @Test("depthwise convolution with its residual", arguments: [(1, 1, 1), (2, 5, 3), (9, 4, 40), (1, 6, 8)])
    func depthwise(_ shape: (rows: Int, columns: Int, channels: Int)) throws {
        let bench = try KernelBench()
        let x = bench.matrix(shape.rows * shape.columns, shape.channels)
        let (weight, bias) = (bench.matrix(shape.channels, 9), bench.values(shape.channels))
        let out = try bench.output(x.rows, x.columns)
        try bench.stream.addDepthwiseConvolution(
            bench.tensor(x), gridColumns: shape.columns, weight: bench.tensor(weight), bias: bench.vector(bias),
            into: out)
        let expected = Reference.addDepthwiseConvolution(
            x, gridColumns: shape.columns, weight: weight, bias: bias)
        #expect(largestDifference(try bench.read(out), expected) < 2e-6)
        bench.expectNoValidationMessages()
    }

    @Test("attention between channels", arguments: [(1, 1, 1), (7, 6, 3), (300, 24, 6), (40, 80, 40)])
    func channels(_ shape: (places: Int, channels: Int, group: Int)) throws {
        let bench = try KernelBench()
        // Query, key and value side by side, as a fused layer leaves them.
        let parts = (0..<3).map { _ in bench.matrix(shape.places, shape.channels) }
        var fused = Reference.Matrix(rows: shape.places, columns: 3 * shape.channels)
        for place in 0..<shape.places {
            for (number, part) in parts.enumerated() {
                for channel in 0..<shape.channels {
                    fused[place, number * shape.channels + channel] = part[place, channel]
                }
            }
        }
        let qkv = try bench.tensor(fused)
        func view(_ number: Int) -> Tensor {
            qkv.columns(number * shape.channels..<(number + 1) * shape.channels)
        }
        let scale = 1 / Float(shape.places).squareRoot()
        let weights = try bench.output(shape.channels, shape.group)
        let out = try bench.output(shape.places, shape.channels, rowStride: shape.channels + 1)
        try bench.stream.channelAttention(
            query: view(0), key: view(1), value: view(2), scale: scale, weights: weights, into: out)
        let expected = Reference.channelAttention(
            query: parts[0], key: parts[1], value: parts[2], group: shape.group, scale: scale)
        #expect(largestDifference(try bench.read(weights), expected.weights) < 2e-6)
        #expect(largestDifference(try bench.read(out), expected.out) < 3e-6)
        bench.expectUntouchedGaps(out)
        bench.expectNoValidationMessages()
    }

    @Test("soft caps and the hyperbolic tangent", arguments: [1, 4, 30] as [Float])
    func softCap(_ cap: Float) throws {
        let bench = try KernelBench()
        for range: ClosedRange<Float> in [-0.5...0.5, -8...8, -300...300] {
            let x = bench.matrix(3, 131, in: range)
            let out = try bench.output(3, 131, rowStride: 135)
            try bench.stream.convert(bench.tensor(x, rowStride: 134), cap: cap, into: out)
            #expect(largestDifference(try bench.read(out), Reference.softCap(x, cap: cap)) < 1e-6 * max(1, cap))
            bench.expectUntouchedGaps(out)
        }
        bench.expectNoValidationMessages()
    }
}
