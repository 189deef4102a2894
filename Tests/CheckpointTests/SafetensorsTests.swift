import Checkpoint
import Foundation
import TestSupport
import Testing

@Suite struct SafetensorsTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func writtenTensorsAreReadBack() throws {
        let path = folder.path("model.safetensors")
        let writer = try SafetensorsWriter(path: path, metadata: ["made by": "a \"test\"\n"])
        try [Int32(1), -2, 3].withUnsafeBytes {
            try writer.add("odd \"name\" é", shape: [3], format: .i32, bytes: $0)
        }
        try writer.add("a.weight", shape: [2, 3], floats: [1, -2.5, 0, .infinity, 4, 5])
        try writer.add("ids", shape: [2], integers: [Int.max, -1])
        try writer.add("scalar", shape: [], floats: [7])
        try writer.add("empty", shape: [0, 4], floats: [])
        try [UInt8]([0, 0x3c, 0, 0xbc]).withUnsafeBytes {
            try writer.add("halves", shape: [2], format: .f16, bytes: $0)
        }
        #expect(!FileManager.default.fileExists(atPath: path), "the file appears only when it is complete")
        try writer.finish()

        let checkpoint = try Checkpoint.open(folder.url.path)
        #expect(checkpoint.format == .safetensors)
        #expect(Set(checkpoint.names) == ["odd \"name\" é", "a.weight", "ids", "scalar", "empty", "halves"])
        #expect(checkpoint.metadata == ["made by": "a \"test\"\n"])
        #expect(try checkpoint.floats("a.weight") == [1, -2.5, 0, .infinity, 4, 5])
        #expect(try checkpoint.entry("a.weight").shape == [2, 3])
        #expect(try checkpoint.integers("ids") == [Int.max, -1])
        #expect(try checkpoint.integers("odd \"name\" é") == [1, -2, 3])
        #expect(try checkpoint.floats("scalar") == [7])
        #expect(try checkpoint.floats("empty") == [])
        #expect(try checkpoint.floats("halves") == [1, -1])
        for name in checkpoint.names {
            let entry = try checkpoint.entry(name)
            #expect(entry.location.offset % entry.format.bytesPerBlock == 0, "\(name) is not aligned")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["model.safetensors"])
    }

    @Test func anUnfinishedWriterLeavesNothing() throws {
        do {
            let writer = try SafetensorsWriter(path: folder.path("x.safetensors"))
            try writer.add("a", shape: [1], floats: [1])
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    }

    @Test func aWriterRefusesANameTwiceAndAnAbsentFolder() throws {
        let writer = try SafetensorsWriter(path: folder.path("x.safetensors"))
        try writer.add("a", shape: [1], floats: [1])
        #expect(throws: CheckpointError.self) { try writer.add("a", shape: [1], floats: [1]) }
        #expect { try SafetensorsWriter(path: folder.path("absent/x.safetensors")) } throws: { error in
            "\(error)".contains("cannot write") && "\(error)".contains("No such file")
        }
    }

    @Test("null metadata and dtypes of newer writers, as the reference implementation opens them")
    func newerFiles() throws {
        let path = try folder.write(
            SafetensorsBytes.file(
                header: """
                    {"__metadata__":null,"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},\
                    "s":{"dtype":"F8_E4M3FNUZ","shape":[4],"data_offsets":[4,8]},\
                    "n":{"dtype":"F33","shape":[3],"data_offsets":[8,13]}}
                    """, data: [UInt8](repeating: 0, count: 13)), to: "model.safetensors")
        let checkpoint = try Checkpoint.open(path)
        #expect(checkpoint.metadata.isEmpty && checkpoint.names == ["a"])
        #expect(checkpoint.unsupported == ["s": "F8_E4M3FNUZ", "n": "F33"])
        #expect { try checkpoint.entry("n") } throws: { "\($0)".contains("stored as F33") }
    }

    /// Header text, data size, and what the complaint must say.
    static let malformed: [(header: String, data: Int, complaint: String)] = [
        ("", 0, "not JSON"),
        ("{", 0, "not JSON"),
        ("[]", 0, "a list, not an object"),
        (#"{"a":1}"#, 0, "an integer, not an object"),
        (#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#, 4, "dtype is missing"),
        (#"{"a":{"dtype":"F32","shape":"x","data_offsets":[0,4]}}"#, 4, "shape"),
        (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "impossible"),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0, "impossible"),
        (#"{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}"#, 0, "0 bytes are given"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "rising pair"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, 4, "rising pair"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4, "rising pair"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "4 bytes are given for shape [2]"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 4, "ends too early"),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[9223372036854775803,9223372036854775807]}}"#, 4,
            "ends too early"
        ),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
            4, "ends at 4"
        ),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "ends at 0"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 6, "2 bytes after the last tensor"),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
            4, "twice"
        ),
        (#"{"__metadata__":{"k":1}}"#, 0, "__metadata__"),
        (#"{"__metadata__":[]}"#, 0, "__metadata__"),
    ]

    @Test(arguments: malformed) func malformedHeadersAreRefused(header: String, data: Int, complaint: String) throws {
        let path = try folder.write(
            SafetensorsBytes.file(header: header, data: .init(repeating: 0, count: data)), to: "model.safetensors")
        #expect { try Checkpoint.open(path) } throws: { error in
            let text = "\(error)"
            return error is CheckpointError && text.contains(complaint) && text.contains("model.safetensors")
        }
    }

