import ComputeReference
import NumberFormats
import TestSupport
import Testing

@testable import Compute

@Suite("linear equals its CPU twin", .usesDevice)
struct LinearTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var rows, outputs, inputs: Int
        var format = ElementFormat.f32
        var activation = Activation.none
        var tuning = Tuning.vectorByAddress
        var bias = true
        var residual = false
        /// Extra elements between rows, and before the first.
        var gap = 0
        var offset = 0

        var testDescription: String {
            "\(rows)×\(outputs)×\(inputs) \(format.rawValue) \(activation) \(tuning.rawValue) bias \(bias) residual \(residual) gap \(gap)+\(offset)"
        }
    }

    /// Shapes at and around every edge: 1, primes, one more and one less than a tile, K short of a block.
    static let shapes = [
        (1, 1, 1), (1, 7, 3), (1, 67, 240), (2, 5, 31), (3, 33, 32), (4, 65, 33), (5, 64, 64), (8, 31, 100),
        (9, 129, 97), (67, 71, 130),
    ]

    static var cases: [Case] {
        var all: [Case] = []
        for tuning in Tuning.allCases {
            for (index, shape) in shapes.enumerated() {
                for format in LinearSelection.plainFormats {
                    all.append(
                        Case(
                            rows: shape.0, outputs: shape.1, inputs: shape.2, format: format, tuning: tuning,
                            bias: index % 2 == 0,
                            residual: index % 3 == 0))
                }
            }
            // Aligned and unaligned rows of x, and results that must not spill into their gaps.
            all.append(
                Case(rows: 6, outputs: 37, inputs: 64, format: .f16, tuning: tuning, residual: true, gap: 4, offset: 4))
            all.append(
                Case(rows: 6, outputs: 37, inputs: 64, format: .f16, tuning: tuning, residual: true, gap: 3, offset: 1))
            all.append(
                Case(rows: 1, outputs: 37, inputs: 64, format: .f32, tuning: tuning, residual: true, gap: 3, offset: 2))
            for activation in Activation.allCases {
                all.append(
                    Case(rows: 5, outputs: 40, inputs: 36, activation: activation, tuning: tuning, residual: true))
            }
        }
        return all
    }

    @Test("every form, format, activation and awkward shape", arguments: cases)
    func parity(_ c: Case) throws {
        let bench = try KernelBench(seed: UInt64(c.rows * 1000 + c.inputs))
        let x = bench.matrix(c.rows, c.inputs)
        let (weight, rounded) = try bench.weight(bench.matrix(c.outputs, c.inputs), format: c.format)
        let bias = c.bias ? bench.values(c.outputs) : nil
        let residual = c.residual ? bench.matrix(c.rows, c.outputs) : nil
        func result(_ weight: WeightMatrix) throws -> Tensor {
            let out = try bench.output(c.rows, c.outputs, rowStride: c.outputs + c.gap, offset: c.offset)
            try bench.stream.linear(
                bench.tensor(x, rowStride: c.inputs + c.gap, offset: c.offset), weight: weight,
                bias: bias.map { try bench.vector($0) },
                activation: c.activation, residual: residual.map { try bench.tensor($0, rowStride: c.outputs + c.gap) },
                into: out,
                profile: c.tuning.profile, load: c.tuning.load)
            return out
        }
        let out = try result(weight)
        let expected = Reference.linear(x, weight: rounded, bias: bias, activation: c.activation, residual: residual)
        #expect(largestDifference(try bench.read(out), expected) < 2e-6 * Float(c.inputs).squareRoot() + 2e-6)
        bench.expectUntouchedGaps(out)
        if c.tuning.profile == .vector {
            #expect(
                try bench.read(result(bench.inPanels(weight))) == bench.read(out),
                "panels change where weights lie, nothing else")
        }
        bench.expectNoValidationMessages()
    }

    @Test("the residual may be the result itself", arguments: Tuning.allCases)
    func inPlace(_ tuning: Tuning) throws {
        let bench = try KernelBench()
        let x = bench.matrix(11, 48)
        let residual = bench.matrix(11, 53)
        let (weight, rounded) = try bench.weight(bench.matrix(53, 48), format: .f16)
        let out = try bench.tensor(residual)
        try bench.stream.linear(
            bench.tensor(x), weight: weight, residual: out, into: out, profile: tuning.profile, load: tuning.load)
        #expect(largestDifference(try bench.read(out), Reference.linear(x, weight: rounded, residual: residual)) < 2e-5)
    }

    @Test(
        "GELU is within 1e-6 of the exact function, from far below zero to far above",
        arguments: [Activation.gelu, .geluTanh, .quickGelu, .silu])
    func activations(_ activation: Activation) throws {
        let bench = try KernelBench()
        let x = Reference.Matrix(rows: 1, columns: 4001, values: (0...4000).map { Float($0 - 2000) / 200 })
        let (one, _) = try bench.weight(.init(rows: 1, columns: 1, values: [1]), format: .f32)
        let out = try bench.output(4001, 1)
        let column = Reference.Matrix(rows: 4001, columns: 1, values: x.values)
        try bench.stream.linear(bench.tensor(column), weight: one, activation: activation, into: out)
        let expected = column.values.map { Float(Reference.activate(Double($0), activation)) }
        let got = try bench.read(out).values
        // Absolute below 1, relative above: a float of 8 has steps of 1e-6 itself.
        let worst = zip(got, expected).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? .infinity
        #expect(worst < (activation == .gelu ? 1e-6 : 4e-6), "\(activation): \(worst)")
    }

    struct Fusion: Sendable, CustomTestStringConvertible {
        var rows, outputs, inputs: Int
        var norm: InputNorm.Kind?
        var isGated = false
        var format = ElementFormat.f32
        var testDescription: String {
            "\(rows)×\(outputs)×\(inputs) \(format.rawValue) norm \(norm.map { "\($0)" } ?? "none")\(isGated ? ", gated" : "")"
        }
    }

    static var fusions: [Fusion] {
        // Gates join many rows too, aligned or not.
        [
            Fusion(rows: 21, outputs: 43, inputs: 96, isGated: true),
            Fusion(rows: 9, outputs: 70, inputs: 33, isGated: true, format: .f16),
            Fusion(rows: 1, outputs: 19, inputs: 31, isGated: true),
            // Rows long and few enough to be shared by subgroups; products large enough for large tiles.
            Fusion(rows: 1, outputs: 9, inputs: 1100, norm: .rootMeanSquare, isGated: true),
            Fusion(rows: 2, outputs: 7, inputs: 1028, norm: .layer),
            Fusion(rows: 1030, outputs: 1040, inputs: 20, isGated: true, format: .f16),
            Fusion(rows: 1030, outputs: 2100, inputs: 19),
        ]
            + [InputNorm.Kind?.none, .rootMeanSquare, .layer].flatMap { norm in
                [false, true].flatMap { isGated in
                    [
                        Fusion(rows: 1, outputs: 67, inputs: 36, norm: norm, isGated: isGated),
                        Fusion(rows: 1, outputs: 9, inputs: 240, norm: norm, isGated: isGated, format: .f16),
                        Fusion(rows: 4, outputs: 33, inputs: 100, norm: norm, isGated: isGated, format: .bf16),
                        Fusion(rows: 3, outputs: 40, inputs: 576, norm: norm, isGated: isGated, format: .f16),
                    ]
                }
            }
    }

    @Test("norms before and gates behind are part of the kernel", arguments: fusions, Tuning.allCases)
    func fused(_ c: Fusion, _ tuning: Tuning) throws {
        let bench = try KernelBench(seed: UInt64(c.outputs * 10 + c.rows))
        // Far from zero, so that a mean taken wrongly shows.
        let x = bench.matrix(c.rows, c.inputs, in: 2...5)
        let (gamma, beta) = (bench.values(c.inputs), bench.values(c.inputs))
        let rows = c.outputs * (c.isGated ? 2 : 1)
        let (weight, rounded) = try bench.weight(bench.matrix(rows, c.inputs), format: c.format)
        let bias = bench.values(rows)
        let residual = bench.matrix(c.rows, c.outputs)
        let norm: InputNorm? =
            switch c.norm {
            case .rootMeanSquare: .rootMeanSquare(gamma: try bench.vector(gamma), epsilon: 1e-5)
            case .layer: .layer(gamma: try bench.vector(gamma), beta: try bench.vector(beta), epsilon: 1e-5)
            case nil: nil
            }
        let canFuse = LinearSelection.fuses(
            rows: c.rows, inputs: c.inputs, bench.device.properties, profile: tuning.profile)
        #expect(canFuse || c.norm == nil)
        let out = try bench.output(c.rows, c.outputs, rowStride: c.outputs + 1)
        try bench.stream.linear(
            bench.tensor(x, rowStride: c.inputs + 4), norm: norm, weight: weight, bias: bench.vector(bias),
            activation: .silu, isGated: c.isGated,
            residual: bench.tensor(residual), into: out, profile: tuning.profile, load: tuning.load)

        let normed: Reference.Matrix =
            switch c.norm {
            case .rootMeanSquare: Reference.rmsNorm(x, gamma: gamma, epsilon: 1e-5)
            case .layer: Reference.layerNorm(x, gamma: gamma, beta: beta, epsilon: 1e-5)
            case nil: x
            }
        var expected = Reference.linear(normed, weight: rounded, bias: bias, activation: .none)
        if c.isGated {
            var joined = Reference.Matrix(rows: c.rows, columns: c.outputs)
            for m in 0..<c.rows {
                for n in 0..<c.outputs {
                    joined[m, n] = Float(Reference.activate(Double(expected[m, n]), .silu)) * expected[m, n + c.outputs]
                }
            }
            expected = joined
        } else {
            expected = Reference.combine(expected, activation: .silu)
        }
        expected = Reference.combine(expected, .add, residual)
        let largest = expected.values.reduce(Float(1)) { max($0, abs($1)) }
        #expect(
            largestDifference(try bench.read(out), expected) < (2e-6 * Float(c.inputs).squareRoot() + 4e-6) * largest)
        bench.expectUntouchedGaps(out)
        bench.expectNoValidationMessages()
    }

    @Test(
        "products of matrices in slices of sixteen columns",
        .enabled(if: TestDevice.hasMatrices, "the device has no cooperative matrices"))
    func shallowSlices() throws {
        for format in [ElementFormat.f16, .f32] {
            let bench = try KernelBench(device: TestDevice.withLittleSharedMemory.get())
            let problem = LinearProblem(rows: 45, outputs: 77, inputs: 121, format: format, hasWideRows: false)
            let choice = LinearSelection.select(problem, bench.device.properties, profile: .coalesced)
            #expect(choice.variant.name == "linear/matrix_\(format.rawValue)" && choice.variant.constants.last == 16)
            let x = bench.matrix(45, 121, in: -300...500)
            let (weight, rounded) = try bench.weight(bench.matrix(77, 121), format: format)
            let out = try bench.output(45, 77, rowStride: 78)
            try bench.stream.linear(bench.tensor(x), weight: weight, into: out, profile: .coalesced)
            #expect(largestDifference(try bench.read(out), Reference.linear(x, weight: rounded)) < 500 * 2.4e-5)
            bench.expectUntouchedGaps(out)
            bench.expectNoValidationMessages()
        }
    }

    struct Convolution: Sendable { var time, channels, outputs, kernel, stride, padding: Int }

    @Test(
        "a convolution over overlapping rows equals a convolution",
        arguments: [
            Convolution(time: 20, channels: 80, outputs: 24, kernel: 3, stride: 1, padding: 1),
            Convolution(time: 21, channels: 16, outputs: 24, kernel: 3, stride: 2, padding: 1),
            Convolution(time: 7, channels: 5, outputs: 3, kernel: 3, stride: 1, padding: 1),
            Convolution(time: 9, channels: 3, outputs: 2, kernel: 4, stride: 3, padding: 0),
        ], Tuning.allCases)
    func convolution(_ c: Convolution, _ tuning: Tuning) throws {
        let bench = try KernelBench()
        let x = bench.matrix(c.time, c.channels)
        let filter = bench.values(c.outputs * c.channels * c.kernel)
        let bias = bench.values(c.outputs)
        var padded = Reference.Matrix(rows: c.time + 2 * c.padding, columns: c.channels)
        for t in 0..<c.time { for k in 0..<c.channels { padded[t + c.padding, k] = x[t, k] } }
        var permuted = Reference.Matrix(rows: c.outputs, columns: c.kernel * c.channels)
        for o in 0..<c.outputs {
            for k in 0..<c.channels {
                for tap in 0..<c.kernel {
                    permuted[o, tap * c.channels + k] = filter[(o * c.channels + k) * c.kernel + tap]
                }
            }
        }
        let expected = Reference.convolution1D(
            x, weight: filter, outputs: c.outputs, kernel: c.kernel, stride: c.stride, padding: c.padding, bias: bias,
            activation: .gelu)
        let out = try bench.output(expected.rows, c.outputs)
        // The window of each output is one contiguous row; windows overlap.
        let windows = Tensor(
            buffer: try bench.tensor(padded).buffer, rows: expected.rows, columns: c.kernel * c.channels,
            rowStride: c.stride * c.channels)
        try bench.stream.linear(
            windows, weight: bench.weight(permuted, format: .f32).0, bias: bench.vector(bias), activation: .gelu,
            into: out, profile: tuning.profile, load: tuning.load)
        #expect(largestDifference(try bench.read(out), expected) < 2e-5)
    }
}
