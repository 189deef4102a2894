import ComputeReference
import Compute
import TestSupport
import Testing

@testable import Transformer

@Suite("Decode steps bring back logits, or the best of them", .usesDevice)
struct DecodeStepperTests {
    /// A step whose logits are given, on a device with and without memory of its own.
    @Test("candidates, the whole rows behind them, and whole rows alone", arguments: [true, false], [true, false])
    func readback(_ unifiedMemory: Bool, usesRecordings: Bool) throws {
        let device = try Device(validation: true)
        let stream = try CommandStream(device: device)
        let (vocabulary, rows) = (1500, 3)
        let before = device.ledger.total
        let stepper = try DecodeStepper(
            stream: stream, vocabulary: vocabulary, maximumTokens: 8, givesCandidates: true,
            unifiedMemory: unifiedMemory)
        let planned = DecodeStepper.plannedBuffers(
            vocabulary: vocabulary, maximumTokens: 8, unifiedMemory: unifiedMemory, givesCandidates: true)
        #expect(device.ledger.total - before == planned.reduce(0) { $0 + $1.bytes })
        stepper.usesRecordings = usesRecordings
        let source = try device.makeBuffer(
            byteCount: rows * vocabulary * 4, purpose: .activations, label: "test", access: .upload)
        let tap = AttentionTap(device: device)
        for (round, temperature) in [Float(1), 0.5, 0.5, 2].enumerated() {
            let values = (0..<rows * vocabulary).map { Float(($0 * 7919 + round * 104_729) % 10_007) / 500 - 10 }
            let wanted = (0..<rows).map { Array(values[$0 * vocabulary..<($0 + 1) * vocabulary]) }
            source.write(values)
            func body(_ stream: CommandStream) throws {
                try stream.convert(
                    Tensor(buffer: source, rows: rows, columns: vocabulary), into: stepper.logits(rows: rows))
            }
            let read = stepper.bytesRead
            let candidates = try stepper.candidates(
                ids: [1, 2, 3], position: round, temperature: temperature, tap: tap, memoryRevision: 0, body: body)
            #expect(
                stepper.bytesRead - read == TokenCandidates.resultBytes(rows: rows) && stepper.bytesRead - read < 2000)
            for (got, row) in zip(candidates, wanted) {
                let expected = Reference.candidates(row, temperature: temperature)
                #expect(got.ids == expected.ids && got.logits == expected.logits)
                #expect(
                    abs(got.logSumExp - expected.logSumExp) < 1e-5
                        && abs(got.scaledLogSumExp - expected.scaledLogSumExp) < 1e-5)
            }
            #expect(try stepper.newestLogits(rows: rows) == wanted)
            #expect(
                try stepper.run(ids: [1, 2, 3], position: round, tap: tap, memoryRevision: 0, body: body) == wanted)
            #expect(stepper.bytesRead - read == TokenCandidates.resultBytes(rows: rows) + 2 * rows * vocabulary * 4)
        }
        #expect(device.instance.validationMessages == [])
    }
}
