import JSON
import Support
import NumberFormats
import Foundation

/// Writes a safetensors file tensor by tensor.
///
/// Added tensors go to a temporary file beside the destination, so none is kept in memory. `finish()` writes the header,
/// which names all tensors, appends the data and renames the result into place: the destination is either unchanged or
/// complete.
///
/// Not thread-safe. Dropping a writer without `finish()` leaves nothing behind.
package final class SafetensorsWriter {
    package let path: String
    private let metadata: [String: String]
    private let dataPath: String
    /// The complete file before it is renamed; nil for a device or FIFO.
    private let partialPath: String?
    /// The path with symbolic links followed.
    private let finalPath: String
    private var data: OutputFile?
    private var tensors: [(name: String, format: ElementFormat, shape: [Int], offset: Int, byteCount: Int)] = []
    private var names: Set<String> = []

    /// Opens the temporary file. `metadata` is free text kept in the header.
    package init(path: String, metadata: [String: String] = [:]) throws(CheckpointError) {
        self.path = path
        self.metadata = metadata
        let target = OutputPath(path)
        let suffix = ".\(getpid())-\(UInt32.random(in: 0 ... .max))"
        if case .stream = target {
            // A device or FIFO gets the finished content; nothing is put beside it.
            dataPath = NSTemporaryDirectory() + "/fovea" + suffix + ".data"
            partialPath = nil
        } else {
            dataPath = target.path + suffix + ".data"
            partialPath = target.path + suffix + ".partial"
        }
        finalPath = target.path
        data = try OutputFile(path: dataPath)
    }

    deinit {
        data = nil
        unlink(dataPath)
        if let partialPath { unlink(partialPath) }
    }

    /// Adds a tensor of 32-bit floats, row-major.
    package func add(_ name: String, shape: [Int], floats: [Float]) throws(CheckpointError) {
        try add(name, shape: shape, format: .f32, elements: floats)
    }

    /// Adds a tensor of 64-bit integers.
    package func add(_ name: String, shape: [Int], integers: [Int]) throws(CheckpointError) {
        try add(name, shape: shape, format: .i64, elements: integers.map { Int64($0).littleEndian })
    }

    /// Adds a tensor from its stored bytes.
    package func add(
        _ name: String, shape: [Int], format: ElementFormat, bytes: UnsafeRawBufferPointer
    ) throws(CheckpointError) {
        guard let data else { preconditionFailure("a tensor was added to a finished safetensors file") }
        precondition(SafetensorsType.name(of: format) != nil, "safetensors has no type for \(format.rawValue)")
        let entry = try TensorEntry(name: name, format: format, shape: shape, file: 0, offset: data.size, path: path)
        precondition(
            entry.byteCount == bytes.count, "\(bytes.count) bytes for \(name) of shape \(shape) in \(format.rawValue)")
        guard name != "__metadata__", names.insert(name).inserted else {
            throw .malformed(file: path, tensor: printable(name), problem: "the name is used twice or reserved")
        }
        tensors.append((name, format, shape, data.size, bytes.count))
        try data.write(bytes)
    }

    private func add<T: BitwiseCopyable>(
        _ name: String, shape: [Int], format: ElementFormat, elements: [T]
    ) throws(CheckpointError) {
        let result: Result<Void, CheckpointError> = elements.withUnsafeBytes { bytes in
            Result { () throws(CheckpointError) in try add(name, shape: shape, format: format, bytes: bytes) }
        }
        try result.get()
    }

    /// Completes the file and moves it into place.
    package func finish() throws(CheckpointError) {
        guard let data else { preconditionFailure("a safetensors file was finished twice") }
        try data.close()
        self.data = nil
        // Widest elements first, as the reference implementation orders them: every tensor is then aligned.
        let order = tensors.enumerated().sorted {
            ($1.element.format.bytesPerBlock, $0.offset) < ($0.element.format.bytesPerBlock, $1.offset)
        }.map(\.element)

        let output = try OutputFile(path: partialPath ?? finalPath)
        let header = header(order)
        var length = UInt64(header.count).littleEndian
        let prefix = withUnsafeBytes(of: &length) { Array($0) } + header
        try output.write(prefix)
        if !tensors.isEmpty {
            let source = try MappedFile(path: dataPath)
            for tensor in order where tensor.byteCount > 0 {
                let range = tensor.offset..<tensor.offset + tensor.byteCount
                try output.write(UnsafeRawBufferPointer(rebasing: source.bytes[range]))
            }
        }
        try output.close()
        if let partialPath, rename(partialPath, finalPath) != 0 {
            throw .cannotWrite(file: path, reason: lastSystemError())
        }
        unlink(dataPath)
    }

    /// The JSON header, padded with spaces to a multiple of eight bytes.
    private func header(_ order: [(name: String, format: ElementFormat, shape: [Int], offset: Int, byteCount: Int)])
        -> [UInt8]
    {
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for tensor in order {
            let type = SafetensorsType.name(of: tensor.format) ?? ""
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(quoted(tensor.name)):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(offset + tensor.byteCount)]}"
            )
            offset += tensor.byteCount
        }
        var header = Array("{\(members.joined(separator: ","))}".utf8)
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
        return header
    }

    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
