import ComputeReference
import NumberFormats
import TestSupport
import Testing

@testable import Compute

@Suite("the best tokens of a row equal their CPU twin", .usesDevice)
struct CandidatesTests {
    /// Makes lists of a matrix, its rows apart so that reading past a row's end would find NaN.
    private func candidates(
        _ x: Reference.Matrix, temperature: Float, _ profile: KernelProfile, _ bench: KernelBench
    ) throws -> [TokenCandidates] {
        let scratch = try bench.device.makeBuffer(
            byteCount: TokenCandidates.scratchBytes(rows: x.rows, columns: x.columns), purpose: .activations,
            label: "test")
        let lists = try bench.device.makeBuffer(
            byteCount: TokenCandidates.resultBytes(rows: x.rows), purpose: .staging, label: "test", access: .readback)
        lists.write([UInt8](repeating: 77, count: TokenCandidates.resultBytes(rows: x.rows)))
        try bench.stream.candidates(
            of: bench.tensor(x, rowStride: x.columns + 3), inverseTemperature: bench.vector([1 / temperature]),
            scratch: scratch, into: lists,
            profile: profile)
        try bench.stream.finish()
        return (0..<x.rows).map { TokenCandidates(row: $0, of: lists, temperature: temperature) }
    }

    private func expectEqual(_ got: TokenCandidates, _ row: ArraySlice<Float>, temperature: Float, _ what: String) {
        let expected = Reference.candidates(Array(row), temperature: temperature)
        #expect(got.ids == expected.ids && got.logits == expected.logits, "\(what)")
        for (sum, wanted) in [(got.logSumExp, expected.logSumExp), (got.scaledLogSumExp, expected.scaledLogSumExp)] {
            // Equal infinities, or NaN for both, or close: 2⁻²³ of the value, and what a sum in 32 bits loses.
            let isClose =
                sum == wanted || sum.isNaN && wanted.isNaN || abs(sum - wanted) <= 5e-6 + abs(wanted) * 0x1p-22
            #expect(isClose, "\(what): \(sum) for \(wanted)")
        }
    }

    @Test(
        "short rows, ties, −∞, +∞ and NaN", arguments: [1, 2, 63, 64, 65, 66, 511, 512, 513, 1000, 1537, 5000],
        KernelProfile.allCases)
    func edges(_ columns: Int, _ profile: KernelProfile) throws {
        let bench = try KernelBench(seed: UInt64(columns))
        var x = bench.matrix(9, columns, in: -30...30)
        for column in 0..<columns {
            if column % 7 == 3 { x[1, column] = 31 }
            x[2, column] = -1.5
            if column % 3 == 0 { x[3, column] = .nan }
            x[4, column] = .nan
            if column % 5 != 1 { x[5, column] = -.infinity }
            x[6, column] = -.infinity
            // Ascending and descending: all the best in one stretch.
            x[7, column] = Float(column)
            x[8, column] = -Float(column / 2)
        }
        if columns > 2 { x[5, 1] = .infinity }
        for temperature: Float in [1, 0.05, 1.7] {
            for (row, got) in try candidates(x, temperature: temperature, profile, bench).enumerated() {
                expectEqual(
                    got, x.values[row * columns..<(row + 1) * columns], temperature: temperature,
                    "\(columns) columns, row \(row), T \(temperature)")
            }
        }
        bench.expectNoValidationMessages()
    }

    @Test("vocabularies of real size", arguments: [49152, 128_256], KernelProfile.allCases)
    func large(_ columns: Int, _ profile: KernelProfile) throws {
        let bench = try KernelBench(seed: UInt64(columns))
        var x = bench.matrix(3, columns, in: -12...12)
        // Few values, many ties, the best of them in two far stretches.
        for column in 0..<columns { x[1, column] = (x[1, column] / 4).rounded() }
        for column in columns - 90..<columns where column % 2 == 0 { x[1, column] = 5 }
        for column in 600..<640 { x[1, column] = 5 }
        // A peaked row, as models give.
        for column in 0..<columns { x[2, column] = x[2, column] / 3 - 10 }
        for column in 0..<40 { x[2, 997 * column] = 14 - Float(column) / 3 }
        for (row, got) in try candidates(x, temperature: 0.8, profile, bench).enumerated() {
            expectEqual(got, x.values[row * columns..<(row + 1) * columns], temperature: 0.8, "row \(row)")
        }
        bench.expectNoValidationMessages()
    }

    @Test("a recording follows the step's temperature and the logits of the moment", arguments: KernelProfile.allCases)
    func replayed(_ profile: KernelProfile) throws {
        let bench = try KernelBench()
        let columns = 1300
        let x = try bench.tensor(bench.matrix(2, columns))
        let step = try StepBuffer(device: bench.device)
        let scratch = try bench.device.makeBuffer(
            byteCount: TokenCandidates.scratchBytes(rows: 2, columns: columns), purpose: .activations, label: "test")
        let lists = try bench.device.makeBuffer(
            byteCount: TokenCandidates.resultBytes(rows: 2), purpose: .staging, label: "test", access: .readback)
        let recording = try bench.stream.record { stream in
            try stream.candidates(
                of: x, inverseTemperature: step.inverseTemperature, scratch: scratch, into: lists, profile: profile)
        }
        for temperature: Float in [1, 0.3, 2] {
            let values = bench.matrix(2, columns, in: -9...9)
            x.buffer.write(values.values, at: x.byteOffset)
            step.write(StepState(position: 3, tokens: [1, 2], inverseTemperature: 1 / temperature))
            try bench.stream.wait(for: bench.stream.replay(recording))
            for row in 0..<2 {
                expectEqual(
                    TokenCandidates(row: row, of: lists, temperature: temperature),
                    values.values[row * columns..<(row + 1) * columns],
                    temperature: temperature, "row \(row), T \(temperature)")
            }
        }
        bench.expectNoValidationMessages()
    }
}
