import ComputeReference
import NumberFormats
import TestSupport
import Testing

@testable import Compute

@Suite("quantized weights equal the decoded ones", .usesDevice)
struct QuantizedWeightTests {
    /// A matrix of random blocks, and their values by the decoders of NumberFormats.
    private func weight(_ bench: KernelBench, rows: Int, columns: Int, format: ElementFormat) throws -> (
        WeightMatrix, Reference.Matrix
    ) {
        let blocks = rows * columns / format.elementsPerBlock
        var bytes = bench.integers(blocks * format.bytesPerBlock, below: 256).map { UInt8($0) }
        let device = try #require(format.deviceBlock)
        for block in 0..<blocks {
            for place in device.factors {
                if device.areExponents {
                    bytes[block * format.bytesPerBlock + place] = 118 + bytes[block * format.bytesPerBlock + place] % 4
                    continue
                }
                let scale = HalfPrecision.f16(bench.values(1, in: 0.001...0.01)[0])
                bytes[block * format.bytesPerBlock + place] = UInt8(scale & 255)
                bytes[block * format.bytesPerBlock + place + 1] = UInt8(scale >> 8)
            }
        }
        let values = bytes.withUnsafeBytes { format.floats(from: $0) }
        let layout = try #require(BlockLayout(format))
        let arranged = bytes.withUnsafeBytes { layout.arrange($0, rows: rows, columns: columns) }
        #expect(arranged.count == WeightMatrix.byteCount(rows: rows, columns: columns, format: format))
        let buffer = try bench.device.makeBuffer(
            byteCount: arranged.count, purpose: .weightsDecoder, label: "test weight", access: .readback)
        buffer.write(arranged)
        return (
            WeightMatrix(buffer: buffer, rows: rows, columns: columns, format: format),
            .init(rows: rows, columns: columns, values: values)
        )
    }

    private func largest(_ m: Reference.Matrix) -> Float { m.values.reduce(0) { max($0, abs($1)) } }

