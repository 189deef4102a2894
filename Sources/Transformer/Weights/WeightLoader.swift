import Checkpoint
import Compute
import Formats
import Foundation

/// Brings a model's parameters onto the device: mapped file → (staging) → device, one parameter at a time, with no
/// copy of the model in host memory.
public struct WeightLoader {
    private let device: Device
    private let source: WeightSource

    public init(device: Device, source: WeightSource) {
        self.device = device
        self.source = source
    }

    /// Allocates the arenas and fills them.
    /// - Parameter progress: called with bytes done and bytes in all.
    /// - Throws: `TransformerError` for a tensor that does not fit, `ComputeError` for the device,
    ///   `CancellationError` when the task is cancelled. What was allocated is freed again.
    public func load(_ arenas: WeightArenas, progress: (Int, Int) -> Void = { _, _ in }) throws {
        if case .forecast = source.standIn { throw TransformerError.noWeights(file: source.path) }
        let buffers = try arenas.arenas.map { arena in
            try device.makeBuffer(byteCount: arena.byteCount, purpose: arena.purpose, label: arena.label)
        }
        let writer = try DeviceWriter(device: device)
        let total = arenas.parameters.reduce(0) { $0 + $1.byteCount }
        var done = 0
        for (index, parameter) in arenas.parameters.enumerated() {
            try Task.checkCancellation()
            if parameter.form == .scalar {
                // Gates are half open in a model of random weights.
                parameter.number = try source.standIn == nil ? number(of: parameter) : 0.5
                continue
            }
            if source.standIn != nil {
                try fillRandom(parameter, in: buffers[parameter.arenaIndex], seed: UInt32(index) &* 0x85eb_ca6b, writer: writer)
            } else {
                try fill(parameter, in: buffers[parameter.arenaIndex], writer: writer)
            }
            done += parameter.byteCount
            progress(done, total)
        }
        try writer.finish()
        for parameter in arenas.parameters where parameter.form != .scalar { parameter.buffer = buffers[parameter.arenaIndex] }
    }

    private func number(of parameter: Parameter) throws -> Float {
        guard let located = try source.locate(parameter.parts[0]) else { preconditionFailure("scalars are never optional") }
        return try floats(located, count: 1)[0]
    }

    /// Bytes of blocks that are sorted at once.
    private static let arrangedBytes = 4 << 20

    private func fill(_ parameter: Parameter, in buffer: Buffer, writer: DeviceWriter) throws {
        var offset = parameter.byteOffset
        for (part, format) in zip(parameter.parts, parameter.formats) {
            let elements = part.shape.reduce(1, *)
            let located = try source.locate(part)
            // Pages of the file that have been copied need not stay beside the copy.
            defer { if let located { located.checkpoint.discardPages(of: located.entry) } }
            switch parameter.form {
            case .scalar: preconditionFailure("scalars take no device memory")
            case .dense:
                let values =
                    try located.map { try floats($0, count: elements) } ?? parameter.substitute?() ?? [Float](repeating: 0, count: elements)
                precondition(values.count == elements, "the substitute for \(part.key) has \(values.count) values")
                try values.withUnsafeBytes { try writer.write($0, to: buffer, at: offset) }
                offset += elements * 4
            case .matrix:
                guard let located else { preconditionFailure("matrices are never optional") }
                let columns = parameter.columns
                try writeRows(
                    located, format: format, rows: part.shape[0], columns: columns, to: buffer, at: offset, writer: writer)
                offset += WeightMatrix.byteCount(rows: part.shape[0], columns: columns, format: format)
            case .transposed:
                guard let located else { preconditionFailure("matrices are never optional") }
                let values = Self.transposed(try floats(located, count: elements), rows: part.shape[0], columns: part.shape[1])
                let bytes = Self.encode(values, as: format)
                try writePadded(
                    bytes, rows: parameter.rows, columns: parameter.columns, format: format, to: buffer, at: offset, writer: writer)
            case .interleaved(let first, let groups):
                guard let located else { preconditionFailure("matrices are never optional") }
                let columns = parameter.columns
                let values = Self.grouped(try floats(located, count: elements), columns: columns, first: first, groups: groups)
                try writePadded(
                    Self.encode(values, as: format), rows: parameter.rows, columns: columns, format: format, to: buffer, at: offset,
                    writer: writer)
            case .convolution:
                guard let located else { preconditionFailure("convolutions are never optional") }
                let values = Self.timeMajorKernel(try floats(located, count: elements), shape: part.shape)
                let bytes = Self.encode(values, as: format)
                try writePadded(
                    bytes, rows: part.shape[0], columns: parameter.columns, format: format, to: buffer, at: offset, writer: writer)
            }
        }
    }

    /// Columns first + c · groups + g of each row → first + g · size + c.
    static func grouped(_ values: [Float], columns: Int, first: Int, groups: Int) -> [Float] {
        var result = values
        let size = (columns - first) / max(groups, 1)
        for row in stride(from: first, to: values.count, by: columns) {
            for group in 0..<groups {
                for element in 0..<size { result[row + group * size + element] = values[row + element * groups + group] }
            }
        }
        return result
    }

