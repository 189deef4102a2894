import JSON
import NumberFormats

/// Reads a safetensors file: eight bytes of header length, a JSON header, the tensors' bytes.
///
/// As strict as the reference implementation (github.com/huggingface/safetensors): the tensors must cover the data
/// exactly, without overlap or gap.
enum SafetensorsReader: CheckpointReader {
    static let format = CheckpointFormat.safetensors
    /// The reference implementation's limit on the header.
    static let largestHeader = 100_000_000

    static func candidate(in fileNames: [String]) -> String? {
        if fileNames.contains("model.safetensors") { return "model.safetensors" }
        let others = fileNames.filter { $0.hasSuffix(".safetensors") }
        return others.count == 1 && !fileNames.contains(ShardedSafetensorsReader.indexName) ? others[0] : nil
    }

    static func recognizes(fileName: String, head: [UInt8], size: Int) -> Bool {
        fileName.hasSuffix(".safetensors")
            || (head.count > 8 && head[8] == UInt8(ascii: "{") && head[4..<8].allSatisfy { $0 == 0 })
    }

    static func read(_ path: String) throws(CheckpointError) -> CheckpointContents {
        let file = try MappedFile(path: path)
        var contents = try read(file, fileIndex: 0)
        contents.files = [file]
        return contents
    }

    /// The tensors of one file, which is number `fileIndex` of its checkpoint.
    static func read(_ file: MappedFile, fileIndex: Int) throws(CheckpointError) -> CheckpointContents {
        let path = file.path
        var reader = ByteReader(file)
        let headerLength = try reader.integer(UInt64.self)
        guard headerLength <= UInt64(largestHeader) else {
            throw reader.malformed(
                "the header claims \(headerLength) bytes, more than the format's bound of \(largestHeader)")
        }
        let start = try reader.skip(Int(headerLength))
        let header: JSONValue
        do {
            header = try JSONParser.parse(
                UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + Int(headerLength)]))
        } catch {
            throw reader.malformed("the header is not JSON: \(error)")
        }
        guard case .object(let members) = header else {
            throw reader.malformed("the header is \(header.kind), not an object")
        }

        var contents = CheckpointContents()
        var extents: [Extent] = []
        for (name, description) in members {
            if name == "__metadata__" {
                contents.metadata = try metadata(description, path: path)
                continue
            }
            let stored = try StoredTensor(name: name, description, path: path)
            guard stored.range.upperBound <= reader.remaining else {
                let (needed, overflow) = reader.offset.addingReportingOverflow(stored.range.upperBound)
                throw .truncated(
                    file: path, tensor: printable(name), needed: overflow ? .max : needed, available: file.bytes.count)
            }
            extents.append(Extent(name: name, range: stored.range))
            if let format = stored.dtype?.format {
                let entry = try TensorEntry(
                    name: name, format: format, shape: stored.shape, file: fileIndex,
                    offset: reader.offset + stored.range.lowerBound, path: path)
                contents.entries.append(entry)
            } else {
                contents.unsupported[name] = stored.typeName
            }
        }
        try checkCover(extents, dataSize: reader.remaining, path: path)
        contents.entries.sort { $0.location.offset < $1.location.offset }
        return contents
    }

    private struct Extent {
        let name: String
        let range: Range<Int>
    }

    /// Checks that the extents cover the data without overlap or gap.
    private static func checkCover(_ extents: [Extent], dataSize: Int, path: String) throws(CheckpointError) {
        var end = 0
        for extent in extents.sorted(by: {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }) {
            guard extent.range.lowerBound == end else {
                throw .malformed(
                    file: path, tensor: printable(extent.name),
                    problem:
                        "begins at byte \(extent.range.lowerBound) of the data, but the tensor before it ends at \(end)"
                )
            }
            end = extent.range.upperBound
        }
        guard end == dataSize else {
            throw .malformed(
                file: path, tensor: nil, problem: "\(dataSize - end) bytes after the last tensor belong to no tensor")
        }
    }

    private static func metadata(_ value: JSONValue, path: String) throws(CheckpointError) -> [String: String] {
        if value.isNull { return [:] }
        guard case .object(let members) = value else {
            throw .malformed(file: path, tensor: nil, problem: "__metadata__ is \(value.kind), not an object")
        }
        var result: [String: String] = [:]
        for (key, value) in members {
            guard case .string(let text) = value else {
                throw .malformed(
                    file: path, tensor: nil,
                    problem: "__metadata__ \"\(printable(key))\" is \(value.kind), not a string")
            }
            result[key] = text
        }
        return result
    }
}

