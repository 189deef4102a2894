import JSON
import NumberFormats

/// Reads GGUF versions 2 and 3, little-endian (github.com/ggml-org/ggml, docs/gguf.md).
///
/// GGUF lists dimensions innermost first; entries have them reversed, `[out, in]` for a linear layer, as in all other
/// formats.
enum GGUFReader: CheckpointReader {
    static let format = CheckpointFormat.gguf
    /// The limit of ggml.
    static let mostDimensions = 4
    /// More than any vocabulary or merge list; bounds the memory of an array.
    static let longestArray = 1 << 24
    static let deepestNesting = 4

    static func candidate(in fileNames: [String]) -> String? {
        let models = GGUFFileName.models(among: fileNames)
        if models.count == 1 { return models[0].text }
        let files = fileNames.filter { $0.hasSuffix(".gguf") }
        return files.count == 1 ? files[0] : nil
    }

    static func recognizes(fileName: String, head: [UInt8], size: Int) -> Bool { head.starts(with: "GGUF".utf8) }

    /// Reads a file, and if it is a part of a split one, the others beside it.
    static func read(_ path: String) throws(CheckpointError) -> CheckpointContents {
        let part = try read(MappedFile(path: path), fileIndex: 0)
        guard let metadata = part.gguf, let split = try GGUFSplit(metadata) else { return part }
        return try split.read { file, number throws(CheckpointError) in
            number == 0 && file == path ? part : try read(MappedFile(path: file), fileIndex: number)
        }
    }

    /// The tensors and metadata of one file, which is number `fileIndex` of its checkpoint.
    private static func read(_ file: MappedFile, fileIndex: Int) throws(CheckpointError) -> CheckpointContents {
        let path = file.path
        var reader = ByteReader(file)
        guard try reader.text(count: 4, what: "the signature") == "GGUF" else {
            throw reader.malformed("the file does not begin with GGUF")
        }
        let version = try reader.integer(UInt32.self)
        guard version == 2 || version == 3 else {
            throw reader.malformed(
                version.byteSwapped <= 3
                    ? "a big-endian GGUF file, only little-endian ones are read"
                    : "GGUF version \(version), expected 2 or 3")
        }
        // A tensor takes at least 24 bytes (name length, rank, type, offset), a pair at least 13.
        let tensorCount = try reader.checkCount(try reader.integer(), minimumBytes: 24, what: "tensors")
        let pairCount = try reader.checkCount(try reader.integer(), minimumBytes: 13, what: "metadata pairs")

        let metadata = try metadata(&reader, count: pairCount, version: Int(version), path: path)
        let alignment = try metadata.intIfPresent("general.alignment") ?? 32
        guard alignment > 0, alignment <= 1 << 20, alignment.nonzeroBitCount == 1 else {
            throw reader.malformed("general.alignment is \(alignment), expected a power of two")
        }
        var described: [StoredTensor] = []
        for _ in 0..<tensorCount { described.append(try StoredTensor(&reader)) }
        reader.tensor = nil

        var contents = CheckpointContents(files: [file], gguf: metadata)
        let padding = (alignment - reader.offset % alignment) % alignment
        let dataStart = reader.offset + padding
        var seen: Set<String> = []
        for tensor in described {
            guard seen.insert(tensor.name).inserted else {
                throw reader.malformed("the tensor \"\(printable(tensor.name))\" occurs twice")
            }
            try place(
                tensor, in: &contents, dataStart: dataStart, alignment: alignment, file: file, fileIndex: fileIndex)
        }
        try checkOverlap(&contents, path: path)
        return contents
    }

    // MARK: Tensors

    /// A tensor's description in the header.
    private struct StoredTensor {
        let name: String
        /// Outermost first.
        let shape: [Int]
        let type: UInt32
        let offset: UInt64

