import Checkpoint
import Foundation

/// The manifest of an installed model: its source, and the size and digest of each file.
package struct ModelManifest: Sendable, Hashable, Codable {
    package let name: String
    /// The source, for display: packages and versions, or repository and revision.
    package let source: String
    private let entries: [Entry]

    private struct Entry: Sendable, Hashable, Codable {
        let name: String
        let byteCount: Int
        let algorithm: String
        let digest: String
    }

    static let fileName = ".fovea-model.json"

    init(name: String, source: String, files: [ModelFile]) {
        self.name = name
        self.source = source
        entries = files.map {
            Entry(name: $0.name, byteCount: $0.byteCount, algorithm: $0.digest.algorithm, digest: $0.digest.hexadecimal)
        }
    }

    /// Reads the manifest in a model's folder.
    package init(folder: String) throws {
        let path = folder + "/" + Self.fileName
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw ModelStoreError.missingFile(file: path)
        }
        do {
            self = try JSONDecoder().decode(ModelManifest.self, from: data)
        } catch {
            throw CheckpointError.malformed(file: path, tensor: nil, problem: "it is not the manifest of a model")
        }
        if let hostile = entries.first(where: { !FileNames.isPlain($0.name) }) {
            throw ModelStoreError.hostileFileName(name: hostile.name, source: path)
        }
    }

    package var files: [ModelFile] {
        entries.map {
            ModelFile(
                name: $0.name, byteCount: $0.byteCount,
                digest: $0.algorithm == FileDigest.sha256("").algorithm ? .sha256($0.digest) : .gitBlob($0.digest))
        }
    }

    func write(to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let path = folder + "/" + Self.fileName
        let file = try OutputFile(path: path)
        try file.write(Array(try encoder.encode(self)) + [UInt8(ascii: "\n")])
        try file.close()
    }
}
