import Compute
import Foundation
import Models
import Support

/// A loaded model that traces rows.
struct RowTracer {
    let resources: TraceResources
    let selection: KeptAttention
    let maximumTokens: Int
    let stopAtEnd: Bool
    let modelDigest: String
    let device: String

    /// Traces one row.
    /// - Throws: `ComputeError` where the device fails, and errors of writing; a row that cannot be traced gives a record with
    ///   the reason.
    func trace(_ row: BatchRow, model: String, folder: String, scratch: InputScratch) throws -> (
        record: BatchRecord, tensors: [KeptTensor]
    ) {
        let clock = ContinuousClock()
        let start = clock.now
        defer { scratch.clear() }
        var tensors: [KeptTensor] = []
        var record: BatchRecord
        do {
            let tracer = try Tracer(resources, input: row.input(model: model, folder: folder, scratch: scratch))
            var options = TraceOptions()
            options.maximumTokens = try row.maximumTokens() ?? maximumTokens
            if stopAtEnd { options.endTokens = try tracer.endTokens() }
            options.selection = selection.capture
            options.promptRows = selection.promptRows.queryRows
            options.includesHiddenStates = false
            options.includesLogits = false
            var generated: [Int] = []
            try tracer.run(options) { tensor in
                if tensor.name == "generated_ids", case .integers(let ids) = tensor.values { generated = ids }
                if tensor.isAttention { tensors += try selection.tensors(of: tensor) }
            }
            record = BatchRecord(row.identifier, tracer, generated: generated)
        } catch let error as ComputeError {
            // A lost device fails every row that follows.
            throw error
        } catch {
            record = BatchRecord(row.identifier, error: ErrorText.line(error))
            tensors = []
        }
        record.modelSha256 = modelDigest
        record.version = Version.current
        record.device = device
        record.seconds = (start.duration(to: clock.now) / .milliseconds(1)).rounded() / 1000
        return (record, tensors)
    }
}

extension TraceTensor {
    /// True for attention weights, `[heads, queries, keys]`.
    var isAttention: Bool {
        shape.count == 3 && name.split(separator: ".").contains { ["self", "cross", "attn"].contains($0) }
    }
}

/// One shard of a batch, row by row.
struct BatchRun {
    let source: String
    let model: String
    let shard: BatchShard
    let folder: BatchFolder
    let tracer: RowTracer

    private var sourceFolder: String {
        let folder = (source as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }

    /// Calls `body` with each row of this shard, readable or not, and its identifier.
    private func rows(_ body: (String, Result<BatchRow, BatchRow.Unreadable>) throws -> Void) throws {
        let lines = try LineReader(path: source)
        var number = 0
        while let line = try lines.next() {
            number += 1
            if line.allSatisfy(\.isWhitespace) { continue }
            let row = Result { () throws(BatchRow.Unreadable) in try BatchRow(line, number: number, file: source) }
            let identifier: String
            switch row {
            case .success(let row): identifier = row.identifier
            case .failure(let failure): identifier = failure.identifier
            }
            guard shard.contains(identifier) else { continue }
            try body(identifier, row)
        }
    }

    /// Rows of this shard, and the bytes that they will take, by the first one that can be read.
    func forecast() throws -> (rows: Int, bytes: Int?) {
        var count = 0
        var bytes: Int?
        let scratchFolder = FileManager.default.temporaryDirectory.appending(path: "fovea-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: scratchFolder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratchFolder) }
        let scratch = InputScratch(folder: scratchFolder)
        try rows { _, row in
            try Task.checkCancellation()
            count += 1
            if bytes == nil, case .success(let row) = row,
                let input = try? row.input(model: model, folder: sourceFolder, scratch: scratch),
                let first = try? Tracer(tracer.resources, input: input)
            {
                bytes = first.bytes(of: tracer.selection, maximumTokens: tracer.maximumTokens)
                scratch.clear()
            }
        }
        return (count, bytes.map { $0 * count })
    }

    /// Traces the rows that are not done yet and completes the shard. A request to stop lets the row in work finish.
    /// - Returns: rows that failed, of all.
    func run(rows total: Int) throws -> (rows: Int, failed: Int) {
        let journal = try BatchJournal(shard, in: folder)
        let scratch = InputScratch(folder: journal.scratchFolder)
        let progress = ProgressLine()
        defer { progress.finish(nil) }
        var seen: Set<String> = []
        try rows { identifier, row in
            guard seen.insert(identifier).inserted else {
                Console.warn("custom_id \(identifier) is used again; only its first row is traced")
                return
            }
            if journal.finished.contains(identifier) { return }
            try Task.checkCancellation()
            progress.show(
                shard.count > 1 ? "shard \(shard.index) of \(shard.count)" : "tracing",
                detail: "row \(journal.finished.count + 1) of \(total)",
                fraction: Double(journal.finished.count) / Double(max(total, 1)))
            switch row {
            case .success(let row):
                let (record, tensors) = try tracer.trace(row, model: model, folder: sourceFolder, scratch: scratch)
                try journal.add(record, tensors)
            case .failure(let failure):
                try journal.add(BatchRecord(failure.identifier, error: failure.problem), [])
            }
        }
        try Task.checkCancellation()
        let counts = (journal.finished.count, journal.failed)
        try journal.complete()
        return counts
    }
}

/// Lines of a text file or of standard input.
final class LineReader {
    private let path: String
    private let file: UnsafeMutablePointer<FILE>
    private var buffer: UnsafeMutablePointer<CChar>?
    private var capacity = 0

    /// - Parameter path: `-` for standard input.
    init(path: String) throws(ProgramError) {
        self.path = path
        guard let file = path == "-" ? fdopen(dup(STDIN_FILENO), "r") : fopen(path, "r") else {
            throw .cannotReadFile(path: path, reason: String(cString: strerror(errno)))
        }
        self.file = file
    }

    deinit {
        fclose(file)
        free(buffer)
    }

    /// The next line without its end; nil at the end.
    func next() throws(ProgramError) -> String? {
        errno = 0
        let count = getline(&buffer, &capacity, file)
        guard count >= 0, let buffer else {
            if ferror(file) != 0 { throw .cannotReadFile(path: path, reason: String(cString: strerror(errno))) }
            return nil
        }
        let bytes = UnsafeRawBufferPointer(start: buffer, count: count)
        return String(decoding: bytes.last == 0x0a ? bytes.dropLast() : bytes[...], as: UTF8.self)
    }
}
