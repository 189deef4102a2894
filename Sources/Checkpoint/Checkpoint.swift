import JSON
import NumberFormats
import Foundation
import Synchronization

/// The weights of one model: memory-mapped files whose tensors are looked up by name.
///
/// Tensors are not copied or converted: `withBytes(of:)` passes the bytes of the file, in the stored format. Opening
/// validates all headers, so that the bytes of every entry lie inside its file.
package final class Checkpoint: Sendable {
    /// Name of the index file of a checkpoint in several safetensors files.
    package static let shardIndexName = "model.safetensors.index.json"

    /// The folder or file that was opened.
    package let path: String
    package let format: CheckpointFormat
    /// The files that hold the tensors.
    package let files: [String]
    /// All tensor names in the order of the files, aliases not included.
    package let names: [String]
    /// Other names for tensors (tied weights in CTranslate2 files), each with the name of the tensor itself.
    package let aliases: [String: String]
    /// Tensors in encodings that cannot be decoded, with the name of the encoding.
    package let unsupported: [String: String]
    /// `__metadata__` of a safetensors file: free text by its writer.
    package let metadata: [String: String]
    /// The key-value section of a GGUF file; `nil` for other formats.
    package let gguf: GGUFMetadata?
    /// The header of a Whisper file of whisper.cpp or OpenAI; `nil` for other files.
    package let whisper: WhisperHeader?
    /// The stand-in for the weights of a checkpoint that has none.
    package let standIn: StandIn?

    /// A stand-in for weights.
    package enum StandIn: Sendable, Hashable {
        /// None: the model can only be planned, as if its weights had this format.
        case forecast(ElementFormat)
        /// Random values in this format.
        case random(ElementFormat)

        package var format: ElementFormat {
            switch self {
            case .forecast(let format), .random(let format): format
            }
        }
    }

    private let entries: [String: TensorEntry]
    private let mappings: Mutex<[MappedFile]?>

    /// Opens the weights at `path`: a folder in the layout of Hugging Face or CTranslate2, or a single file. The format
    /// is detected from file names and first bytes.
    ///
    /// - Throws: `CheckpointError` naming the file and, where there is one, the tensor.
    package static func open(_ path: String) throws(CheckpointError) -> Checkpoint {
        let (reader, file) = try CheckpointReaders.find(path)
        return Checkpoint(path: path, format: reader.format, contents: try reader.read(file))
    }

    /// A checkpoint without tensors, for a model of which only the configuration is present.
    package static func absent(path: String, standIn: StandIn) -> Checkpoint {
        Checkpoint(path: path, format: .safetensors, contents: CheckpointContents(), standIn: standIn)
    }

    /// A checkpoint of values in memory that were computed from those of another.
    ///
    /// - Parameter path: The file they come from, for messages.
    package static func computed(_ tensors: [(name: String, shape: [Int], values: [Float])], path: String)
        throws(CheckpointError) -> Checkpoint
    {
        var contents = CheckpointContents()
        var bytes: [UInt8] = []
        for tensor in tensors {
            contents.entries.append(
                try TensorEntry(
                    name: tensor.name, format: .f32, shape: tensor.shape, file: 0, offset: bytes.count, path: path))
            tensor.values.withUnsafeBytes { bytes += $0 }
        }
        contents.files = [try MappedFile(path: path, copying: bytes)]
        return Checkpoint(path: path, format: .safetensors, contents: contents)
    }

    init(path: String, format: CheckpointFormat, contents: CheckpointContents, standIn: StandIn? = nil) {
        self.standIn = standIn
        self.path = path
        self.format = format
        files = contents.files.map(\.path)
        names = contents.entries.map(\.name)
        entries = Dictionary(contents.entries.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        aliases = contents.aliases
        unsupported = contents.unsupported
        metadata = contents.metadata
        gguf = contents.gguf
        whisper = contents.whisper
        mappings = Mutex(contents.files)
    }

    /// True for a tensor or an alias of one, also for a tensor in an encoding that is not supported.
    package func contains(_ name: String) -> Bool {
        let name = aliases[name] ?? name
        return entries[name] != nil || unsupported[name] != nil
    }

    /// The tensor called `name`; for an alias, its target.
    ///
    /// - Throws: `CheckpointError.missingTensor` with the nearest names, or `.unsupportedFormat`.
    package func entry(_ name: String) throws(CheckpointError) -> TensorEntry {
        if let entry = entries[aliases[name] ?? name] { return entry }
        if let format = unsupported[aliases[name] ?? name] {
            throw .unsupportedFormat(file: path, tensor: printable(name), format: format)
        }
        throw .missingTensor(name: name, file: path, similar: namesNear(name))
    }

    /// The tensor called `name`, which must have exactly this shape.
    package func entry(_ name: String, shape: [Int]) throws(CheckpointError) -> TensorEntry {
        let entry = try entry(name)
        guard entry.shape == shape else {
            throw .shapeMismatch(file: path, tensor: name, expected: shape, actual: entry.shape)
        }
        return entry
    }

    /// Passes the bytes of a tensor in row-major order to `body`: those of the file, or a copy if the file stores the
    /// elements in another order. The pointer is valid only during `body` and may be unaligned (`loadUnaligned`).
    package func withBytes<T>(of entry: TensorEntry, _ body: (UnsafeRawBufferPointer) throws -> T) throws -> T {
        // Holding the mapping itself keeps it alive through `body` even if another thread releases the checkpoint.
        let file = try mapping(entry.location.file)
        return try withExtendedLifetime(file) {
            let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[entry.extent])
            guard let strides = entry.strides else { return try body(bytes) }
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: entry.byteCount, alignment: 16)
            defer { copy.deallocate() }
            StridedCopy(shape: entry.shape, strides: strides)
                .gather(bytes, into: copy, elementSize: entry.format.bytesPerBlock)
            return try body(UnsafeRawBufferPointer(copy))
        }
    }

    /// Passes the bytes of the tensor called `name` to `body`.
    package func withBytes<T>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> T) throws -> T {
        try withBytes(of: try entry(name), body)
    }

    /// A tensor decoded to 32-bit floats, row-major. For tests and small tensors: it copies.
    package func floats(_ name: String) throws -> [Float] {
        let entry = try entry(name)
        return try withBytes(of: entry) { bytes in entry.format.floats(from: bytes) }
    }

    /// An integer tensor, row-major. For token ids and the small constants of CTranslate2 files.
    ///
    /// - Throws: `CheckpointError.wrongFormat` when the tensor holds no integers.
    package func integers(_ name: String) throws -> [Int] {
        let entry = try entry(name)
        let decoded = try withBytes(of: entry) { bytes in entry.format.integers(from: bytes) }
        guard let decoded else {
            throw CheckpointError.wrongFormat(file: path, tensor: name, expected: "integers", actual: entry.format)
        }
        return decoded
    }

    /// Drops the pages of a tensor from memory after the copy to the device. The tensor stays readable.
    package func discardPages(of entry: TensorEntry) {
        guard let file = try? mapping(entry.location.file) else { return }
        file.discard(entry.extent)
    }

    /// Starts reading a tensor from disk in the background.
    package func prefetchPages(of entry: TensorEntry) {
        guard let file = try? mapping(entry.location.file) else { return }
        file.prefetch(entry.extent)
    }

    /// Unmaps all files, so that host memory holds no copy of the weights. Names and entries stay available, bytes do
    /// not. Reads in progress finish first.
    package func release() { mappings.withLock { $0 = nil } }

    /// The bytes of all tensors together.
    package var byteCount: Int { entries.values.reduce(0) { $0 + $1.byteCount } }

    private func mapping(_ index: Int) throws(CheckpointError) -> MappedFile {
        guard let file = mappings.withLock({ $0?[index] }) else { throw .released(file: path) }
        return file
    }

    /// Up to three names that share their last component with `name`, or else its first.
    private func namesNear(_ name: String) -> [String] {
        func parts(_ text: String) -> [Substring] { text.split(whereSeparator: { $0 == "." || $0 == "/" }) }
        let wanted = Set(parts(name))
        return names.map { (name: $0, shared: wanted.intersection(parts($0)).count) }
            .filter { $0.shared > 0 }
            .sorted { ($0.shared, $1.name) > ($1.shared, $0.name) }
            .prefix(3).map { printable($0.name) }
    }
}
