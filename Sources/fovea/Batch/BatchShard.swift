import ArgumentParser
import Foundation

/// One part of a batch: rows are assigned to shards by a stable hash of their `custom_id`.
struct BatchShard: Sendable, Hashable, Codable, ExpressibleByArgument {
    /// From 0.
    let index: Int
    let count: Int

    static let whole = BatchShard(index: 0, count: 1)
    static let mostShards = 100_000

    init(index: Int, count: Int) {
        self.index = index
        self.count = count
    }

    /// `2/8`: the third of eight.
    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]),
            (1...Self.mostShards).contains(count), (0..<count).contains(index)
        else { return nil }
        self.init(index: index, count: count)
    }

    /// The task of a Slurm job array; nil outside of one.
    /// - Parameter known: shards of the batch, once it was started: an array that runs missing shards again has fewer tasks.
    /// - Throws: `ProgramError.option` for an array whose tasks are not 0 to n - 1, where the number of shards is not known.
    static func slurmTask(_ environment: [String: String], known: Int?) throws(ProgramError) -> BatchShard? {
        guard let task = environment["SLURM_ARRAY_TASK_ID"].flatMap(Int.init) else { return nil }
        func value(_ name: String) -> Int? { environment["SLURM_ARRAY_TASK_\(name)"].flatMap(Int.init) }
        let count: Int
        if let known {
            count = known
        } else if let tasks = value("COUNT"), value("MIN") ?? 0 == 0, value("MAX") ?? tasks - 1 == tasks - 1 {
            count = tasks
        } else {
            throw .option(
                name: "--shard", problem: "the tasks of this Slurm array are not 0 to n - 1; give --shard task/shards")
        }
        guard let shard = BatchShard(argument: "\(task)/\(count)") else {
            throw .option(name: "--shard", problem: "task \(task) of the Slurm array is not below \(count) shards")
        }
        return shard
    }

    /// True for rows of this shard: those whose hash, modulo the number of shards, is its index.
    func contains(_ identifier: String) -> Bool { Self.hash(identifier) % UInt64(count) == UInt64(index) }

    /// FNV-1a of the identifier's UTF-8.
    static func hash(_ identifier: String) -> UInt64 {
        identifier.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// `shard-00002-of-00008`
    var name: String { "shard-\(Self.digits(index))-of-\(Self.digits(count))" }

    private static func digits(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
}

/// Paths of a batch's results in its folder.
struct BatchFolder: Sendable {
    let path: String

    /// Settings of the batch; the same for all shards.
    var settings: String { path + "/batch.json" }
    var manifest: String { path + "/manifest.jsonl" }
    var summary: String { path + "/manifest.json" }

    func tensors(_ shard: BatchShard) -> String { path + "/\(shard.name).safetensors" }
    func index(_ shard: BatchShard) -> String { path + "/\(shard.name).jsonl" }
    func done(_ shard: BatchShard) -> String { path + "/\(shard.name).done.json" }
    /// Rows done so far, until the shard is complete.
    func work(_ shard: BatchShard) -> String { path + "/\(shard.name).work" }
}

/// Settings that all shards of a batch share.
struct BatchSettings: Codable, Hashable {
    /// SHA-256 of the model's weight files, in their order, joined by commas.
    var modelSha256: String
    var shards: Int
    var maximumTokens: Int
    var stopAtEnd: Bool
    var selection: KeptAttention
    var version: String

    /// Writes the settings at the first start, and compares them at every other one.
    /// - Throws: `ProgramError.option` where the folder holds a batch with other settings.
    func agree(with folder: BatchFolder) throws {
        guard let known = try Self.read(folder) else {
            try FileOutput.write(JSONOutput.text(self, pretty: true) + "\n", to: folder.settings)
            return
        }
        guard known == self else {
            throw ProgramError.option(
                name: "--out",
                problem:
                    "\(folder.path) holds a batch with another model or other options (batch.json); use a new folder")
        }
    }

    static func read(_ folder: BatchFolder) throws -> BatchSettings? {
        guard FileManager.default.fileExists(atPath: folder.settings) else { return nil }
        return try JSONInput.decode(BatchSettings.self, file: folder.settings)
    }
}

/// JSON files that the program wrote itself.
enum JSONInput {
    static func decode<T: Decodable>(_ type: T.Type, file: String) throws -> T {
        do {
            return try decode(type, Data(contentsOf: URL(filePath: file)))
        } catch {
            throw ProgramError.cannotReadFile(path: file, reason: "it is damaged or of another version")
        }
    }

    static func decode<T: Decodable>(_ type: T.Type, _ data: Data) throws -> T {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: data)
    }
}
