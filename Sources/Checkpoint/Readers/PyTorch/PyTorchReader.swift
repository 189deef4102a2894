import JSON
import NumberFormats

/// A reader of `torch.save` files: zip archives, and the legacy layout from before PyTorch 1.6.
///
/// Both hold a pickle that describes the tensors, and the bytes of their storages. Nothing in the file is executed; see
/// ``Unpickler``. The weights are the tensors of a dictionary: the outermost one, or the one under `model_state_dict`
/// or `state_dict` in it.
enum PyTorchReader: CheckpointReader {
    static let format = CheckpointFormat.pyTorch
    private static let fileName = "pytorch_model.bin"
    private static let nestedKeys = ["model_state_dict", "state_dict"]

    /// True for the names of files that hold a whole model.
    static func hasFileName(_ name: String) -> Bool {
        name == fileName || name.hasSuffix(".pt") || name.hasSuffix(".pth")
    }

    static func candidate(in fileNames: [String]) -> String? {
        if fileNames.contains(fileName) { return fileName }
        let others = fileNames.filter(hasFileName)
        return others.count == 1 && !fileNames.contains(ShardedPyTorchReader.indexName) ? others[0] : nil
    }

    static func recognizes(fileName: String, head: [UInt8], size: Int) -> Bool { TorchArchive.recognizes(head) }

    static func read(_ path: String) throws(CheckpointError) -> CheckpointContents {
        let file = try MappedFile(path: path)
        var contents = try read(file, fileIndex: 0)
        contents.files = [file]
        contents.foldTiedTensors()
        return contents
    }

    /// The tensors of one file, which is number `fileIndex` of its checkpoint.
    static func read(_ file: MappedFile, fileIndex: Int) throws(CheckpointError) -> CheckpointContents {
        let archive = try TorchArchive(file)
        let pickle = archive.pickle
        let dictionary =
            nestedKeys.lazy.compactMap { pickle.member($0, of: archive.root) }.first { pickle.members($0) != nil }
        guard let members = pickle.members(dictionary ?? archive.root) else {
            throw .notACheckpoint(path: file.path, reason: "it does not hold a dictionary of tensors")
        }
        var contents = CheckpointContents()
        var names: Set<String> = []
        for (name, value) in members {
            guard case .tensor(let index) = value else { continue }
            guard names.insert(name).inserted else {
                throw .malformed(file: file.path, tensor: printable(name), problem: "the tensor occurs twice")
            }
            let tensor = pickle.tensors[index]
            let storage = pickle.storages[tensor.storage]
            let place = try place(of: tensor, in: storage, name: name, path: file.path)
            guard let format = storage.type.format else {
                contents.unsupported[name] = storage.type.name
                continue
            }
            let entry = try TensorEntry(
                name: name, format: format, shape: tensor.shape, strides: tensor.isRowMajor ? nil : tensor.strides,
                file: fileIndex, offset: archive.storages[tensor.storage].lowerBound + place * storage.type.byteCount,
                path: file.path)
            // A view with strides of 0 can be of any size.
            guard entry.byteCount <= file.bytes.count else {
                throw .malformed(
                    file: file.path, tensor: printable(name),
                    problem: "shape \(tensor.shape) is larger than the file, by repeating elements")
            }
            contents.entries.append(entry)
        }
        guard !names.isEmpty else {
            throw .notACheckpoint(path: file.path, reason: "its dictionary has no tensors")
        }
        contents.whisper = WhisperHeader(pickle, dimensions: pickle.member("dims", of: archive.root))
        return contents
    }

    /// The first element of a tensor, after a check that the whole tensor lies in its storage.
    private static func place(
        of tensor: Unpickler.Tensor, in storage: Unpickler.Storage, name: String, path: String
    ) throws(CheckpointError) -> Int {
        guard try TensorEntry.elementCount(tensor.shape, tensor: name, path: path) > 0 else { return 0 }
        var last = tensor.offset
        var isInside = tensor.offset >= 0
        for (size, stride) in zip(tensor.shape, tensor.strides) {
            let (span, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
            let (end, endOverflow) = last.addingReportingOverflow(span)
            isInside = isInside && stride >= 0 && !overflow && !endOverflow
            last = end
        }
        guard isInside, last < storage.count else {
            throw .malformed(
                file: path, tensor: printable(name),
                problem: "shape \(tensor.shape) with strides \(tensor.strides) from element \(tensor.offset) on does "
                    + "not lie in its storage of \(storage.count) elements")
        }
        return tensor.offset
    }
}

/// A reader of `torch.save` files that are shards of one checkpoint.
enum ShardedPyTorchReader: CheckpointReader {
    static let format = CheckpointFormat.shardedPyTorch
    static let indexName = "pytorch_model.bin.index.json"

    static func candidate(in fileNames: [String]) -> String? {
        fileNames.contains(indexName) ? indexName : nil
    }

    static func recognizes(fileName: String, head: [UInt8], size: Int) -> Bool {
        fileName.hasSuffix(".bin.index.json")
    }

    static func read(_ path: String) throws(CheckpointError) -> CheckpointContents {
        var contents = try ShardIndex(path: path, fileExtension: ".bin", kind: "PyTorch")
            .read { file, number throws(CheckpointError) in try PyTorchReader.read(file, fileIndex: number) }
        contents.foldTiedTensors()
        return contents
    }
}

extension Unpickler.Storage {
    /// The bytes of all elements; saturates for a count that no file can hold.
    var byteCount: Int {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: type.byteCount)
        return overflow ? .max : bytes
    }
}

extension Unpickler.Tensor {
    /// True if the elements follow one another in row-major order. Dimensions of one element may have any stride.
    var isRowMajor: Bool {
        var expected = 1
        for (size, stride) in zip(shape, strides).reversed() where size != 1 {
            guard stride == expected || size == 0 else { return false }
            expected = expected.multipliedReportingOverflow(by: size).partialValue
        }
        return true
    }
}

extension CheckpointContents {
    /// Keeps one entry for all names of the same elements (tied weights); the other names become aliases.
    mutating func foldTiedTensors() {
        struct View: Hashable {
            let format: ElementFormat
            let shape: [Int]
            let strides: [Int]?
            let location: TensorEntry.Location
        }
        var names: [View: String] = [:]
        entries.removeAll { entry in
            let view = View(format: entry.format, shape: entry.shape, strides: entry.strides, location: entry.location)
            guard entry.byteCount > 0, let name = names[view] else {
                names[view] = entry.name
                return false
            }
            aliases[entry.name] = name
            return true
        }
    }
}