        init(_ reader: inout ByteReader) throws(CheckpointError) {
            reader.tensor = nil
            name = try GGUFReader.string(&reader, what: "a tensor's name")
            reader.tensor = name
            let rank = try reader.integer(UInt32.self)
            guard rank <= GGUFReader.mostDimensions else {
                throw reader.malformed("\(rank) dimensions, at most \(GGUFReader.mostDimensions) are possible")
            }
            var dimensions: [Int] = []
            for _ in 0..<rank {
                let dimension = try reader.integer(UInt64.self)
                guard let dimension = Int(exactly: dimension) else {
                    throw reader.malformed("a dimension of \(dimension)")
                }
                dimensions.append(dimension)
            }
            shape = dimensions.reversed()
            type = try reader.integer()
            offset = try reader.integer()
        }
    }

    private static func place(
        _ tensor: StoredTensor, in contents: inout CheckpointContents, dataStart: Int, alignment: Int, file: MappedFile,
        fileIndex: Int
    ) throws(CheckpointError) {
        guard let format = ElementFormat(ggmlType: tensor.type) else {
            contents.unsupported[tensor.name] =
                ElementFormat.undecodedGGMLTypes[tensor.type] ?? "ggml type \(tensor.type)"
            return
        }
        guard let offset = Int(exactly: tensor.offset), offset % alignment == 0 else {
            throw .malformed(
                file: file.path, tensor: printable(tensor.name),
                problem: "begins at byte \(tensor.offset) of the data, not a multiple of the alignment \(alignment)")
        }
        let (start, overflow) = dataStart.addingReportingOverflow(offset)
        let entry = try TensorEntry(
            name: tensor.name, format: format, shape: tensor.shape, file: fileIndex, offset: overflow ? .max : start,
            path: file.path)
        let (end, endOverflow) = entry.location.offset.addingReportingOverflow(entry.byteCount)
        guard !overflow, !endOverflow, end <= file.bytes.count else {
            throw .truncated(
                file: file.path, tensor: printable(tensor.name), needed: endOverflow ? .max : end,
                available: file.bytes.count)
        }
        contents.entries.append(entry)
    }

    private static func checkOverlap(_ contents: inout CheckpointContents, path: String) throws(CheckpointError) {
        contents.entries.sort { ($0.location.offset, $0.byteCount) < ($1.location.offset, $1.byteCount) }
        for (previous, next) in zip(contents.entries, contents.entries.dropFirst())
        where previous.location.offset + previous.byteCount > next.location.offset {
            throw .malformed(
                file: path, tensor: printable(next.name),
                problem: "lies over the bytes of \"\(printable(previous.name))\"")
        }
    }

    // MARK: Metadata

    private static func metadata(
        _ reader: inout ByteReader, count: Int, version: Int, path: String
    ) throws(CheckpointError) -> GGUFMetadata {
        var keys: [String] = []
        var values: [String: GGUFMetadata.Value] = [:]
        for _ in 0..<count {
            let key = try string(&reader, what: "a metadata key")
            let type = try reader.integer(UInt32.self)
            guard values.updateValue(try value(&reader, type: type, key: key, depth: 0), forKey: key) == nil else {
                throw reader.malformed("the metadata key \"\(printable(key))\" occurs twice")
            }
            keys.append(key)
        }
        return GGUFMetadata(file: path, version: version, keys: keys, values: values)
    }

    private static func string(_ reader: inout ByteReader, what: String) throws(CheckpointError) -> String {
        let count = try reader.checkCount(try reader.integer(), minimumBytes: 1, what: "bytes in \(what)")
        return try reader.text(count: count, what: what)
    }

