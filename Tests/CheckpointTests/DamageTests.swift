import Checkpoint
import Foundation
import TestSupport
import Testing

/// Random damage to files of each format: opening may fail, with a typed error, or succeed, in which case every tensor
/// can be read. Nothing else.
@Suite struct DamageTests {
    /// A generator with a fixed seed (SplitMix64), so that a failure can be repeated.
    struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    static let safetensors: [UInt8] = SafetensorsBytes.file(
        header:
            #"{"__metadata__":{"k":"v"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"I64","shape":[2],"data_offsets":[24,40]},"c":{"dtype":"F16","shape":[],"data_offsets":[40,42]}}"#,
        data: [UInt8](repeating: 0x3d, count: 42))

    static let files: [(name: String, bytes: [UInt8])] = [
        ("damaged.safetensors", safetensors), ("damaged.gguf", GGUFTests.small.bytes),
        ("damaged.bin", CTranslate2Tests.small.bytes),
        ("damaged.pt", PyTorchTests.small.zip), ("damaged-legacy.pt", PyTorchTests.small.legacy),
        ("ggml-damaged.bin", WhisperCppBytes().bytes),
    ]

    @Test(arguments: files.indices) func damagedFilesNeverCrash(index: Int) throws {
        let folder = try TemporaryFolder()
        let (name, original) = Self.files[index]
        var generator = Generator(state: UInt64(index) + 1)
        #expect(readAll(try folder.write(original, to: name)), "the undamaged file opens")
        var refused = 0
        let rounds = 800
        for round in 0..<rounds {
            var bytes = original
            if round % 4 == 0 { bytes.removeLast(Int.random(in: 1...bytes.count, using: &generator)) }
            // Most damage goes to the header, where it matters.
            let reach = round % 2 == 0 ? bytes.count : min(bytes.count, 64)
            for _ in 0..<Int.random(in: round % 4 == 0 ? 0...2 : 1...6, using: &generator) where reach > 0 {
                let position = Int.random(in: 0..<reach, using: &generator)
                let extremes: [UInt8] = [0, 0xff, 0x7f, 0x80]
                bytes[position] =
                    Bool.random(using: &generator)
                    ? bytes[position] ^ (1 << UInt8.random(in: 0..<8, using: &generator))
                    : extremes[Int.random(in: 0..<4, using: &generator)]
            }
            if !readAll(try folder.write(bytes, to: name)) { refused += 1 }
        }
        #expect(refused > rounds / 4, "damage is noticed: \(refused) of \(rounds)")
    }

    @Test func damagedIndexesNeverCrash() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write(Self.safetensors, to: "m.safetensors")
        let index = Array(#"{"weight_map":{"a.weight":"m.safetensors","b":"m.safetensors"}}"#.utf8)
        var generator = Generator(state: 77)
        #expect(readAll(try folder.write(index, to: "model.safetensors.index.json")), "the undamaged index opens")
        var refused = 0
        let rounds = 800
        for _ in 0..<rounds {
            var bytes = index
            for _ in 0..<2 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if !readAll(try folder.write(bytes, to: "model.safetensors.index.json")) { refused += 1 }
        }
        // Two random bytes leave the JSON or a name of the 63 intact only by chance.
        #expect(refused > rounds * 3 / 4, "damage is noticed: \(refused) of \(rounds)")
    }

    /// Opens a file and reads every tensor; false when it was refused with a `CheckpointError`.
    private func readAll(_ path: String) -> Bool {
        do {
            let checkpoint = try Checkpoint.open(path)
            for name in checkpoint.names {
                let entry = try checkpoint.entry(name)
                let values = try checkpoint.floats(name)
                #expect(values.count == entry.elementCount)
            }
            return true
        } catch is CheckpointError {
            return false
        } catch {
            Issue.record("an error that is no CheckpointError: \(error)")
            return false
        }
    }
}
