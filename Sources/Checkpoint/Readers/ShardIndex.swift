import JSON
import Foundation

/// The index of a checkpoint in several files: `weight_map` names the file of each tensor.
struct ShardIndex {
    /// The largest published checkpoints have a few hundred shards.
    private static let mostShards = 4096

    private let path: String
    private let tensorsOfShard: [String: Set<String>]

    /// - Parameters:
    ///   - fileExtension: Extension of the names of the shards.
    ///   - kind: The format of the shards, for messages.
    init(path: String, fileExtension: String, kind: String) throws(CheckpointError) {
        self.path = path
        let weightMap: JSONObject
        do {
            weightMap = try JSONReader(contentsOf: path).object("weight_map").members
        } catch .unreadable(let file, let reason) {
            throw .cannotRead(file: file, reason: reason)
        } catch {
            throw .malformed(file: path, tensor: nil, problem: "no shard index: \(error)")
        }
        var tensorsOfShard: [String: Set<String>] = [:]
        for (tensor, value) in weightMap {
            guard let shard = value.stringValue else {
                throw .malformed(
                    file: path, tensor: printable(tensor), problem: "its shard is \(value.kind), not a file name")
            }
            // A shard lies beside its index: no paths to other folders, and no other index.
            guard shard.hasSuffix(fileExtension), FileNames.isPlain(shard) else {
                throw .malformed(
                    file: path, tensor: printable(tensor),
                    problem: "\"\(printable(shard))\" is not the name of a \(kind) file in the same folder")
            }
            tensorsOfShard[shard, default: []].insert(tensor)
        }
        guard !tensorsOfShard.isEmpty, tensorsOfShard.count <= Self.mostShards else {
            throw .malformed(
                file: path, tensor: nil,
                problem: "\(tensorsOfShard.count) shards are named, expected 1 to \(Self.mostShards)")
        }
        self.tensorsOfShard = tensorsOfShard
    }

    /// The tensors of all shards, in the order of the shards' names. `readShard` reads one file of a given number.
    func read(
        _ readShard: (MappedFile, Int) throws(CheckpointError) -> CheckpointContents
    ) throws(CheckpointError) -> CheckpointContents {
        let folder = (path as NSString).deletingLastPathComponent
        var contents = CheckpointContents()
        for (number, shard) in tensorsOfShard.keys.sorted().enumerated() {
            let wanted = tensorsOfShard[shard] ?? []
            let shardPath = (folder as NSString).appendingPathComponent(shard)
            guard FileManager.default.fileExists(atPath: shardPath) else {
                throw .cannotRead(
                    file: shardPath, reason: "the shard is missing, though \(path) names it for \(wanted.count) tensors"
                )
            }
            let file = try MappedFile(path: shardPath)
            let part = try readShard(file, number)
            let found = Set(part.entries.map(\.name)).union(part.unsupported.keys)
            if let absent = wanted.subtracting(found).min() {
                throw .malformed(
                    file: shardPath, tensor: printable(absent),
                    problem: "the index lists the tensor here, but the file does not have it")
            }
            contents.files.append(file)
            contents.entries += part.entries.filter { wanted.contains($0.name) }
            contents.unsupported.merge(part.unsupported.filter { wanted.contains($0.key) }) { first, _ in first }
            contents.metadata.merge(part.metadata) { first, _ in first }
        }
        return contents
    }
}