    private static func value(
        _ reader: inout ByteReader, type: UInt32, key: String, depth: Int
    ) throws(CheckpointError) -> GGUFMetadata.Value {
        switch type {
        case 7: return .bool(try reader.integer(UInt8.self) != 0)
        case 8: return .string(try lenientString(&reader))
        case 9: return try array(&reader, key: key, depth: depth + 1)
        case 6: return .float(Double(try reader.float()))
        case 12: return .float(try reader.double())
        case 10:
            let value = try reader.integer(UInt64.self)
            return Int(exactly: value).map { .integer($0) } ?? .large(value)
        default:
            guard let kind = integers[type] else {
                throw reader.malformed("metadata \"\(printable(key))\" has the unknown type \(type)")
            }
            return .integer(try kind.read(&reader))
        }
    }

    private static func array(
        _ reader: inout ByteReader, key: String, depth: Int
    ) throws(CheckpointError) -> GGUFMetadata.Value {
        guard depth <= deepestNesting else {
            throw reader.malformed("metadata \"\(printable(key))\" is nested more than \(deepestNesting) deep")
        }
        let type = try reader.integer(UInt32.self)
        let promised = try reader.integer(UInt64.self)
        let smallest = integers[type]?.size ?? minimumSizes[type] ?? 1
        let count = try reader.checkCount(promised, minimumBytes: smallest, what: "elements of \"\(printable(key))\"")
        guard count <= longestArray else {
            throw reader.malformed("metadata \"\(printable(key))\" has \(count) elements, more than \(longestArray)")
        }
        switch type {
        case 6: return .floats(try elements(&reader, count) { reader throws(CheckpointError) in try reader.float() })
        case 12:
            return .floats(
                try elements(&reader, count) { reader throws(CheckpointError) in Float(try reader.double()) })
        case 7:
            return .bools(
                try elements(&reader, count) { reader throws(CheckpointError) in try reader.integer(UInt8.self) != 0 })
        case 8:
            return .strings(
                try elements(&reader, count) { reader throws(CheckpointError) in try lenientString(&reader) })
        case 9:
            return .nested(
                try elements(&reader, count) { reader throws(CheckpointError) in
                    try array(&reader, key: key, depth: depth + 1)
                })
        default:
            guard let kind = integers[type] else {
                throw reader.malformed("metadata \"\(printable(key))\" is a list of the unknown type \(type)")
            }
            return .integers(try elements(&reader, count, kind.read))
        }
    }

    private static func elements<T>(
        _ reader: inout ByteReader, _ count: Int, _ read: (inout ByteReader) throws(CheckpointError) -> T
    ) throws(CheckpointError) -> [T] {
        var result: [T] = []
        result.reserveCapacity(count)
        for _ in 0..<count { result.append(try read(&reader)) }
        return result
    }

    /// A string value. Vocabularies hold pieces of characters, so it need not be UTF-8.
    private static func lenientString(_ reader: inout ByteReader) throws(CheckpointError) -> String {
        let count = try reader.checkCount(try reader.integer(), minimumBytes: 1, what: "bytes in a string")
        return try reader.lenientText(count: count)
    }

    private struct IntegerKind: Sendable {
        let size: Int
        let read: @Sendable (inout ByteReader) throws(CheckpointError) -> Int

        init<T: FixedWidthInteger & BitwiseCopyable & SendableMetatype>(_: T.Type) {
            size = MemoryLayout<T>.size
            read = { reader throws(CheckpointError) in
                let value = try reader.integer(T.self)
                guard let result = Int(exactly: value) else {
                    throw reader.malformed("the integer \(value) is too large")
                }
                return result
            }
        }
    }

    private static let integers: [UInt32: IntegerKind] = [
        0: IntegerKind(UInt8.self), 1: IntegerKind(Int8.self), 2: IntegerKind(UInt16.self), 3: IntegerKind(Int16.self),
        4: IntegerKind(UInt32.self), 5: IntegerKind(Int32.self), 10: IntegerKind(UInt64.self),
        11: IntegerKind(Int64.self),
    ]
    /// Bytes an element of a type that is no integer takes at least.
    private static let minimumSizes: [UInt32: Int] = [6: 4, 7: 1, 8: 8, 9: 12, 12: 8]
}
