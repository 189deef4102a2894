/// A reader of safetensors files that are shards of one checkpoint.
enum ShardedSafetensorsReader: CheckpointReader {
    static let format = CheckpointFormat.shardedSafetensors
    static let indexName = Checkpoint.shardIndexName

    static func candidate(in fileNames: [String]) -> String? {
        fileNames.contains(indexName) ? indexName : nil
    }

    static func recognizes(fileName: String, head: [UInt8], size: Int) -> Bool {
        fileName.hasSuffix(".safetensors.index.json")
    }

    static func read(_ path: String) throws(CheckpointError) -> CheckpointContents {
        try ShardIndex(path: path, fileExtension: ".safetensors", kind: "safetensors")
            .read { file, number throws(CheckpointError) in try SafetensorsReader.read(file, fileIndex: number) }
    }
}
