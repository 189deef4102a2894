import Foundation
import TestSupport
import Testing

@testable import Checkpoint

@Suite struct GGUFSplitTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// One part with a tensor of one element.
    static func part(_ number: UInt16, of count: UInt16, tensor: String, total: Int32 = 2) -> GGUFBytes {
        typealias B = GGUFBytes
        var file = GGUFBytes()
        if number == 0 { file.pairs.append(B.pair("general.architecture", type: 8, B.string("test"))) }
        file.pairs += [
            B.pair("split.no", type: 2, B.little(number)), B.pair("split.count", type: 2, B.little(count)),
            B.pair("split.tensors.count", type: 5, B.little(total)),
        ]
        file.tensors = [B.tensor(tensor, innermostFirst: [1], type: 0, offset: 0)]
        file.data = B.little(Float(number).bitPattern) + [UInt8](repeating: 0, count: 28)
        return file
    }

    @Test func allPartsOpenFromEachPartAndFromTheFolder() throws {
        let files = try (0..<2).map {
            try folder.write(
                Self.part($0, of: 2, tensor: "t\($0)").bytes, to: "m-0000\($0 + 1)-of-00002.gguf")
        }
        _ = try folder.write("no model", to: "mmproj-m.gguf")
        for path in files + [folder.url.path] {
            let checkpoint = try Checkpoint.open(path)
            #expect(checkpoint.files == files)
            #expect(checkpoint.names == ["t0", "t1"])
            #expect(try checkpoint.floats("t1") == [1])
            #expect(try checkpoint.gguf?.string("general.architecture") == "test")
        }
    }

    /// Name of the second part, its content, and what the error says; the first part is right.
    static let damages: [(name: String, file: GGUFBytes, complaint: String)] = [
        ("m-00003-of-00002.gguf", part(1, of: 2, tensor: "t1"), "part 2 of 2 is missing"),
        ("m-00002-of-00002.gguf", part(0, of: 2, tensor: "t1"), "do not say that it is part 1 of 2"),
        ("m-00002-of-00002.gguf", part(1, of: 3, tensor: "t1"), "do not say that it is part 1 of 2"),
        ("m-00002-of-00002.gguf", part(1, of: 2, tensor: "t0"), "in an earlier part too"),
        ("m-00002-of-00002.gguf", part(1, of: 2, tensor: "t1", total: 9), ""),
    ]

    @Test(arguments: damages.indices) func damagedPartsAreRefused(index: Int) throws {
        let (name, file, complaint) = Self.damages[index]
        let first = try folder.write(
            Self.part(0, of: 2, tensor: "t0", total: complaint.isEmpty ? 9 : 2).bytes, to: "m-00001-of-00002.gguf")
        _ = try folder.write(file.bytes, to: name)
        let expected = complaint.isEmpty ? "2 tensors, but split.tensors.count is 9" : complaint
        #expect { try Checkpoint.open(first) } throws: { $0 is CheckpointError && "\($0)".contains(expected) }
    }

    @Test(arguments: [UInt16(0), 1025, 65535]) func absurdCountsAreRefused(count: UInt16) throws {
        let path = try folder.write(Self.part(0, of: count, tensor: "t").bytes, to: "m-00001-of-65535.gguf")
        #expect { try Checkpoint.open(path) } throws: { "\($0)".contains("split.count is \(count)") }
    }

    @Test(arguments: [
        "m.gguf", "m-1-of-2.gguf", "m-00000-of-00002.gguf", "m-00003-of-00002.gguf", "m-00001-of-00003.gguf",
    ])
    func aPartWithoutNumbersInItsNameIsRefused(name: String) throws {
        let path = try folder.write(Self.part(0, of: 2, tensor: "t").bytes, to: name)
        #expect { try Checkpoint.open(path) } throws: { "\($0)".contains("by which the other parts are found") }
    }

    @Test func truncatedPartsAreRefused() throws {
        let first = try folder.write(Self.part(0, of: 2, tensor: "t0").bytes, to: "m-00001-of-00002.gguf")
        let bytes = Self.part(1, of: 2, tensor: "t1").bytes
        for length in stride(from: 0, to: bytes.count - 28, by: 64) {
            _ = try folder.write(bytes.prefix(length), to: "m-00002-of-00002.gguf")
            #expect(throws: CheckpointError.self) { try Checkpoint.open(first) }
        }
    }

    @Test(.needsLargeFixtures) func splitFixtureHoldsTheModel() throws {
        let whole = try Checkpoint.open(Fixtures.models.appending(path: "gguf/llama-f32.gguf").path)
        let split = Fixtures.models.appending(path: "gguf/llama-sharded")
        for name in ["", "llama-f32-00001-of-00003.gguf", "llama-f32-00003-of-00003.gguf"] {
            let checkpoint = try Checkpoint.open(split.appending(path: name).path)
            #expect(checkpoint.files.count == 3)
            #expect(Set(checkpoint.names) == Set(whole.names))
            for name in whole.names { #expect(try checkpoint.floats(name) == whole.floats(name), "\(name)") }
            #expect(
                checkpoint.gguf?.values.filter { !$0.key.hasPrefix("split.") } == whole.gguf?.values)
        }
    }
}
