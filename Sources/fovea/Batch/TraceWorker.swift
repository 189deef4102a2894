import Checkpoint
import Foundation

/// Rows from standard input, one line of JSON each; for each a line on standard output: its record and the file of its
/// tensors. The model stays loaded, as an actor of a cluster engine holds it.
struct TraceWorker {
    private struct Answer: Encodable {
        /// nil for a row that failed.
        var file: String?
        var record: BatchRecord
    }

    let model: String
    let folder: String
    let tracer: RowTracer

    func run() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let scratchFolder = folder + "/.inputs-\(getpid())"
        try FileManager.default.createDirectory(atPath: scratchFolder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratchFolder) }
        let scratch = InputScratch(folder: scratchFolder)
        let lines = try LineReader(path: "-")
        var number = 0
        while let line = try lines.next() {
            try Task.checkCancellation()
            number += 1
            if line.allSatisfy(\.isWhitespace) { continue }
            let row: BatchRow
            do {
                row = try BatchRow(line, number: number, file: "standard input")
            } catch {
                try JSONOutput.printLine(Answer(record: BatchRecord(error.identifier, error: error.problem)))
                continue
            }
            var (record, tensors) = try tracer.trace(
                row, model: model, folder: FileManager.default.currentDirectoryPath, scratch: scratch)
            guard record.error == nil else {
                try JSONOutput.printLine(Answer(record: record))
                continue
            }
            let path = folder + "/" + Self.fileName(of: row.identifier)
            let writer = try SafetensorsWriter(
                path: path, metadata: ["format": "pt", "producer": "fovea trace --worker"])
            for tensor in tensors {
                try tensor.bytes.withUnsafeBytes {
                    try writer.add(
                        row.identifier + "/" + tensor.name, shape: tensor.shape, format: tensor.format, bytes: $0)
                }
            }
            try writer.finish()
            record.tensors = tensors.map { .init(name: $0.name, format: $0.format.rawValue, shape: $0.shape) }
            try JSONOutput.printLine(Answer(file: path, record: record))
        }
    }

    /// A file name for an identifier: letters, digits, `-` and `_` as they are, other bytes as `%` and two digits.
    static func fileName(of identifier: String) -> String {
        var name = ""
        for byte in identifier.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                name.append(Character(UnicodeScalar(byte)))
            default: name += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        // A file name has at most 255 bytes.
        if name.count > 180 { name = name.prefix(180) + "-" + String(BatchShard.hash(identifier), radix: 16) }
        return "row-" + name + ".safetensors"
    }
}