    static func transposed(_ values: [Float], rows: Int, columns: Int) -> [Float] {
        var result = [Float](repeating: 0, count: values.count)
        for row in 0..<rows {
            for column in 0..<columns { result[column * rows + row] = values[row * columns + column] }
        }
        return result
    }

    /// `[out, in, kernel]` → `[out, kernel, in]`: then a row meets `kernel` consecutive time steps of `in` channels.
    static func timeMajorKernel(_ values: [Float], shape: [Int]) -> [Float] {
        let (outputs, inputs, kernel) = (shape[0], shape[1], shape[2])
        var result = [Float](repeating: 0, count: values.count)
        for output in 0..<outputs {
            for input in 0..<inputs {
                for tap in 0..<kernel {
                    result[(output * kernel + tap) * inputs + input] = values[(output * inputs + input) * kernel + tap]
                }
            }
        }
        return result
    }

    private static func encode(_ values: [Float], as format: ElementFormat) -> [UInt8] {
        values.withUnsafeBufferPointer { format.bytes(encoding: $0) }
    }

    /// - Parameter row: the first row to read, counted from where the part begins.
    private func floats(_ located: WeightSource.Located, from row: Int = 0, count: Int) throws -> [Float] {
        let (entry, firstRow) = (located.entry, located.firstRow)
        let format = entry.format
        let start = (firstRow + row) * entry.shape.dropFirst().reduce(1, *) / format.elementsPerBlock * format.bytesPerBlock
        let bytes = count / format.elementsPerBlock * format.bytesPerBlock
        return try located.checkpoint.withBytes(of: entry.name) {
            format.floats(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + bytes]))
        }
    }

    /// Copies matrix rows as they are, or converts them, a few at a time, where the device has them in another format.
    private func writeRows(
        _ located: WeightSource.Located, format: ElementFormat, rows: Int, columns: Int, to buffer: Buffer, at offset: Int,
        writer: DeviceWriter
    ) throws {
        if located.entry.format != format {
            let piece = max(1, Self.arrangedBytes / (4 * max(columns, 1)))
            let target = WeightMatrix.rowBytes(columns: columns, format: format)
            for first in stride(from: 0, to: rows, by: piece) {
                try Task.checkCancellation()
                let count = min(piece, rows - first)
                let bytes = Self.encode(try floats(located, from: first, count: count * columns), as: format)
                try writePadded(
                    bytes, rows: count, columns: columns, format: format, to: buffer, at: offset + first * target, writer: writer)
            }
            return
        }
        let rowBytes = columns / format.elementsPerBlock * format.bytesPerBlock
        let start = located.firstRow * rowBytes
        let count = rows * rowBytes
        if let layout = BlockLayout(format) {
            // Blocks are sorted for the kernels, a few rows at a time.
            let piece = max(1, Self.arrangedBytes / rowBytes)
            let target = WeightMatrix.rowBytes(columns: columns, format: format)
            try located.checkpoint.withBytes(of: located.entry.name) { bytes in
                for first in stride(from: 0, to: rows, by: piece) {
                    let some = first..<min(first + piece, rows)
                    let stored = UnsafeRawBufferPointer(
                        rebasing: bytes[start + some.lowerBound * rowBytes..<start + some.upperBound * rowBytes])
                    let arranged = layout.arrange(stored, rows: some.count, columns: columns)
                    try arranged.withUnsafeBytes { try writer.write($0, to: buffer, at: offset + first * target) }
                }
            }
            return
        }
        try located.checkpoint.withBytes(of: located.entry.name) { bytes in
            try writePadded(
                UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]), rows: rows, columns: columns, format: format, to: buffer,
                at: offset, writer: writer)
        }
    }

    private func writePadded(
        _ bytes: [UInt8], rows: Int, columns: Int, format: ElementFormat, to buffer: Buffer, at offset: Int, writer: DeviceWriter
    ) throws {
        try bytes.withUnsafeBytes {
            if let layout = BlockLayout(format) {
                let arranged = layout.arrange($0, rows: rows, columns: columns)
                return try arranged.withUnsafeBytes { try writer.write($0, to: buffer, at: offset) }
            }
            try writePadded($0, rows: rows, columns: columns, format: format, to: buffer, at: offset, writer: writer)
        }
    }

    private func writePadded(
        _ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, format: ElementFormat, to buffer: Buffer, at offset: Int,
        writer: DeviceWriter
    ) throws {
        let source = columns * format.bytesPerBlock
        let target = WeightMatrix.paddedColumns(columns) * format.bytesPerBlock
        if source == target { return try writer.write(bytes, to: buffer, at: offset) }
        for row in 0..<rows {
            try writer.write(UnsafeRawBufferPointer(rebasing: bytes[row * source..<(row + 1) * source]), to: buffer, at: offset + row * target)
        }
    }
}