    @Test(arguments: [UInt64.max, 1 << 62, 100_000_001, 4096]) func absurdHeaderLengthsAreRefused(length: UInt64) throws
    {
        let path = try folder.write(SafetensorsBytes.file(header: "{}", length: length), to: "model.safetensors")
        #expect(throws: CheckpointError.self) { try Checkpoint.open(path) }
    }

    @Test func errorsNameTheTensor() throws {
        let header = #"{"layer.0":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#
        let path = try folder.write(SafetensorsBytes.file(header: header, data: [0, 0, 0, 0]), to: "model.safetensors")
        #expect {
            try Checkpoint.open(path)
        } throws: { error in
            "\(error)".contains("tensor \"layer.0\"") && "\(error)".contains("fetch the file again")
        }
    }

    @Test func deeplyNestedHeadersAreRefused() throws {
        let header = String(repeating: "[", count: 1_000_000)
        let path = try folder.write(SafetensorsBytes.file(header: header), to: "model.safetensors")
        #expect { try Checkpoint.open(path) } throws: { "\($0)".contains("nested") }
    }

    @Test func undecodableTypesAreListedNotFatal() throws {
        let header =
            #"{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}}"#
        let path = try folder.write(
            SafetensorsBytes.file(header: header, data: [0, 0, 0, 0, 9]), to: "model.safetensors")
        let checkpoint = try Checkpoint.open(path)
        #expect(checkpoint.names == ["b"])
        #expect(checkpoint.unsupported == ["a": "F8_E4M3"])
        #expect(try checkpoint.integers("b") == [9])
        #expect { try checkpoint.floats("a") } throws: { "\($0)".contains("F8_E4M3") }
    }

    @Test func lookupErrorsHelp() throws {
        let path = folder.path("model.safetensors")
        let writer = try SafetensorsWriter(path: path)
        try writer.add("encoder.layer.0.weight", shape: [2, 1], floats: [1, 2])
        try writer.finish()
        let checkpoint = try Checkpoint.open(path)
        #expect { try checkpoint.entry("decoder.layer.0.weight") } throws: {
            "\($0)".contains("encoder.layer.0.weight")
        }
        #expect { try checkpoint.entry("encoder.layer.0.weight", shape: [1, 2]) } throws: { "\($0)".contains("[2, 1]") }
        #expect { try checkpoint.integers("encoder.layer.0.weight") } throws: { "\($0)".contains("f32") }
    }

    @Test func releasedCheckpointsRefuseBytes() throws {
        let path = folder.path("model.safetensors")
        let writer = try SafetensorsWriter(path: path)
        try writer.add("a", shape: [2048], floats: .init(repeating: 1.5, count: 2048))
        try writer.finish()
        let checkpoint = try Checkpoint.open(path)
        checkpoint.discardPages(of: try checkpoint.entry("a"))
        #expect(try checkpoint.floats("a").allSatisfy { $0 == 1.5 })
        // A read under way keeps its bytes.
        try checkpoint.withBytes(of: "a") { bytes in
            checkpoint.release()
            #expect(bytes.loadUnaligned(fromByteOffset: 8188, as: Float.self) == 1.5)
        }
        #expect { try checkpoint.floats("a") } throws: { "\($0)".contains("released") }
        #expect(checkpoint.contains("a"))
    }

    @Test(.enabled(if: Fixtures.available)) func halfPrecisionFixturesAgreeWithSinglePrecision() throws {
        let full = try Checkpoint.open(Fixtures.model("t5").path)
        for (name, relative) in [("t5-f16", Float(0x1p-10)), ("t5-bf16", Float(0x1p-7))] {
            let half = try Checkpoint.open(Fixtures.model(name).path)
            #expect(Set(half.names) == Set(full.names))
            for tensor in full.names {
                let (a, b) = (try full.floats(tensor), try half.floats(tensor))
                #expect(zip(a, b).allSatisfy { abs($0 - $1) <= relative * abs($0) + 1e-7 }, "\(name) \(tensor)")
            }
        }
    }
}
