import Foundation
import JSON

/// A GGUF file that llama.cpp's gguf-split divided. The first part has the metadata of the model; all have `split.*`.
struct GGUFSplit {
    /// The largest published models have a few dozen parts.
    private static let mostParts = 1024

    private let path: String
    private let name: GGUFFileName
    /// Tensors of all parts together.
    private let tensorCount: Int?

    /// - Returns: `nil` for a file that is whole.
    /// - Throws: `CheckpointError` if the file is a part and its name does not say which.
    init?(_ metadata: GGUFMetadata) throws(CheckpointError) {
        guard let count = try metadata.intIfPresent("split.count"), count != 1 else { return nil }
        path = metadata.file
        tensorCount = try metadata.intIfPresent("split.tensors.count")
        guard (2...Self.mostParts).contains(count) else {
            throw .malformed(
                file: path, tensor: nil, problem: "split.count is \(count), expected 1 to \(Self.mostParts)")
        }
        let fileName = (path as NSString).lastPathComponent
        guard let name = GGUFFileName(fileName), name.partCount == count else {
            throw .malformed(
                file: path, tensor: nil,
                problem: "a part of a file split in \(count), but its name does not end in -00001-of-"
                    + "\(GGUFFileName.digits(count)).gguf or the like, by which the other parts are found")
        }
        self.name = name
    }

    /// All parts, in order. `readPart` reads the file at a path, number `n` of the checkpoint.
    func read(
        _ readPart: (String, Int) throws(CheckpointError) -> CheckpointContents
    ) throws(CheckpointError) -> CheckpointContents {
        let folder = (path as NSString).deletingLastPathComponent
        var contents = CheckpointContents()
        var seen: Set<String> = []
        for number in 0..<name.partCount {
            let file = (folder as NSString).appendingPathComponent(name.part(number + 1))
            guard FileManager.default.fileExists(atPath: file) else {
                throw .cannotRead(
                    file: file,
                    reason: "part \(number + 1) of \(name.partCount) is missing; fetch it into the same folder")
            }
            let part = try readPart(file, number)
            guard let metadata = part.gguf, try metadata.intIfPresent("split.no") == number,
                try metadata.intIfPresent("split.count") == name.partCount
            else {
                throw .malformed(
                    file: file, tensor: nil,
                    problem:
                        "split.no and split.count do not say that it is part \(number) of \(name.partCount), from 0")
            }
            for tensor in part.entries.map(\.name) + part.unsupported.keys {
                guard seen.insert(tensor).inserted else {
                    throw .malformed(
                        file: file, tensor: printable(tensor), problem: "the tensor is in an earlier part too")
                }
            }
            contents.files += part.files
            contents.entries += part.entries
            contents.unsupported.merge(part.unsupported) { first, _ in first }
            if number == 0 { contents.gguf = metadata }
        }
        if let tensorCount, tensorCount != seen.count {
            throw .malformed(
                file: path, tensor: nil,
                problem: "its parts have \(seen.count) tensors, but split.tensors.count is \(tensorCount)")
        }
        return contents
    }
}
