import Formats
import TestSupport
import Testing

@testable import Compute

@Suite("quantised weights equal the decoded ones", .usesDevice)
struct QuantizedWeightTests {
    /// Where a block has half-precision scales.
    static let scales: [ElementFormat: [Int]] = [
        .q8_0: [0], .q4_0: [0], .iq4_nl: [0], .q4_1: [0, 2], .q5_0: [0], .q5_1: [0, 2], .q2_k: [80, 82], .q3_k: [108], .q4_k: [0, 2],
        .q5_k: [0, 2], .q6_k: [208],
    ]

    /// A matrix of random blocks, and the values Formats' decoders find in them.
    private func weight(_ bench: KernelBench, rows: Int, columns: Int, format: ElementFormat) throws -> (WeightMatrix, Reference.Matrix) {
        let blocks = rows * columns / format.elementsPerBlock
        var bytes = bench.integers(blocks * format.bytesPerBlock, below: 256).map { UInt8($0) }
        for block in 0..<blocks {
            for place in try #require(Self.scales[format]) {
                let scale = HalfPrecision.f16(bench.values(1, in: 0.001...0.01)[0])
                bytes[block * format.bytesPerBlock + place] = UInt8(scale & 255)
                bytes[block * format.bytesPerBlock + place + 1] = UInt8(scale >> 8)
            }
        }
        let values = bytes.withUnsafeBytes { format.floats(from: $0) }
        let layout = try #require(BlockLayout(format))
        let arranged = bytes.withUnsafeBytes { layout.arrange($0, rows: rows, columns: columns) }
        #expect(arranged.count == WeightMatrix.byteCount(rows: rows, columns: columns, format: format))
        let buffer = try bench.device.makeBuffer(byteCount: arranged.count, purpose: .weightsDecoder, label: "test weight", access: .readback)
        buffer.write(arranged)
        return (
            WeightMatrix(buffer: buffer, rows: rows, columns: columns, format: format), .init(rows: rows, columns: columns, values: values)
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
            try bench.stream.linear(bench.tensor(x), weight: matrix, bias: bench.vector(bias), into: out, profile: tuning.profile, load: tuning.load)
            let expected = Reference.linear(x, weight: values, bias: bias)
            #expect(largestDifference(try bench.read(out), expected) < 3e-6 * max(1, largest(values)) * Float(columns).squareRoot() + 3e-6)
            bench.expectUntouchedGaps(out)
            if tuning.profile == .vector {
                let again = try bench.output(rows, outputs, rowStride: outputs + 1)
                try bench.stream.linear(
                    bench.tensor(x), weight: bench.inPanels(matrix), bias: bench.vector(bias), into: again, profile: tuning.profile, load: tuning.load)
                #expect(try bench.read(again) == bench.read(out))
            }
            // Some of the outputs: rows of blocks can be cut.
            let part = try bench.output(rows, outputs - 5)
            try bench.stream.linear(bench.tensor(x), weight: matrix.rows(5..<outputs), into: part, profile: tuning.profile, load: tuning.load)
            let cut = Reference.Matrix(rows: outputs - 5, columns: columns, values: Array(values.values[(5 * columns)...]))
            #expect(
                largestDifference(try bench.read(part), Reference.linear(x, weight: cut)) < 3e-6 * max(1, largest(values)) * Float(columns)
                    .squareRoot() + 3e-6)
            if tuning.profile == .vector {
                let again = try bench.output(rows, outputs - 5)
                try bench.stream.linear(
                    bench.tensor(x), weight: bench.inPanels(matrix).rows(5..<outputs), into: again, profile: tuning.profile, load: tuning.load)
                #expect(try bench.read(again) == bench.read(part))
            }
        }
        bench.expectNoValidationMessages()
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
}
