import JSON

/// A file of `torch.save`: an unpickled value and the bytes of its storages.
struct TorchArchive {
    let pickle: Unpickler
    let root: Unpickler.Value
    /// Bytes of the file, one range for each of `pickle.storages`.
    let storages: [Range<Int>]

    /// The pickled magic number of the legacy layout, 0x1950A86A20F9469CFC6C.
    private static let legacyMagic: [UInt8] = [
        0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
    ]
    private static let legacyProtocol = 1001

    static func recognizes(_ head: [UInt8]) -> Bool {
        ZipDirectory.recognizes(head) || head.starts(with: legacyMagic)
    }

    init(_ file: MappedFile) throws(CheckpointError) {
        let head = Array(file.bytes.prefix(Self.legacyMagic.count))
        if ZipDirectory.recognizes(head) {
            try self.init(zip: file)
        } else if head == Self.legacyMagic {
            try self.init(legacy: file)
        } else {
            throw .notACheckpoint(
                path: file.path, reason: "it is neither a zip archive nor a pickle that torch.save has written")
        }
    }

    /// `<root>/data.pkl`, and `<root>/data/<key>` for each storage.
    private init(zip file: MappedFile) throws(CheckpointError) {
        let directory = try ZipDirectory(file)
        let suffix = "/data.pkl"
        guard let name = directory.names.filter({ $0.hasSuffix(suffix) }).min(by: { $0.utf8.count < $1.utf8.count }),
            let range = try directory.range(name)
        else {
            throw .notACheckpoint(
                path: file.path, reason: "the zip archive has no data.pkl, so torch.save did not write it")
        }
        let folder = name.dropLast(suffix.count)
        if let order = try directory.range("\(folder)/byteorder"), !file.bytes[order].elementsEqual("little".utf8) {
            throw .malformed(file: file.path, tensor: nil, problem: "its byte order is not little-endian")
        }
        var reader = ByteReader(file, range)
        var pickle = Unpickler(path: file.path)
        root = try pickle.run(&reader)
        var storages: [Range<Int>] = []
        for storage in pickle.storages {
            guard let range = try directory.range("\(folder)/data/\(storage.key)") else {
                throw Self.missing(storage, file)
            }
            guard range.count == storage.byteCount else {
                throw .malformed(
                    file: file.path, tensor: nil,
                    problem: "the storage \(printable(storage.key)) has \(range.count) bytes for "
                        + "\(storage.count) elements of \(storage.type.name)")
            }
            storages.append(range)
        }
        self.pickle = pickle
        self.storages = storages
    }

    /// Five pickles (magic number, protocol, system information, the value, the keys of the storages), then the
    /// storages in the order of the keys: 64 bits of element count, the elements.
    private init(legacy file: MappedFile) throws(CheckpointError) {
        var reader = ByteReader(file, offset: Self.legacyMagic.count)
        var header = Unpickler(path: file.path)
        guard case .integer(Self.legacyProtocol) = try header.run(&reader) else {
            throw reader.malformed("the version of its layout is not \(Self.legacyProtocol)")
        }
        let machine = try header.run(&reader)
        if case .bool(false)? = header.member("little_endian", of: machine) {
            throw reader.malformed("its byte order is not little-endian")
        }
        var pickle = Unpickler(path: file.path)
        root = try pickle.run(&reader)

        var keys = Unpickler(path: file.path)
        let list = try keys.run(&reader)
        var indices: [String: Int] = [:]
        for (index, storage) in pickle.storages.enumerated() { indices[storage.key] = index }
        var storages = [Range<Int>?](repeating: nil, count: pickle.storages.count)
        for key in keys.elements(list) ?? [] {
            guard case .string(let key) = key, let index = indices[key] else {
                throw reader.malformed("it holds a storage that no tensor uses")
            }
            let storage = pickle.storages[index]
            guard try reader.integer(Int64.self) == storage.count, storages[index] == nil else {
                throw reader.malformed("the storage \(printable(key)) has another size than its tensors expect")
            }
            let start = try reader.skip(storage.byteCount)
            storages[index] = start..<reader.offset
        }
        self.storages = try pickle.storages.indices.map { index throws(CheckpointError) in
            guard let range = storages[index] else { throw Self.missing(pickle.storages[index], file) }
            return range
        }
        self.pickle = pickle
    }

    private static func missing(_ storage: Unpickler.Storage, _ file: MappedFile) -> CheckpointError {
        .malformed(file: file.path, tensor: nil, problem: "the storage \(printable(storage.key)) is missing")
    }
}
