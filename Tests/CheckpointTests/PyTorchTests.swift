import Checkpoint
import Crypto
import Foundation
import NumberFormats
import TestSupport
import Testing

/// PyTorch files: the reference files of `shared`, and small ones that are written here.
@Suite struct PyTorchTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    // MARK: Reference files

    /// A tensor as `golden.json` lists it.
    private struct ListedTensor: Decodable {
        let shape: [Int]
        let digest: String

        enum CodingKeys: String, CodingKey {
            case shape
            case digest = "sha256_of_row_major_bytes"
        }
    }

    private struct Listing: Decodable {
        let tensors: [String: ListedTensor]
        let tied: [[String]]
    }

    @Test(
        .enabled(if: Fixtures.available),
        arguments: [
            ("m2m100-bin", CheckpointFormat.pyTorch, 1), ("m2m100-bin-legacy", .pyTorch, 1),
            ("m2m100-bin-sharded", .shardedPyTorch, 3),
        ])
    func referenceModelsAreEqual(name: String, format: CheckpointFormat, files: Int) throws {
        let model = Fixtures.model(name)
        let listing = try JSONDecoder().decode(
            Listing.self, from: Data(contentsOf: model.appending(path: "golden.json")))
        let checkpoint = try Checkpoint.open(model.path)
        #expect(checkpoint.format == format)
        #expect(checkpoint.files.count == files)
        #expect(Set(checkpoint.names).union(checkpoint.aliases.keys) == Set(listing.tensors.keys))
        for (name, listed) in listing.tensors {
            #expect(try checkpoint.entry(name).shape == listed.shape, "\(name)")
            let digest = try checkpoint.withBytes(of: name) { SHA256.hash(data: $0) }
            #expect(digest.map { String(format: "%02x", $0) }.joined() == listed.digest, "\(name)")
        }
        for names in listing.tied {
            #expect(Set(try names.map { try checkpoint.entry($0).name }).count == 1, "tied names share an entry")
        }
        let reference = try Checkpoint.open(Fixtures.model("m2m100").path)
        for name in reference.names {
            let bytes = try reference.withBytes(of: name) { Array($0) }
            #expect(try checkpoint.withBytes(of: name) { bytes.elementsEqual($0) }, "\(name)")
        }
    }

    @Test(.enabled(if: Fixtures.available), arguments: ["kinds.pt", "kinds-legacy.pt", "checkpoint.pt"])
    func referenceKindsAreEqual(file: String) throws {
        let checkpoint = try Checkpoint.open(Fixtures.model("pickle").appending(path: file).path)
        let golden = try Checkpoint.open(Fixtures.model("pickle").appending(path: "golden.safetensors").path)
        #expect(Set(checkpoint.names) == Set(golden.names))
        for name in golden.names {
            #expect(try checkpoint.entry(name).shape == golden.entry(name).shape, "\(name)")
            #expect(try checkpoint.floats(name) == golden.floats(name), "\(name)")
        }
        let formats: [String: ElementFormat] = [
            "float64": .f64, "bfloat16": .bf16, "float16": .f16, "int64": .i64, "int8": .i8, "bool": .bool,
        ]
        for (name, format) in formats { #expect(try checkpoint.entry(name).format == format) }
    }

    @Test(.enabled(if: Fixtures.available)) func theReferenceCallIsRefused() {
        #expect { try Checkpoint.open(Fixtures.model("pickle").appending(path: "refuse.pt").path) } throws: {
            "\($0)".contains("posix.getcwd") && "\($0)".contains("refused")
        }
    }

    @Test(.enabled(if: Fixtures.available)) func openAIWhisperIsRead() throws {
        let checkpoint = try Checkpoint.open(Fixtures.model("openai-whisper").appending(path: "tiny.pt").path)
        try WhisperCppTests.expectWhisper80(checkpoint) { Float(Float16($0)) }
        #expect(try #require(checkpoint.whisper).tokens == nil)
    }

    // MARK: Files written here

    static let small = TorchBytes(
        storages: [
            TorchBytes.Storage(floats: (0..<12).map(Float.init)), .init("HalfStorage", count: 2, [0, 0x3c, 0, 0xc0]),
        ],
        tensors: [
            .init(name: "whole", shape: [3, 4], strides: [4, 1]),
            .init(name: "transposed", shape: [4, 3], strides: [1, 4]),
            .init(name: "columns", offset: 1, shape: [3, 2], strides: [4, 2]),
            .init(name: "row", offset: 4, shape: [1, 4], strides: [99, 1]),
            .init(name: "tied", shape: [3, 4], strides: [4, 1]),
            .init(name: "half", storage: 1, shape: [2], strides: [1], isParameter: true),
            .init(name: "scalar", offset: 7, shape: [], strides: []),
            .init(name: "empty", shape: [0, 4], strides: [4, 1]),
            .init(name: "repeated", offset: 2, shape: [2, 2], strides: [0, 1]),
        ])

    private func check(_ checkpoint: Checkpoint) throws {
        #expect(checkpoint.names == small.tensors.map(\.name).filter { $0 != "tied" })
        #expect(checkpoint.aliases == ["tied": "whole"])
        #expect(try checkpoint.floats("tied") == (0..<12).map(Float.init))
        #expect(try checkpoint.floats("transposed") == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
        #expect(try checkpoint.floats("columns") == [1, 3, 5, 7, 9, 11])
        #expect(try checkpoint.entry("columns").extent.count == 11 * 4)
        #expect(try checkpoint.floats("row") == [4, 5, 6, 7])
        #expect(try checkpoint.entry("row").strides == nil)
        #expect(try checkpoint.entry("half").format == .f16)
        #expect(try checkpoint.floats("half") == [1, -2])
        #expect(try checkpoint.floats("scalar") == [7])
        #expect(try checkpoint.floats("empty") == [])
        #expect(try checkpoint.floats("repeated") == [2, 3, 2, 3])
    }

    private var small: TorchBytes { Self.small }

    @Test func zipFilesAreRead() throws {
        _ = try folder.write(small.zip, to: "pytorch_model.bin")
        try check(try Checkpoint.open(folder.url.path))
    }

    @Test func legacyFilesAreRead() throws { try check(try Checkpoint.open(folder.write(small.legacy, to: "m.pt"))) }

    @Test(arguments: ["state_dict", "model_state_dict"]) func nestedDictionariesAreFound(key: String) throws {
        var file = small
        file.nesting = [key]
        try check(try Checkpoint.open(folder.write(file.zip, to: "m.pt")))
        try check(try Checkpoint.open(folder.write(file.legacy, to: "m.pt")))
    }

    @Test func zip64IsRead() throws {
        let storage = TorchBytes.Storage(floats: [1, 2])
        let file = TorchBytes(storages: [storage], tensors: [.init(name: "a", shape: [2], strides: [1])])
        let plain = file.zip
        // The pickle is the first entry, at the first multiple of 64.
        let pickle = Array(plain[64...].prefix { _ in true })
        let end = try #require(pickle.firstRange(of: Array("PK\u{3}\u{4}".utf8)))
        let entries = [("m/data.pkl", Array(pickle[..<end.lowerBound])), ("m/data/0", storage.bytes)]
        let checkpoint = try Checkpoint.open(folder.write(TorchBytes.zip(entries, isZIP64: true), to: "m.pt"))
        #expect(try checkpoint.floats("a") == [1, 2])
    }

    @Test func discardedPagesStayReadable() throws {
        let checkpoint = try Checkpoint.open(folder.write(small.zip, to: "m.pt"))
        for name in checkpoint.names {
            checkpoint.prefetchPages(of: try checkpoint.entry(name))
            checkpoint.discardPages(of: try checkpoint.entry(name))
        }
        try check(checkpoint)
    }

    @Test func otherElementTypesAreNamed() throws {
        let file = TorchBytes(
            storages: [.init("ComplexFloatStorage", count: 1, [UInt8](repeating: 0, count: 8))],
            tensors: [.init(name: "a", shape: [1], strides: [1])])
        let checkpoint = try Checkpoint.open(folder.write(file.zip, to: "m.pt"))
        #expect(checkpoint.unsupported == ["a": "complex64"])
        #expect { try checkpoint.entry("a") } throws: { "\($0)".contains("complex64") }
    }

    @Test func shardsAreRead() throws {
        _ = try folder.write(small.zip, to: "pytorch_model-1.bin")
        var other = small
        other.storages.removeLast()
        other.tensors = [.init(name: "other", shape: [12], strides: [1])]
        _ = try folder.write(other.legacy, to: "pytorch_model-2.bin")
        let index = #"{"tied":"pytorch_model-1.bin","columns":"pytorch_model-1.bin","other":"pytorch_model-2.bin"}"#
        _ = try folder.write(#"{"weight_map":\#(index)}"#, to: "pytorch_model.bin.index.json")
        let checkpoint = try Checkpoint.open(folder.url.path)
        #expect(checkpoint.format == .shardedPyTorch)
        #expect(Set(checkpoint.names) == ["tied", "columns", "other"])
        #expect(try checkpoint.floats("tied") == checkpoint.floats("other"))
    }

    @Test func severalFilesMustBeNamed() throws {
        _ = try folder.write(small.zip, to: "a.pt")
        _ = try folder.write(small.zip, to: "b.pt")
        #expect { try Checkpoint.open(folder.url.path) } throws: { "\($0)".contains("several PyTorch files") }
    }
}
