import ComputeReference
import NumberFormats
import TestSupport
import Testing

@testable import Compute

@Suite("random weights equal their CPU twin, and are what they should be", .usesDevice)
struct RandomWeightsTests {
    @Test(arguments: [ElementFormat.f32, .f16, .bf16] + BlockLayout.formats, [0, -6])
    func words(_ format: ElementFormat, exponent: Int) throws {
        let bench = try KernelBench()
        for (rows, columns) in [(1, 256), (5, 512), (3, format.isQuantized ? 768 : 77), (70_000, 32)]
        where rows < 1000 || format == .q8_0 {
            let bytes = WeightMatrix.byteCount(rows: rows, columns: columns, format: format)
            let buffer = try bench.device.makeBuffer(
                byteCount: bytes + 32, purpose: .weightsDecoder, label: "random", access: .readback)
            buffer.write([UInt32](repeating: 0xdead_beef, count: bytes / 4 + 8))
            let matrix = WeightMatrix(buffer: buffer, byteOffset: 16, rows: rows, columns: columns, format: format)
            try bench.stream.fillRandom(matrix, exponent: exponent, seed: 42)
            try bench.stream.finish()
            let words = buffer.read(UInt32.self, count: bytes / 4 + 8)
            #expect(
                Array(words[4..<bytes / 4 + 4])
                    == Reference.randomWeights(
                        rows: rows, columns: columns, format: format, exponent: exponent, seed: 42))
            #expect(
                words[..<4].allSatisfy { $0 == 0xdead_beef }
                    && words[(bytes / 4 + 4)...].allSatisfy { $0 == 0xdead_beef })
        }
        bench.expectNoValidationMessages()
    }

    // Random bits of the ternary format have four values, the unused code among them: they are not around 0.
    @Test(
        "values as the matrix product reads them: around 0, within bounds, all different",
        arguments: [ElementFormat.f32, .f16, .bf16] + BlockLayout.formats.filter { $0 != .tq2_0 })
    func values(_ format: ElementFormat) throws {
        let bench = try KernelBench()
        let (rows, columns) = (64, 256)
        let buffer = try bench.device.makeBuffer(
            byteCount: WeightMatrix.byteCount(rows: rows, columns: columns, format: format), purpose: .weightsDecoder,
            label: "random")
        let matrix = WeightMatrix(buffer: buffer, rows: rows, columns: columns, format: format)
        try bench.stream.fillRandom(matrix, exponent: -4, seed: 7)
        // Each column by itself: the identity times the matrix.
        var identity = Reference.Matrix(rows: columns, columns: columns)
        for index in 0..<columns { identity[index, index] = 1 }
        let out = try bench.output(columns, rows)
        try bench.stream.linear(bench.tensor(identity), weight: matrix, into: out)
        let values = try bench.read(out).values
        #expect(values.allSatisfy { abs($0) <= 0x1.1p-4 })
        let mean = values.reduce(0, +) / Float(values.count)
        let deviation = (values.reduce(0) { $0 + $1 * $1 } / Float(values.count)).squareRoot()
        #expect(abs(mean) < 0.1 * deviation && deviation > 0x1p-8, "mean \(mean), deviation \(deviation)")
        #expect(Set(values).count > 8)
    }
}
