import Checkpoint
import Compute
import NumberFormats
import Foundation

/// Brings a model's parameters onto the device: mapped file → (staging) → device, one parameter at a time, with no
/// copy of the model in host memory.
package struct WeightLoader {
    private let device: Device
    private let source: WeightSource

    package init(device: Device, source: WeightSource) {
        self.device = device
        self.source = source
    }

    /// Allocates the layout's buffers and fills them.
    /// - Parameter progress: called with bytes done and bytes in all.
    /// - Throws: `TransformerError` for a tensor that does not fit, `ComputeError` for the device,
    ///   `CancellationError` when the task is cancelled.
    package func load(_ layout: WeightLayout, progress: (Int, Int) -> Void = { _, _ in }) throws {
        try allocate(layout)
        try fill(layout, progress: progress)
    }

    /// Gives every parameter its memory, and scalars their value. `ParameterList.release` frees it.
    package func allocate(_ layout: WeightLayout) throws {
        if case .forecast = source.standIn { throw TransformerError.noWeights(file: source.path) }
        let buffers = try layout.buffers.map {
            try device.makeBuffer(byteCount: $0.byteCount, purpose: $0.purpose, label: $0.label)
        }
        for place in layout.places {
            if let index = place.buffer {
                place.parameter.buffer = buffers[index]
                place.parameter.byteOffset = place.byteOffset
            } else {
                // Gates are half open in a model of random weights.
                place.parameter.number = try source.standIn == nil ? number(of: place.parameter) : 0.5
            }
        }
    }

    /// Writes the values of parameters that have their memory; see `load`.
    private func fill(_ layout: WeightLayout, progress: (Int, Int) -> Void) throws {
        let writer = try DeviceWriter(device: device)
        let parameters = layout.places.map(\.parameter)
        let stored = try source.standIn == nil ? parameters.map { try $0.parts.map(source.locate) } : []
        let total = parameters.reduce(0) { $0 + $1.byteCount }
        var done = 0
        for (index, parameter) in parameters.enumerated() {
            try Task.checkCancellation()
            guard let buffer = parameter.buffer else { continue }
            // The system reads the next parameter from the disk while this one is written.
            if index + 1 < stored.count {
                for part in stored[index + 1].compactMap({ $0 }) { part.checkpoint.prefetchPages(of: part.entry) }
            }
            if source.standIn != nil {
                try fillRandom(parameter, in: buffer, seed: UInt32(index) &* 0x85eb_ca6b, writer: writer)
            } else {
                try fill(parameter, from: stored[index], in: buffer, writer: writer)
            }
            if source.standIn == nil { arrangePanels(parameter) }
            done += parameter.byteCount
            progress(done, total)
        }
        try writer.finish()
        // The device has written these.
        if source.standIn != nil { parameters.forEach(arrangePanels) }
    }

    private func arrangePanels(_ parameter: Parameter) {
        guard parameter.isMatrix, parameter.buffer != nil else { return }
        for part in parameter.matrices { part.matrix.arrangePanels() }
    }

    /// Writes the values of parameters, then what resources make of them.
    package func fill(
        _ layout: WeightLayout, deriving resources: [any DeviceResource], on stream: CommandStream,
        progress: (Int, Int) -> Void
    ) throws {
        try fill(layout, progress: progress)
        for resource in resources { try resource.derive(on: stream) }
        try stream.finish()
    }

    private func number(of parameter: Parameter) throws -> Float {
        guard let located = try source.locate(parameter.parts[0]) else {
            preconditionFailure("scalars are never optional")
        }
        return try floats(located, count: 1)[0]
    }

    /// Bytes that are sorted or converted at once on a core.
    private static let pieceBytes = 1 << 20

    /// - Parameter stored: the stored tensor of each part; nil for an absent optional part.
    private func fill(
        _ parameter: Parameter, from stored: [WeightSource.Located?], in buffer: Buffer, writer: DeviceWriter
    ) throws {
        let offsets = parameter.partOffsets
        for (index, part) in parameter.parts.enumerated() {
            let (format, offset, located) = (parameter.formats[index], offsets[index], stored[index])
            let elements = part.shape.reduce(1, *)
            // Pages of the file that have been copied need not stay beside the copy.
            defer { if let located { located.checkpoint.discardPages(of: located.entry) } }
            switch parameter.form {
            case .scalar: preconditionFailure("scalars take no device memory")
            case .dense:
                var values =
                    try located.map { try floats($0, count: elements) } ?? parameter.substitute?()
                    ?? [Float](repeating: 0, count: elements)
                if parameter.offset != 0 { values = values.map { $0 + parameter.offset } }
                precondition(values.count == elements, "the substitute for \(part.key) has \(values.count) values")
                try values.withUnsafeBytes { try writer.write($0, to: buffer, at: offset) }
            case .matrix:
                guard let located else { preconditionFailure("matrices are never optional") }
                let columns = parameter.columns
                try writeRows(
                    located, format: format, rows: part.shape[0], columns: columns, to: buffer, at: offset,
                    writer: writer)
            case .transposed:
                guard let located else { preconditionFailure("matrices are never optional") }
                let values = Self.transposed(
                    try floats(located, count: elements), rows: part.shape[0], columns: part.shape[1])
                try write(values, columns: parameter.columns, format: format, to: buffer, at: offset, writer: writer)
            case .interleaved(let first, let groups):
                guard let located else { preconditionFailure("matrices are never optional") }
                let columns = parameter.columns
                let values = Self.grouped(
                    try floats(located, count: elements), columns: columns, first: first, groups: groups)
                try write(values, columns: columns, format: format, to: buffer, at: offset, writer: writer)
            case .convolution:
                guard let located else { preconditionFailure("convolutions are never optional") }
                let values = Self.timeMajorKernel(try floats(located, count: elements), shape: part.shape)
                try write(values, columns: parameter.columns, format: format, to: buffer, at: offset, writer: writer)
            }
        }
    }

    /// Columns first + c · groups + g of each row → first + g · size + c.
    static func grouped(_ values: [Float], columns: Int, first: Int, groups: Int) -> [Float] {
        var result = values
        let size = (columns - first) / max(groups, 1)
        for row in stride(from: first, to: values.count, by: columns) {
            for group in 0..<groups {
                for element in 0..<size {
                    result[row + group * size + element] = values[row + element * groups + group]
                }
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

    /// `[out, in, kernel…]` → `[out, kernel, in]`: then a row meets `kernel` consecutive places of `in` channels.
    static func timeMajorKernel(_ values: [Float], shape: [Int]) -> [Float] {
        let (outputs, inputs, kernel) = (shape[0], shape[1], shape.dropFirst(2).reduce(1, *))
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

    private func floats(_ located: WeightSource.Located, count: Int) throws -> [Float] {
        let entry = located.entry
        let format = entry.format
        let start =
            located.firstRow * entry.shape.dropFirst().reduce(1, *) / format.elementsPerBlock * format.bytesPerBlock
        let bytes = count / format.elementsPerBlock * format.bytesPerBlock
        return try located.checkpoint.withBytes(of: entry.name) {
            format.floats(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + bytes]))
        }
    }

    /// Copies matrix rows as they are, or sorts or converts them where the device has them in another form.
    private func writeRows(
        _ located: WeightSource.Located, format: ElementFormat, rows: Int, columns: Int, to buffer: Buffer,
        at offset: Int,
        writer: DeviceWriter
    ) throws {
        let stored = located.entry.format
        let rowBytes = columns / stored.elementsPerBlock * stored.bytesPerBlock
        let start = located.firstRow * rowBytes
        try located.checkpoint.withBytes(of: located.entry.name) { bytes in
            let bytes = UnsafeRawBufferPointer(rebasing: bytes[start..<start + rows * rowBytes])
            let target = WeightMatrix.rowBytes(columns: columns, format: format)
            if stored == format && BlockLayout(format) == nil && rowBytes == target {
                return try writer.write(bytes, to: buffer, at: offset)
            }
            try Self.onAllCores(rows: rows, rowBytes: max(rowBytes, target)) { some in
                let bytes = UnsafeRawBufferPointer(
                    rebasing: bytes[some.lowerBound * rowBytes..<some.upperBound * rowBytes])
                if stored != format {
                    return Self.encodedRows(stored.floats(from: bytes), columns: columns, format: format)
                }
                return Self.arranged(bytes, rows: some.count, columns: columns, format: format) ?? Array(bytes)
            } write: { some, piece in
                try piece.withUnsafeBytes { try writer.write($0, to: buffer, at: offset + some.lowerBound * target) }
            }
        }
    }

    /// Makes a matrix in pieces, as many at once as there are cores, and hands them on in order.
    private static func onAllCores(
        rows: Int, rowBytes: Int, make: (Range<Int>) -> [UInt8], write: (Range<Int>, [UInt8]) throws -> Void
    ) throws {
        let count = max(1, pieceBytes / max(rowBytes, 1))
        let pieces = stride(from: 0, to: rows, by: count).map { $0..<min($0 + count, rows) }
        let cores = max(1, ProcessInfo.processInfo.activeProcessorCount)
        for first in stride(from: 0, to: pieces.count, by: cores) {
            try Task.checkCancellation()
            let batch = Array(pieces[first..<min(first + cores, pieces.count)])
            var made = [[UInt8]](repeating: [], count: batch.count)
            withoutActuallyEscaping(make) { make in
                made.withUnsafeMutableBufferPointer { made in
                    // Each iteration writes a place of its own, and all end before this returns.
                    nonisolated(unsafe) let (made, make) = (made, make)
                    DispatchQueue.concurrentPerform(iterations: batch.count) { made[$0] = make(batch[$0]) }
                }
            }
            for (rows, bytes) in zip(batch, made) { try write(rows, bytes) }
        }
    }

    /// Rows as files have them → as the device has them: blocks sorted, other elements padded. `nil` when they are alike.
    private static func arranged(_ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, format: ElementFormat)
        -> [UInt8]?
    {
        if let layout = BlockLayout(format) { return layout.arrange(bytes, rows: rows, columns: columns) }
        let (source, target) = (columns * format.bytesPerBlock, WeightMatrix.rowBytes(columns: columns, format: format))
        if source == target { return nil }
        var padded = [UInt8](repeating: 0, count: rows * target)
        padded.withUnsafeMutableBytes { padded in
            for row in 0..<rows {
                UnsafeMutableRawBufferPointer(rebasing: padded[row * target..<row * target + source])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[row * source..<(row + 1) * source]))
            }
        }
        return padded
    }

    /// Rows of `columns` values as the device has them.
    private static func encodedRows(_ values: [Float], columns: Int, format: ElementFormat) -> [UInt8] {
        let encoded = encode(values, as: format)
        let rows = values.count / max(columns, 1)
        return encoded.withUnsafeBytes { arranged($0, rows: rows, columns: columns, format: format) } ?? encoded
    }

    /// Encodes rows of `columns` values and writes them.
    private func write(
        _ values: [Float], columns: Int, format: ElementFormat, to buffer: Buffer, at offset: Int, writer: DeviceWriter
    ) throws {
        try Self.encodedRows(values, columns: columns, format: format).withUnsafeBytes {
            try writer.write($0, to: buffer, at: offset)
        }
    }
}