/// A tensor's description in a safetensors header.
private struct StoredTensor {
    let typeName: String
    /// `nil` for a dtype that this program does not know, which newer writers may have.
    let dtype: SafetensorsType?
    let shape: [Int]
    /// Bytes from the end of the header.
    let range: Range<Int>

    init(name: String, _ value: JSONValue, path: String) throws(CheckpointError) {
        func malformed(_ problem: String) -> CheckpointError {
            .malformed(file: path, tensor: printable(name), problem: problem)
        }
        guard case .object = value else { throw malformed("its description is \(value.kind), not an object") }
        guard let typeName = value["dtype"]?.stringValue else { throw malformed("its dtype is missing or no string") }
        let dtype = SafetensorsType.named(typeName)
        guard let shape = value["shape"]?.intArray else {
            throw malformed("its shape is missing or no list of integers")
        }
        guard let offsets = value["data_offsets"]?.intArray, offsets.count == 2, offsets[0] >= 0,
            offsets[0] <= offsets[1]
        else {
            throw malformed("its data_offsets are missing or no rising pair")
        }
        let elements = try TensorEntry.elementCount(shape, tensor: name, path: path)
        if let dtype {
            let (bits, overflow) = elements.multipliedReportingOverflow(by: dtype.bitsPerElement)
            guard !overflow, bits % 8 == 0, bits / 8 == offsets[1] - offsets[0] else {
                throw malformed("\(offsets[1] - offsets[0]) bytes are given for shape \(shape) of \(typeName)")
            }
        }
        self.typeName = printable(typeName)
        self.dtype = dtype
        self.shape = shape
        range = offsets[0]..<offsets[1]
    }
}

/// The dtypes of the safetensors format; `format` is `nil` for those this program does not decode.
struct SafetensorsType: Sendable {
    let name: String
    let bitsPerElement: Int
    let format: ElementFormat?

    static func named(_ name: String) -> SafetensorsType? { table[name] }
    static func name(of format: ElementFormat) -> String? { table.values.first { $0.format == format }?.name }

    private static let table = Dictionary(
        uniqueKeysWithValues: [
            SafetensorsType(name: "F64", bitsPerElement: 64, format: .f64),
            SafetensorsType(name: "F32", bitsPerElement: 32, format: .f32),
            SafetensorsType(name: "F16", bitsPerElement: 16, format: .f16),
            SafetensorsType(name: "BF16", bitsPerElement: 16, format: .bf16),
            SafetensorsType(name: "I64", bitsPerElement: 64, format: .i64),
            SafetensorsType(name: "I32", bitsPerElement: 32, format: .i32),
            SafetensorsType(name: "I16", bitsPerElement: 16, format: .i16),
            SafetensorsType(name: "I8", bitsPerElement: 8, format: .i8),
            SafetensorsType(name: "U8", bitsPerElement: 8, format: .u8),
            SafetensorsType(name: "BOOL", bitsPerElement: 8, format: .bool),
            SafetensorsType(name: "U16", bitsPerElement: 16, format: nil),
            SafetensorsType(name: "U32", bitsPerElement: 32, format: nil),
            SafetensorsType(name: "U64", bitsPerElement: 64, format: nil),
            SafetensorsType(name: "C64", bitsPerElement: 64, format: nil),
            SafetensorsType(name: "F8_E4M3", bitsPerElement: 8, format: nil),
            SafetensorsType(name: "F8_E5M2", bitsPerElement: 8, format: nil),
            SafetensorsType(name: "F8_E4M3FNUZ", bitsPerElement: 8, format: nil),
            SafetensorsType(name: "F8_E5M2FNUZ", bitsPerElement: 8, format: nil),
            SafetensorsType(name: "F8_E8M0", bitsPerElement: 8, format: nil),
            SafetensorsType(name: "F6_E2M3", bitsPerElement: 6, format: nil),
            SafetensorsType(name: "F6_E3M2", bitsPerElement: 6, format: nil),
            SafetensorsType(name: "F4", bitsPerElement: 4, format: nil),
        ].map { ($0.name, $0) })
}
