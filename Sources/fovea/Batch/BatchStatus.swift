import Checkpoint
import Foundation
import ModelStore

/// State of a batch's shards, from the files in its folder.
struct BatchStatus: Encodable {
    struct Shard: Encodable {
        enum State: String, Encodable { case done, started, missing }
        var index: Int
        var state: State
        var rows: Int
        var failed: Int
    }

    var shards: [Shard]

    /// - Throws: `ProgramError.option` where the folder holds no batch.
    init(_ folder: BatchFolder) throws {
        guard let settings = try BatchSettings.read(folder) else {
            throw ProgramError.option(
                name: "--status", problem: "\(folder.path) holds no batch: there is no batch.json")
        }
        shards = try (0..<settings.shards).map { index in
            let shard = BatchShard(index: index, count: settings.shards)
            if FileManager.default.fileExists(atPath: folder.done(shard)) {
                let done = try JSONInput.decode(BatchDone.self, file: folder.done(shard))
                return Shard(index: index, state: .done, rows: done.rows, failed: done.failed)
            }
            let counts = BatchJournal.rowsDone(shard, in: folder)
            return Shard(
                index: index, state: counts == nil ? .missing : .started, rows: counts?.rows ?? 0,
                failed: counts?.failed ?? 0)
        }
    }

    /// Shards that are not done, as sbatch's `--array` takes them: `2,5-7`.
    var array: String {
        var ranges: [ClosedRange<Int>] = []
        for shard in shards where shard.state != .done {
            if let last = ranges.last, last.upperBound + 1 == shard.index {
                ranges[ranges.count - 1] = last.lowerBound...shard.index
            } else {
                ranges.append(shard.index...shard.index)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }

    var text: String {
        let done = shards.count { $0.state == .done }
        var lines = [
            "\(done) of \(shards.count) shards done, \(shards.count { $0.state == .started }) started, \(shards.count { $0.state == .missing }) not started",
            "\(shards.reduce(0) { $0 + $1.rows }) rows done, of which \(shards.reduce(0) { $0 + $1.failed }) failed",
        ]
        if done < shards.count { lines.append("--array=\(array)") }
        return lines.joined(separator: "\n")
    }
}

/// The manifest of a complete batch.
enum BatchMerge {
    private struct Summary: Encodable {
        struct Shard: Encodable {
            var file: String
            var sha256: String
            var rows: Int
        }
        var rows: Int
        var failed: Int
        var settings: BatchSettings
        var shards: [Shard]
    }

    private struct Line: Encodable {
        /// File of the row's tensors.
        var file: String
        var record: BatchRecord
    }

    /// Checks all shards and writes `manifest.jsonl`, a line for each row, and `manifest.json`. They hold neither times nor
    /// devices: two runs of one batch have the same manifests.
    /// - Returns: the number of rows.
    /// - Throws: `ProgramError.option` while shards are missing; `ProgramError.cannotReadFile` for a file that was changed.
    static func run(_ folder: BatchFolder) throws -> Int {
        let status = try BatchStatus(folder)
        guard status.array.isEmpty else {
            throw ProgramError.option(name: "--merge", problem: "shards are missing; run --array=\(status.array)")
        }
        guard let settings = try BatchSettings.read(folder) else { return 0 }
        var summary = Summary(rows: 0, failed: 0, settings: settings, shards: [])
        let partial = folder.manifest + ".partial"
        let manifest = try OutputFile(path: partial)
        for index in 0..<settings.shards {
            let shard = BatchShard(index: index, count: settings.shards)
            let done = try JSONInput.decode(BatchDone.self, file: folder.done(shard))
            for (path, digest) in [(folder.tensors(shard), done.sha256), (folder.index(shard), done.indexSha256)]
            where try FileDigest.sha256(ofFile: path) != digest {
                throw ProgramError.cannotReadFile(
                    path: path, reason: "its content has changed; remove \(folder.done(shard)) and run the shard again")
            }
            let file = "\(shard.name).safetensors"
            for line in try Data(contentsOf: URL(filePath: folder.index(shard))).split(separator: 0x0a) {
                try Task.checkCancellation()
                let record = try JSONInput.decode(BatchRecord.self, Data(line))
                let text = try JSONOutput.text(Line(file: file, record: record.reproducible), pretty: false)
                try manifest.write(Array((text + "\n").utf8))
            }
            summary.rows += done.rows
            summary.failed += done.failed
            summary.shards.append(.init(file: file, sha256: done.sha256, rows: done.rows))
        }
        try manifest.close()
        guard rename(partial, folder.manifest) == 0 else {
            throw ProgramError.cannotWriteFile(path: folder.manifest, reason: String(cString: strerror(errno)))
        }
        try FileOutput.write(JSONOutput.text(summary, pretty: true) + "\n", to: folder.summary)
        return summary.rows
    }
}
