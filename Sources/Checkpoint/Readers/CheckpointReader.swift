import Foundation

/// The file formats of weights.
package enum CheckpointFormat: String, Sendable, Hashable, CaseIterable {
    case safetensors
    case shardedSafetensors = "sharded safetensors"
    case cTranslate2 = "CTranslate2"
    case gguf = "GGUF"
    case pyTorch = "PyTorch"
    case shardedPyTorch = "sharded PyTorch"
    case whisperCpp = "whisper.cpp"
}

/// The result of a reader: mapped files and their validated tensors.
struct CheckpointContents {
    var files: [MappedFile] = []
    var entries: [TensorEntry] = []
    var aliases: [String: String] = [:]
    var unsupported: [String: String] = [:]
    var metadata: [String: String] = [:]
    var gguf: GGUFMetadata?
    var whisper: WhisperHeader?
}

/// A reader of one file format. `CheckpointReaders.all` lists them.
protocol CheckpointReader: Sendable {
    static var format: CheckpointFormat { get }

    /// The file of this format among a folder's file names; `nil` if there is none.
    static func candidate(in fileNames: [String]) -> String?

    /// True if `head`, the first 64 bytes of a file or fewer, is of this format.
    static func recognizes(fileName: String, head: [UInt8], size: Int) -> Bool

    /// Reads and validates the headers of the file at `path`.
    static func read(_ path: String) throws(CheckpointError) -> CheckpointContents
}

/// All readers, in the order of the search in a folder.
enum CheckpointReaders {
    static let all: [any CheckpointReader.Type] = [
        SafetensorsReader.self, ShardedSafetensorsReader.self, CTranslate2Reader.self, GGUFReader.self,
        PyTorchReader.self, ShardedPyTorchReader.self, WhisperCppReader.self,
    ]

    /// The reader for a path, and the file that it reads.
    static func find(_ path: String) throws(CheckpointError) -> (any CheckpointReader.Type, String) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw .cannotRead(file: path, reason: "no such file or folder")
        }
        guard isFolder.boolValue else {
            guard let reader = try recognize(path) else {
                throw .notACheckpoint(path: path, reason: "its first bytes are of no known format; \(readable)")
            }
            return (reader, path)
        }
        let fileNames: [String]
        do {
            fileNames = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            throw .cannotRead(file: path, reason: "the folder cannot be listed")
        }
        for reader in all {
            guard let name = reader.candidate(in: fileNames) else { continue }
            let file = (path as NSString).appendingPathComponent(name)
            // Other programs use the name `model.bin` too, so the contents decide.
            if reader == CTranslate2Reader.self, try recognize(file) != CTranslate2Reader.self { continue }
            return (reader, file)
        }
        throw .notACheckpoint(path: path, reason: explain(fileNames))
    }

    private static let readable =
        "safetensors and PyTorch files (single or sharded), CTranslate2 model.bin, GGUF and whisper.cpp's ggml-*.bin are read"

    private static func recognize(_ path: String) throws(CheckpointError) -> (any CheckpointReader.Type)? {
        let file = try MappedFile(path: path)
        guard !file.bytes.isEmpty else { throw .truncated(file: path, tensor: nil, needed: 8, available: 0) }
        let head = Array(file.bytes.prefix(64))
        let name = (path as NSString).lastPathComponent
        return all.first { $0.recognizes(fileName: name, head: head, size: file.bytes.count) }
    }

    private static func explain(_ fileNames: [String]) -> String {
        if fileNames.contains("adapter_config.json") {
            return "it holds \(ForeignEncoding.adapter)"
        }
        let kinds: [(name: String, isOfKind: (String) -> Bool)] = [
            ("GGUF", { $0.hasSuffix(".gguf") }), ("PyTorch", PyTorchReader.hasFileName),
            ("whisper.cpp", FileNames.isWhisperCpp),
        ]
        if let kind = kinds.first(where: { fileNames.filter($0.isOfKind).count > 1 }) {
            return "the folder holds several \(kind.name) files; name one of them"
        }
        return "no model.safetensors, pytorch_model.bin (or the index of either), CTranslate2 model.bin, "
            + "single .gguf, .pt or ggml-*.bin file in it; \(readable)"
    }
}
