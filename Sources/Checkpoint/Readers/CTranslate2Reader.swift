import JSON
import NumberFormats

/// Reads the `model.bin` of CTranslate2, binary version 6.
///
/// Little-endian: u32 version, specification name, u32 revision, u32 number of variables; each variable is its name,
/// u8 rank, u32 dimensions, u8 type, u32 size, bytes; then u32 number of aliases, each two names. A name is a u16 length
/// that counts a closing NUL, and the bytes. Numbers of heads and flags are scalars among the variables.
enum CTranslate2Reader: CheckpointReader {
    static let format = CheckpointFormat.cTranslate2
    static let version: UInt32 = 6

    static func candidate(in fileNames: [String]) -> String? {
        fileNames.contains("model.bin") ? "model.bin" : nil
    }

    /// A small version number, then the specification's name, which ends in `Spec` and NUL.
    static func recognizes(fileName: String, head: [UInt8], size: Int) -> Bool {
        guard head.count >= 6, head[0] > 0, head[0] < 32, head[1..<4].allSatisfy({ $0 == 0 }) else { return false }
        let length = Int(head[4]) | Int(head[5]) << 8
        guard length > 5, head.count >= 6 + length else { return false }
        return head[6 + length - 5..<6 + length].elementsEqual("Spec\0".utf8)
    }

    static func read(_ path: String) throws(CheckpointError) -> CheckpointContents {
        let file = try MappedFile(path: path)
        var reader = ByteReader(file)
        let found = try reader.integer(UInt32.self)
        guard found == version else {
            throw reader.malformed("CTranslate2 binary version \(found), expected \(version)")
        }
        var contents = CheckpointContents(files: [file])
        contents.metadata["specification"] = try name(&reader, what: "the specification's name")
        contents.metadata["revision"] = String(try reader.integer(UInt32.self))

        // A variable takes at least 9 bytes: an empty name, rank 0, type, size.
        let count = try reader.checkCount(UInt64(try reader.integer(UInt32.self)), minimumBytes: 9, what: "variables")
        var seen: Set<String> = []
        contents.entries.reserveCapacity(count)
        for _ in 0..<count {
            let entry = try variable(&reader, path: path)
            guard seen.insert(entry.name).inserted else {
                throw reader.malformed("the variable \"\(printable(entry.name))\" occurs twice")
            }
            contents.entries.append(entry)
        }
        reader.tensor = nil
        contents.aliases = try aliases(&reader, variables: seen)
        guard reader.remaining == 0 else { throw reader.malformed("\(reader.remaining) bytes follow the end") }
        return contents
    }

    private static func variable(_ reader: inout ByteReader, path: String) throws(CheckpointError) -> TensorEntry {
        reader.tensor = nil
        let name = try name(&reader, what: "a variable's name")
        reader.tensor = name
        let rank = Int(try reader.integer(UInt8.self))
        var shape: [Int] = []
        for _ in 0..<rank { shape.append(Int(try reader.integer(UInt32.self))) }
        let type = Int(try reader.integer(UInt8.self))
        guard types.indices.contains(type) else { throw reader.malformed("unknown element type \(type)") }
        let size = Int(try reader.integer(UInt32.self))
        let entry = try TensorEntry(
            name: name, format: types[type], shape: shape, file: 0, offset: reader.offset, path: path)
        guard entry.byteCount == size else {
            throw reader.malformed(
                "\(size) bytes are given for shape \(shape) of \(types[type].rawValue), expected \(entry.byteCount)")
        }
        _ = try reader.skip(size)
        return entry
    }

    /// Aliases, each followed to the variable it finally stands for.
    private static func aliases(_ reader: inout ByteReader, variables: Set<String>) throws(CheckpointError) -> [String:
        String]
    {
        let count = try reader.checkCount(UInt64(try reader.integer(UInt32.self)), minimumBytes: 4, what: "aliases")
        var direct: [String: String] = [:]
        for _ in 0..<count {
            let alias = try name(&reader, what: "an alias")
            let target = try name(&reader, what: "an alias's target")
            guard !variables.contains(alias), direct.updateValue(target, forKey: alias) == nil else {
                throw reader.malformed("the alias \"\(printable(alias))\" has the name of another tensor")
            }
        }
        var resolved: [String: String] = [:]
        for (alias, first) in direct {
            var target = first
            var steps = 0
            while let next = direct[target], steps <= direct.count {
                target = next
                steps += 1
            }
            guard variables.contains(target) else {
                throw reader.malformed("the alias \"\(printable(alias))\" leads to no variable")
            }
            resolved[alias] = target
        }
        return resolved
    }

    private static func name(_ reader: inout ByteReader, what: String) throws(CheckpointError) -> String {
        let length = Int(try reader.integer(UInt16.self))
        guard length > 0 else { throw reader.malformed("\(what) is empty") }
        var text = try reader.text(count: length, what: what)
        guard text.utf8.last == 0 else { throw reader.malformed("\(what) does not end in NUL") }
        text.removeLast()
        return text
    }

    private static let types: [ElementFormat] = [.f32, .i8, .i16, .i32, .f16, .bf16]
}
