import ComputeReference
import NumberFormats
import Testing

@testable import Compute

/// Shared by parity tests: tensors on the device from host values and back, and random numbers that are the same in
/// every run.
final class KernelBench {
    let device: Device
    let stream: CommandStream
    private var random: SplitMix
    private let messagesBefore: Int

    init(seed: UInt64 = 1, device: Device? = nil) throws {
        let device = try device ?? TestDevice.open()
        self.device = device
        stream = try CommandStream(device: device)
        random = SplitMix(state: seed)
        messagesBefore = device.instance.validationMessages.count
    }

    func expectNoValidationMessages() { TestDevice.expectNoValidationMessages(device, since: messagesBefore) }

    struct SplitMix: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    func values(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        (0..<count).map { _ in Float.random(in: range, using: &random) }
    }

    func matrix(_ rows: Int, _ columns: Int, in range: ClosedRange<Float> = -1...1) -> Reference.Matrix {
        Reference.Matrix(rows: rows, columns: columns, values: values(rows * columns, in: range))
    }

    func integers(_ count: Int, below bound: Int) -> [Int] {
        (0..<count).map { _ in Int.random(in: 0..<bound, using: &random) }
    }

    /// A tensor with the values, its rows `rowStride` apart and `offset` elements into its buffer. What lies between the
    /// rows is NaN, so that a kernel that reads it is found out.
    func tensor(_ m: Reference.Matrix, rowStride: Int? = nil, offset: Int = 0, format: ElementFormat = .f32) throws
        -> Tensor
    {
        let stride = rowStride ?? m.columns
        let count = offset + (m.rows - 1) * stride + m.columns + 8
        var all = [Float](repeating: .nan, count: count)
        for r in 0..<m.rows { for c in 0..<m.columns { all[offset + r * stride + c] = m[r, c] } }
        let buffer = try device.makeBuffer(
            byteCount: count * format.bytesPerBlock, purpose: .activations, label: "test", access: .readback)
        switch format {
        case .f16: buffer.write(all.map { HalfPrecision.f16($0) })
        case .bf16: buffer.write(all.map { HalfPrecision.bf16($0) })
        default: buffer.write(all)
        }
        return Tensor(
            buffer: buffer, byteOffset: offset * format.bytesPerBlock, rows: m.rows, columns: m.columns,
            rowStride: stride, format: format)
    }

    func vector(_ values: [Float]) throws -> Tensor {
        try tensor(.init(rows: 1, columns: values.count, values: values))
    }

    func ids(_ values: [Int]) throws -> Tensor {
        let buffer = try device.makeBuffer(
            byteCount: max(values.count, 1) * 4, purpose: .activations, label: "ids", access: .readback)
        buffer.write(values.map { UInt32($0) })
        return Tensor(buffer: buffer, rows: 1, columns: values.count, format: .i32)
    }

    /// A weight matrix, and the values it holds after rounding to its format.
    func weight(_ m: Reference.Matrix, format: ElementFormat) throws -> (WeightMatrix, Reference.Matrix) {
        let padded = WeightMatrix.paddedColumns(m.columns)
        var all = [Float](repeating: 0, count: m.rows * padded)
        var rounded = m
        for r in 0..<m.rows {
            for c in 0..<m.columns {
                rounded[r, c] = Self.rounded(m[r, c], to: format)
                all[r * padded + c] = m[r, c]
            }
        }
        let buffer = try device.makeBuffer(
            byteCount: WeightMatrix.byteCount(rows: m.rows, columns: m.columns, format: format),
            purpose: .weightsEncoder, label: "test weight",
            access: .readback)
        switch format {
        case .f16: buffer.write(all.map { HalfPrecision.f16($0) })
        case .bf16: buffer.write(all.map { HalfPrecision.bf16($0) })
        default: buffer.write(all)
        }
        return (WeightMatrix(buffer: buffer, rows: m.rows, columns: m.columns, format: format), rounded)
    }

    /// A copy whose rows lie in panels.
    func inPanels(_ plain: WeightMatrix) throws -> WeightMatrix {
        let bytes = plain.buffer.read(UInt8.self, count: plain.byteCount, at: plain.byteOffset)
        let room = WeightMatrix.byteCount(
            rows: WeightMatrix.paddedRows(plain.rows), columns: plain.columns, format: plain.format)
        let buffer = try device.makeBuffer(
            byteCount: room + 16, purpose: .weightsEncoder, label: "test panels", access: .readback)
        buffer.write(bytes, at: 16)
        var matrix = plain
        (matrix.buffer, matrix.byteOffset, matrix.rowsPerPanel) = (buffer, 16, WeightMatrix.panelRows)
        matrix.arrangePanels()
        return matrix
    }

    static func rounded(_ value: Float, to format: ElementFormat) -> Float {
        switch format {
        case .f16: HalfPrecision.float(fromF16: HalfPrecision.f16(value))
        case .bf16: HalfPrecision.float(fromBF16: HalfPrecision.bf16(value))
        default: value
        }
    }

    static func rounded(_ m: Reference.Matrix, to format: ElementFormat) -> Reference.Matrix {
        .init(rows: m.rows, columns: m.columns, values: m.values.map { rounded($0, to: format) })
    }

    /// A tensor for results, of NaN.
    func output(_ rows: Int, _ columns: Int, rowStride: Int? = nil, offset: Int = 0, format: ElementFormat = .f32)
        throws -> Tensor
    {
        try tensor(
            .init(rows: rows, columns: columns, repeating: .nan), rowStride: rowStride, offset: offset, format: format)
    }

    func read(_ tensor: Tensor) throws -> Reference.Matrix {
        try stream.finish()
        var m = Reference.Matrix(rows: tensor.rows, columns: tensor.columns)
        for r in 0..<tensor.rows {
            let at = tensor.byteOffset + r * tensor.rowStride * tensor.elementBytes
            let row: [Float] =
                switch tensor.format {
                case .f16:
                    tensor.buffer.read(UInt16.self, count: tensor.columns, at: at).map(HalfPrecision.float(fromF16:))
                default: tensor.buffer.read(Float.self, count: tensor.columns, at: at)
                }
            m.values.replaceSubrange(r * tensor.columns..<(r + 1) * tensor.columns, with: row)
        }
        return m
    }

    /// Expects that a kernel wrote nothing around its result: the gaps between rows must still be NaN.
    func expectUntouchedGaps(_ tensor: Tensor, sourceLocation: SourceLocation = #_sourceLocation) {
        guard tensor.rowStride > tensor.columns else { return }
        for r in 0..<tensor.rows - 1 {
            let gap = tensor.buffer.read(
                Float.self, count: tensor.rowStride - tensor.columns,
                at: tensor.byteOffset + (r * tensor.rowStride + tensor.columns) * 4)
            let isUntouched = gap.allSatisfy(\.isNaN)
            #expect(isUntouched, "row \(r) was written past its end", sourceLocation: sourceLocation)
        }
    }
}

/// The largest difference between two matrices, NaN counting as infinite.
func largestDifference(_ a: Reference.Matrix, _ b: Reference.Matrix) -> Float {
    precondition(a.rows == b.rows && a.columns == b.columns)
    return zip(a.values, b.values).reduce(0) { worst, pair in
        let difference = abs(pair.0 - pair.1)
        return pair.0 == pair.1 ? worst : difference.isNaN ? .infinity : max(worst, difference)
    }
}
