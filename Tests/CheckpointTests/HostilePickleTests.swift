import Checkpoint
import Foundation
import TestSupport
import Testing

/// PyTorch files that are damaged or mean harm: each is refused with an error that says why.
@Suite struct HostilePickleTests {
    private typealias T = TorchBytes

    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func expectRefusal(_ bytes: [UInt8], _ complaint: String) throws {
        let path = try folder.write(bytes, to: "m.pt")
        #expect { try Checkpoint.open(path) } throws: {
            guard $0 is CheckpointError, "\($0)".contains(complaint) else {
                Issue.record("\($0) does not say \(complaint)")
                return false
            }
            return true
        }
    }

    @Test(arguments: [
        ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("__builtin__", "exec"), ("subprocess", "Popen"),
        ("torch", "load"), ("torch.hub", "load"), ("collections", "defaultdict"), ("", ""),
    ])
    func foreignNamesAreRefused(module: String, name: String) throws {
        let call = T.pickle(T.call(T.global(module, name), [T.string("touch /tmp/harm")]))
        try expectRefusal(T.zip(pickle: call), "the name \(module).\(name), which is refused")
        var legacy = PyTorchTests.small
        legacy.extra = T.string("x") + T.call(T.global(module, name), [])
        try expectRefusal(legacy.legacy, "the name \(module).\(name), which is refused")
    }

    @Test(
        arguments: [
            ("INST", Array("ios\nsystem\n".utf8)), ("STACK_GLOBAL", T.string("os") + T.string("system") + [0x93]),
            ("OBJ", [0x28, 0x6f]), ("PERSID", Array("Pid\n".utf8)), ("EXT1", [0x82, 1]), ("FRAME", [0x95]),
            ("NEWOBJ_EX", [0x92]), ("0xff", [0xff]),
        ] as [(String, [UInt8])])
    func otherOpcodesAreRefused(name: String, program: [UInt8]) throws {
        try expectRefusal(T.zip(pickle: T.pickle(program)), "the opcode \(name), which is refused")
    }

    @Test func wrongProgramsAreRefused() throws {
        let reference = T(storages: [T.Storage(floats: [1])])
        let programs: [(String, [UInt8])] = [
            ("finds its stack empty", []), ("finds its stack empty", [0x85]), ("finds its stack empty", [0x71, 0]),
            ("finds no mark", [0x74]), ("left on the stack", [0x4e, 0x4e]), ("finds its stack empty", [0x4e, 0x28]),
            ("finds its stack empty", [0x4e, 0x28, 0x85]),
            ("stored under the number 7", [0x68, 7]), ("an integer of 200 bytes", [0x8a, 200]),
            ("call of something that is not a function", [0x4e, 0x29, 0x52]),
            ("setting attributes", [0x4e, 0x7d, 0x62]), ("not a list", [0x29, 0x4e, 0x61]),
            ("not a dictionary", [0x5d, 0x4e, 0x4e, 0x73]), ("not a dictionary", [0x7d, 0x28, 0x4e, 0x75]),
            ("not a storage", [0x29, 0x51]), ("not a storage", [0x5d, 0x51]),
            ("list of pairs", T.call(T.global("collections", "OrderedDict"), [T.integer(1)])),
            ("a name of more than 256 bytes", [0x63] + [UInt8](repeating: 0x61, count: 300)),
            ("not in a tensor", T.call(T.global("torch", "FloatStorage"), [T.integer(1)])),
            ("description is not one", T.call(T.global("torch._utils", "_rebuild_tensor_v2"), [])),
            ("parameter that is not a tensor", T.call(T.global("torch._utils", "_rebuild_parameter"), [[0x4e]])),
            ("two types or sizes", reference.storage(0) + T(storages: [T.Storage("HalfStorage", [1])]).storage(0)),
            ("ends too early", [0x58, 0xff, 0xff, 0xff, 0xff]), ("not UTF-8", [0x55, 1, 0xff]),
            ("not hold a dictionary", T.integer(5)), ("no tensors", [0x7d]),
            ("no tensors", T.dictionary(T.string("a") + T.integer(1))),
        ]
        for (complaint, program) in programs { try expectRefusal(T.zip(pickle: T.pickle(program)), complaint) }
        try expectRefusal([0x80, 2, 0x2e], "not a model this program reads")
    }

    @Test func cyclesAreHarmless() throws {
        // A list and a dictionary that hold themselves, the latter as its own state dictionary.
        try expectRefusal(T.zip(pickle: T.pickle([0x5d, 0x71, 0, 0x68, 0, 0x61])), "not hold a dictionary")
        let own = T.string("state_dict") + [0x68, 0]
        try expectRefusal(T.zip(pickle: T.pickle([0x7d, 0x71, 0] + own + [0x73])), "no tensors")
    }

    @Test func nestingIsHarmless() throws {
        let depth = 200_000
        let tuples = [0x29] + [UInt8](repeating: 0x85, count: depth)
        try expectRefusal(T.zip(pickle: T.pickle(tuples)), "not hold a dictionary")
        let lists = [UInt8](repeating: 0x5d, count: depth) + [UInt8](repeating: 0x61, count: depth - 1)
        try expectRefusal(T.zip(pickle: T.pickle(lists)), "not hold a dictionary")
        try expectRefusal(T.zip(pickle: T.pickle([UInt8](repeating: 0x28, count: 600_000))), "more than 262144 values")
        try expectRefusal(T.zip(pickle: T.pickle([UInt8](repeating: 0x7d, count: 600_000))), "more than 262144 values")
        // Each call copies a list that is written once.
        let pairs = [0x5d, 0x28] + [UInt8](repeating: 0x4e, count: 2) + [0x86, 0x71, 1]
        let list = pairs + [UInt8]((0..<1000).flatMap { _ in [0x68, 1] as [UInt8] }) + [0x65, 0x71, 2]
        let calls = (0..<1000).flatMap { _ in T.call(T.global("collections", "OrderedDict"), [[0x68, 2]]) }
        try expectRefusal(T.zip(pickle: T.pickle(list + calls)), "more than 262144 values")
    }

    @Test func absurdTensorsAreRefused() throws {
        let cases: [(String, T.Tensor)] = [
            ("not lie in its storage", .init(name: "a", shape: [5], strides: [1])),
            ("not lie in its storage", .init(name: "a", offset: 4, shape: [1], strides: [1])),
            ("not lie in its storage", .init(name: "a", offset: -1, shape: [2], strides: [1])),
            ("not lie in its storage", .init(name: "a", offset: 3, shape: [2], strides: [-1])),
            ("not lie in its storage", .init(name: "a", shape: [3, 2], strides: [.max, .max])),
            ("not lie in its storage", .init(name: "a", offset: .max, shape: [2], strides: [1])),
            ("is impossible", .init(name: "a", shape: [.max, .max], strides: [0, 0])),
            ("is impossible", .init(name: "a", shape: [-2], strides: [1])),
            ("by repeating elements", .init(name: "a", shape: [1 << 40], strides: [0])),
            ("not a whole number", .init(name: "a", shape: [1 << 62], strides: [0])),
            ("description is not one", .init(name: "a", shape: [1], strides: [])),
            (
                "description is not one",
                .init(name: "a", shape: .init(repeating: 1, count: 65), strides: .init(repeating: 1, count: 65))
            ),
        ]
        for (complaint, tensor) in cases {
            let file = T(storages: [T.Storage(floats: [1, 2, 3, 4])], tensors: [tensor])
            try expectRefusal(file.zip, complaint)
            try expectRefusal(file.legacy, complaint)
        }
        let twice = T.Tensor(name: "a", shape: [1], strides: [1])
        try expectRefusal(T(storages: [T.Storage(floats: [1])], tensors: [twice, twice]).zip, "occurs twice")
    }

    @Test func absurdStoragesAreRefused() throws {
        let tensor = T.Tensor(name: "a", shape: [1], strides: [1])
        for count in [2, 1 << 40, Int.max] {
            let file = T(storages: [T.Storage("FloatStorage", count: count, [0, 0, 0, 0])], tensors: [tensor])
            try expectRefusal(file.zip, "4 bytes for \(count) elements")
            try expectRefusal(file.legacy, "ends too early")
        }
        try expectRefusal(
            T(storages: [T.Storage("FloatStorage", count: -1, [])], tensors: [tensor]).zip, "not a storage")
        var missing = T(storages: [T.Storage(floats: [1])], tensors: [tensor])
        let whole = missing.zip
        missing.storages = []
        try expectRefusal(
            T.zip(pickle: Array(whole[64..<whole.firstRange(of: Array("m/byteorder".utf8))!.lowerBound - 30])),
            "the storage 0 is missing")
    }

    @Test func pathsInNamesLeadNowhere() throws {
        // A storage's key is looked up in the archive and is no path.
        let key = "../../../../etc/passwd"
        let identifier = T.tuple([
            T.string("storage"), T.global("torch", "FloatStorage"), T.string(key), T.string("cpu"), T.integer(1),
        ])
        try expectRefusal(T.zip(pickle: T.pickle(identifier + [0x51])), "the storage \(key) is missing")
        for shard in ["../pytorch_model.bin", "/etc/passwd.bin", "a/b.bin", "m.pt", "pytorch_model.bin.index.json"] {
            let index = folder.path("pytorch_model.bin.index.json")
            try Data(#"{"weight_map":{"a":"\#(shard)"}}"#.utf8).write(to: URL(filePath: index))
            #expect { try Checkpoint.open(index) } throws: { "\($0)".contains("is not the name of a PyTorch file") }
        }
    }

    @Test func wrongArchivesAreRefused() throws {
        let pickle = T.pickle([0x7d])
        try expectRefusal(T.zip([("m/data.pkl", pickle)], method: 8), "compressed or encrypted")
        try expectRefusal(T.zip([("m/data.pkl", pickle), ("m/data.pkl", pickle)]), "occurs twice")
        try expectRefusal(T.zip([("readme.txt", pickle)]), "has no data.pkl")
        try expectRefusal(T.zip(pickle: pickle, byteOrder: "big"), "not little-endian")
        let whole = T.zip([("m/data.pkl", pickle)])
        for (place, complaint) in [(whole.count - 12, "65535 zip entries"), (whole.count - 6, "outside of the file")] {
            var bytes = whole
            bytes[place] = 0xff
            bytes[place + 1] = 0xff
            try expectRefusal(bytes, complaint)
        }
    }

    @Test func everyTruncationIsRefused() throws {
        try folder.expectTruncationsRefused(PyTorchTests.small.zip, name: "m.pt", step: 1)
        try folder.expectTruncationsRefused(PyTorchTests.small.legacy, name: "m.pt", step: 1)
    }

    @Test(
        .enabled(if: Fixtures.available),
        arguments: ["pickle/kinds.pt", "pickle/kinds-legacy.pt", "pickle/checkpoint.pt"])
    func everyTruncationOfAReferenceFileIsRefused(file: String) throws {
        let whole = try Data(contentsOf: Fixtures.models.appending(path: file))
        try folder.expectTruncationsRefused(whole, name: "m.pt", step: 64)
    }
}

extension TemporaryFolder {
    /// Expects a typed error for every beginning of a file whose length is a multiple of `step`.
    func expectTruncationsRefused(_ whole: some Collection<UInt8>, name: String, step: Int) throws {
        let path = try write(whole, to: name)
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        for length in stride(from: 0, to: whole.count, by: step).reversed() {
            try file.truncate(atOffset: UInt64(length))
            #expect(throws: CheckpointError.self, "\(length) bytes") { try Checkpoint.open(path) }
        }
        try file.close()
    }
}