    @Test("linear, in every form", arguments: BlockLayout.formats, Tuning.allCases)
    func linear(_ format: ElementFormat, _ tuning: Tuning) throws {
        let bench = try KernelBench(seed: 7)
        for (rows, outputs, blocks) in [(1, 67, 3), (1, 8, 1), (3, 33, 2), (9, 70, 5)] {
            let columns = blocks * format.elementsPerBlock
            let (matrix, values) = try weight(bench, rows: outputs, columns: columns, format: format)
            let x = bench.matrix(rows, columns)
            let bias = bench.values(outputs)
            let out = try bench.output(rows, outputs, rowStride: outputs + 1)
            try bench.stream.linear(
                bench.tensor(x), weight: matrix, bias: bench.vector(bias), into: out, profile: tuning.profile,
                load: tuning.load)
            let expected = Reference.linear(x, weight: values, bias: bias)
            #expect(
                largestDifference(try bench.read(out), expected) < 3e-6 * max(1, largest(values))
                    * Float(columns).squareRoot() + 3e-6)
            bench.expectUntouchedGaps(out)
            if tuning.profile == .vector {
                let again = try bench.output(rows, outputs, rowStride: outputs + 1)
                try bench.stream.linear(
                    bench.tensor(x), weight: bench.inPanels(matrix), bias: bench.vector(bias), into: again,
                    profile: tuning.profile, load: tuning.load)
                #expect(try bench.read(again) == bench.read(out))
            }
            // Some of the outputs: rows of blocks can be cut.
            let part = try bench.output(rows, outputs - 5)
            try bench.stream.linear(
                bench.tensor(x), weight: matrix.rows(5..<outputs), into: part, profile: tuning.profile,
                load: tuning.load)
            let cut = Reference.Matrix(
                rows: outputs - 5, columns: columns, values: Array(values.values[(5 * columns)...]))
            #expect(
                largestDifference(try bench.read(part), Reference.linear(x, weight: cut)) < 3e-6
                    * max(1, largest(values))
                    * Float(columns)
                    .squareRoot() + 3e-6)
            if tuning.profile == .vector {
                let again = try bench.output(rows, outputs - 5)
                try bench.stream.linear(
                    bench.tensor(x), weight: bench.inPanels(matrix).rows(5..<outputs), into: again,
                    profile: tuning.profile, load: tuning.load)
                #expect(try bench.read(again) == bench.read(part))
            }
        }
        bench.expectNoValidationMessages()
    }

    /// Every format without a norm by products of bytes; norms, which are the same for all, also in floats.
    static let streams: [(format: ElementFormat, norm: InputNorm.Kind?, usesDots: Bool)] =
        BlockLayout.formats.map { ($0, nil, true) }
        + [false, true].flatMap { dots in
            [(.q4_1, .rootMeanSquare, dots), (.q4_1, .layer, dots), (.q6_k, .layer, dots)]
        }

    @Test("linear of few rows on GPUs, with norms and gates, in floats and by products of bytes", arguments: streams)
    func streamed(_ format: ElementFormat, _ kind: InputNorm.Kind?, _ usesDots: Bool) throws {
        // Few enough outputs and long enough rows that subgroups share them, and not; whole runs of 256 columns.
        for (rows, outputs, runs, isGated) in [(1, 9, 5, false), (2, 6, 4, true), (8, 11, 1, true)] {
            let bench = try KernelBench(seed: 11, device: usesDots ? TestDevice.withPackedDot.get() : nil)
            let columns = 256 * runs
            let choice = LinearSelection.select(
                LinearProblem(
                    rows: rows, outputs: outputs, inputs: columns, format: format, hasWideRows: true, norm: kind,
                    isGated: isGated),
                bench.device.properties, profile: .coalesced)
            #expect(choice.variant.name == "linear/\(usesDots ? "dot" : "row")_\(format.rawValue)")
            let (matrix, values) = try weight(
                bench, rows: outputs * (isGated ? 2 : 1), columns: columns, format: format)
            let x = bench.matrix(rows, columns, in: -3...5)
            let (gamma, beta, bias) = (bench.values(columns), bench.values(columns), bench.values(matrix.rows))
            var (norm, normed) = (InputNorm?.none, x)
            switch kind {
            case .rootMeanSquare:
                norm = .rootMeanSquare(gamma: try bench.vector(gamma), epsilon: 1e-5)
                normed = Reference.rmsNorm(x, gamma: gamma, epsilon: 1e-5)
            case .layer:
                norm = .layer(gamma: try bench.vector(gamma), beta: try bench.vector(beta), epsilon: 1e-5)
                normed = Reference.layerNorm(x, gamma: gamma, beta: beta, epsilon: 1e-5)
            case nil: break
            }
            let out = try bench.output(rows, outputs, rowStride: outputs + 1)
            try bench.stream.linear(
                bench.tensor(x), norm: norm, weight: matrix, bias: bench.vector(bias), activation: .relu,
                isGated: isGated, into: out,
                profile: .coalesced)
            let sums = Reference.linear(normed, weight: values, bias: bias)
            var expected = Reference.Matrix(rows: rows, columns: outputs)
            for m in 0..<rows {
                for n in 0..<outputs { expected[m, n] = max(sums[m, n], 0) * (isGated ? sums[m, n + outputs] : 1) }
            }
            let scale = largest(values) * largest(normed) * Float(columns).squareRoot()
            let bound = 2e-6 * scale * (isGated ? max(1, largest(sums)) * 2 : 1) + 3e-6
            let difference = largestDifference(try bench.read(out), expected)
            #expect(difference < bound, "\(choice.variant), \(rows) × \(outputs) × \(columns)")
            bench.expectUntouchedGaps(out)
            bench.expectNoValidationMessages()
        }
    }

    @Test("embedding gives the decoded rows", arguments: BlockLayout.formats)
    func embedding(_ format: ElementFormat) throws {
        let bench = try KernelBench(seed: 8)
        let columns = 3 * format.elementsPerBlock
        let (matrix, values) = try weight(bench, rows: 19, columns: columns, format: format)
        let tokens = [0, 18, 7, 7]
        let out = try bench.output(4, columns)
        try bench.stream.embed(tokens: bench.ids(tokens), firstPosition: 0, table: matrix, into: out)
        let expected = Reference.embed(tokens, table: values, scale: 1, positions: nil, rowPositions: [0, 0, 0, 0])
        #expect(largestDifference(try bench.read(out), expected) <= 1e-6 * max(1, largest(values)))
        let again = try bench.output(4, columns)
        try bench.stream.embed(tokens: bench.ids(tokens), firstPosition: 0, table: bench.inPanels(matrix), into: again)
        #expect(try bench.read(again) == bench.read(out))
        bench.expectNoValidationMessages()
    }

    /// Formats without minima are products in the reference's order: they agree to the last bit.
    @Test(
        "embedding gives the values of the reference", .enabled(if: Fixtures.available),
        arguments: BlockLayout.formats, ["gguf/dequant", "gguf/dequant-more"])
    func reference(_ format: ElementFormat, _ fixture: String) throws {
        let golden = try Fixtures.golden(fixture), kind = format.rawValue.uppercased()
        for part in ["random", "normal"] where golden.contains("\(part)/\(kind).raw") {
            let name = "\(part)/\(kind).values", shape = try golden.shape(name)
            let bench = try KernelBench()
            let layout = try #require(BlockLayout(format))
            let arranged = try golden.checkpoint.withBytes(of: "\(part)/\(kind).raw") {
                layout.arrange($0, rows: shape[0], columns: shape[1])
            }
            let buffer = try bench.device.makeBuffer(
                byteCount: arranged.count, purpose: .weightsDecoder, label: "reference blocks", access: .readback)
            buffer.write(arranged)
            let matrix = WeightMatrix(buffer: buffer, rows: shape[0], columns: shape[1], format: format)
            let out = try bench.output(shape[0], shape[1])
            try bench.stream.embed(tokens: bench.ids(Array(0..<shape[0])), firstPosition: 0, table: matrix, into: out)
            let tolerance = try #require(format.deviceBlock).minimum == nil ? Golden.Tolerance.exact : nil
            #expect(
                try golden.compare(actual: try bench.read(out).values, shape: shape, to: name, tolerance: tolerance)
                    == nil)
            bench.expectNoValidationMessages()
        }
    }
}
