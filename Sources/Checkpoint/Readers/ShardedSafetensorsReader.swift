import Foundation

/// Reads safetensors files that an index ties together: `weight_map` says which file holds which tensor.
enum ShardedSafetensorsReader: CheckpointReader {
    static let format = CheckpointFormat.shardedSafetensors
    static let indexName = "model.safetensors.index.json"
    /// The largest published checkpoints have a few hundred shards.
    static let mostShards = 4096

    static func candidate(in fileNames: [String]) -> String? {
        fileNames.contains(indexName) ? indexName : nil
    }

    static func recognizes(fileName: String, head: [UInt8], size: Int) -> Bool {
        fileName.hasSuffix(".safetensors.index.json")
    }

    static func read(_ path: String) throws(CheckpointError) -> CheckpointContents {
        let index = try JSONValue(contentsOf: path)
        guard case .object(let weightMap)? = index["weight_map"] else {
            throw .malformed(file: path, tensor: nil, problem: "there is no object \"weight_map\" in it")
        }
        // Grouped by shard, shards in the order of their names.
        var tensorsOfShard: [String: Set<String>] = [:]
        for (tensor, value) in weightMap {
            guard let shard = value.stringValue else {
                throw .malformed(
                    file: path, tensor: printable(tensor), problem: "its shard is \(value.kind), not a file name")
            }
            try checkShardName(shard, tensor: tensor, path: path)
            tensorsOfShard[shard, default: []].insert(tensor)
        }
        guard !tensorsOfShard.isEmpty, tensorsOfShard.count <= mostShards else {
            throw .malformed(
                file: path, tensor: nil,
                problem: "\(tensorsOfShard.count) shards are named, expected 1 to \(mostShards)")
        }

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
            let part = try SafetensorsReader.read(file, fileIndex: number)
            let found = Set(part.entries.map(\.name)).union(part.unsupported.keys)
            if let absent = wanted.subtracting(found).min() {
                throw .malformed(
                    file: shardPath, tensor: printable(absent),
                    problem: "the index promises it here, but it is not in the file")
            }
            contents.files.append(file)
            contents.entries += part.entries.filter { wanted.contains($0.name) }
            contents.unsupported.merge(part.unsupported.filter { wanted.contains($0.key) }) { first, _ in first }
            contents.metadata.merge(part.metadata) { first, _ in first }
        }
        return contents
    }

    /// A shard lies beside its index: a plain safetensors file name, nothing that leads elsewhere or to another index.
    private static func checkShardName(_ name: String, tensor: String, path: String) throws(CheckpointError) {
        guard name.hasSuffix(".safetensors"), FileNames.isPlain(name) else {
            throw .malformed(
                file: path, tensor: printable(tensor),
                problem: "\"\(printable(name))\" is not the name of a safetensors file in the same folder")
        }
    }
}
