import Checkpoint
import Foundation
import ModelStore
import NumberFormats

/// The rows of a shard that are done, on disk: a run that was stopped goes on behind the last whole row.
///
/// Two files in the shard's work folder: `data`, the tensors' bytes, and `rows.jsonl`, a line for each row, written after
/// its bytes. Of a run that was killed, a partial row is cut off. Used by one process at a time.
final class BatchJournal {
    private struct Entry: Codable {
        var record: BatchRecord
        /// Bytes of `data` up to the end of this row.
        var end: Int
    }

    let folder: BatchFolder
    let shard: BatchShard
    private let lock: Int32
    private var data: OutputFile
    private var rows: OutputFile
    /// Names of the rows that are done.
    private(set) var finished: Set<String> = []
    private(set) var failed = 0
    /// Seconds that the rows took.
    private var seconds = 0.0

    private var dataPath: String { folder.work(shard) + "/data" }
    private var rowsPath: String { folder.work(shard) + "/rows.jsonl" }
    /// For data that rows hold themselves.
    var scratchFolder: String { folder.work(shard) }

    /// Opens or continues a shard's work.
    /// - Throws: `ProgramError.option` while another process works on the shard.
    init(_ shard: BatchShard, in folder: BatchFolder) throws {
        self.folder = folder
        self.shard = shard
        let work = folder.work(shard)
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
        lock = open(work + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard lock >= 0 else {
            throw ProgramError.cannotWriteFile(path: work, reason: String(cString: strerror(errno)))
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw ProgramError.option(
                name: "--shard", problem: "another process works on \(shard.name) in \(folder.path)")
        }
        for path in [work + "/data", work + "/rows.jsonl"] where !FileManager.default.fileExists(atPath: path) {
            _ = try OutputFile(path: path)
        }
        let (whole, entries) = try Self.wholeRows(work + "/rows.jsonl", dataBytes: Self.size(of: work + "/data"))
        guard truncate(work + "/rows.jsonl", off_t(whole)) == 0,
            truncate(work + "/data", off_t(entries.last?.end ?? 0)) == 0
        else { throw ProgramError.cannotWriteFile(path: work, reason: String(cString: strerror(errno))) }
        data = try OutputFile(path: work + "/data", append: true)
        rows = try OutputFile(path: work + "/rows.jsonl", append: true)
        for entry in entries { count(entry.record) }
        removeTemporaryFiles()
    }

    deinit { close(lock) }

    private func count(_ record: BatchRecord) {
        finished.insert(record.customId)
        if record.error != nil { failed += 1 }
        seconds += record.seconds ?? 0
    }

    private static func size(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// The rows whose line and bytes are complete, and the length of their lines in bytes.
    private static func wholeRows(_ path: String, dataBytes: Int) throws -> (length: Int, entries: [Entry]) {
        var length = 0
        var entries: [Entry] = []
        for line in try Data(contentsOf: URL(filePath: path)).split(separator: 0x0a, omittingEmptySubsequences: false)
            .dropLast()
        {
            guard let entry = try? JSONInput.decode(Entry.self, Data(line)), entry.end <= dataBytes,
                entry.end >= entries.last?.end ?? 0
            else { break }
            entries.append(entry)
            length += line.count + 1
        }
        return (length, entries)
    }

    /// Rows in progress for `--status`, without touching them.
    static func rowsDone(_ shard: BatchShard, in folder: BatchFolder) -> (rows: Int, failed: Int)? {
        let work = folder.work(shard)
        guard FileManager.default.fileExists(atPath: work),
            let (_, entries) = try? wholeRows(work + "/rows.jsonl", dataBytes: size(of: work + "/data"))
        else { return nil }
        return (entries.count, entries.count { $0.record.error != nil })
    }

    /// Adds a row with its tensors. Their order is the order in the file.
    func add(_ record: BatchRecord, _ tensors: [KeptTensor]) throws {
        var record = record
        record.tensors = tensors.map { .init(name: $0.name, format: $0.format.rawValue, shape: $0.shape) }
        for tensor in tensors { try data.write(tensor.bytes) }
        let line = try JSONOutput.text(Entry(record: record, end: data.size), pretty: false)
        try rows.write(Array((line + "\n").utf8))
        count(record)
    }

    /// Writes the shard's files: tensors, index, and last the note that it is complete; then removes the work folder.
    func complete() throws {
        try data.close()
        try rows.close()
        let entries = try Self.wholeRows(rowsPath, dataBytes: Self.size(of: dataPath)).entries
        let writer = try SafetensorsWriter(
            path: folder.tensors(shard), metadata: ["format": "pt", "producer": "fovea trace --batch"])
        if let last = entries.last, last.end > 0 {
            let source = try MappedFile(path: dataPath)
            var offset = 0
            for entry in entries {
                for tensor in entry.record.tensors {
                    guard let format = ElementFormat(rawValue: tensor.format) else { continue }
                    let size = tensor.shape.reduce(format.bytesPerBlock, *)
                    try writer.add(
                        entry.record.customId + "/" + tensor.name, shape: tensor.shape, format: format,
                        bytes: UnsafeRawBufferPointer(rebasing: source.bytes[offset..<offset + size]))
                    offset += size
                }
            }
        }
        try writer.finish()
        let partial = folder.index(shard) + ".partial"
        let index = try OutputFile(path: partial)
        for entry in entries {
            try index.write(Array((try JSONOutput.text(entry.record, pretty: false) + "\n").utf8))
        }
        try index.close()
        guard rename(partial, folder.index(shard)) == 0 else {
            throw ProgramError.cannotWriteFile(path: folder.index(shard), reason: String(cString: strerror(errno)))
        }
        let done = BatchDone(
            shard: shard, rows: entries.count, failed: failed, seconds: seconds,
            sha256: try FileDigest.sha256(ofFile: folder.tensors(shard)),
            indexSha256: try FileDigest.sha256(ofFile: folder.index(shard)))
        try FileOutput.write(JSONOutput.text(done, pretty: true) + "\n", to: folder.done(shard))
        try FileManager.default.removeItem(atPath: folder.work(shard))
    }

    /// Removes files that a killed run of this shard left while it completed the shard.
    private func removeTemporaryFiles() {
        let own = shard.name + ".safetensors."
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        where name.hasPrefix(own) && (name.hasSuffix(".data") || name.hasSuffix(".partial")) {
            unlink(folder.path + "/" + name)
        }
    }
}

/// The note that a shard is complete.
struct BatchDone: Codable {
    var shard: BatchShard
    var rows: Int
    var failed: Int
    var seconds: Double
    /// Of the shard's file of tensors.
    var sha256: String
    var indexSha256: String
}
