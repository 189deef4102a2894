import Checkpoint
import Foundation
import TestSupport
import Testing

/// Builds CTranslate2 files by hand.
struct CTranslate2Bytes {
    var version: UInt32 = 6
    var variables: [[UInt8]] = []
    var aliases: [(String, String)] = []
    var variableCount: UInt32?
    var aliasCount: UInt32?

    static func name(_ text: String) -> [UInt8] {
        SafetensorsBytes.little(UInt16(text.utf8.count + 1)) + Array(text.utf8) + [0]
    }

    static func variable(_ name: String, shape: [UInt32], type: UInt8, size: UInt32? = nil, bytes: [UInt8]) -> [UInt8] {
        Self.name(name) + [UInt8(shape.count)] + shape.flatMap { SafetensorsBytes.little($0) } + [type]
            + SafetensorsBytes.little(size ?? UInt32(bytes.count)) + bytes
    }

    var bytes: [UInt8] {
        var result = SafetensorsBytes.little(version) + Self.name("WhisperSpec") + SafetensorsBytes.little(UInt32(3))
        result += SafetensorsBytes.little(variableCount ?? UInt32(variables.count)) + variables.joined()
        result += SafetensorsBytes.little(aliasCount ?? UInt32(aliases.count))
        for (alias, target) in aliases { result += Self.name(alias) + Self.name(target) }
        return result
    }
}

@Suite struct CTranslate2Tests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let small = CTranslate2Bytes(
        variables: [
            CTranslate2Bytes.variable("num_heads", shape: [], type: 2, bytes: [8, 0]),
            CTranslate2Bytes.variable("weight", shape: [2, 1], type: 4, bytes: [0, 0x3c, 0, 0xc0]),
            CTranslate2Bytes.variable("bias", shape: [1], type: 0, bytes: [0, 0, 0x80, 0x3f]),
        ],
        aliases: [("tied", "again"), ("again", "weight")])

    @Test func variablesAndAliasesAreRead() throws {
        _ = try folder.write(Self.small.bytes, to: "model.bin")
        let checkpoint = try Checkpoint.open(folder.url.path)
        #expect(checkpoint.format == .cTranslate2)
        #expect(checkpoint.metadata == ["specification": "WhisperSpec", "revision": "3"])
        #expect(checkpoint.names == ["num_heads", "weight", "bias"])
        #expect(try checkpoint.integers("num_heads") == [8])
        #expect(try checkpoint.floats("weight") == [1, -2])
        #expect(try checkpoint.floats("bias") == [1])
        #expect(checkpoint.contains("tied"))
        #expect(try checkpoint.entry("tied").name == "weight")
        #expect(try checkpoint.floats("tied") == [1, -2])
    }

    static let damages: [(complaint: String, file: CTranslate2Bytes)] = {
        var cases: [(String, CTranslate2Bytes)] = []
        func damage(_ complaint: String, _ change: (inout CTranslate2Bytes) -> Void) {
            var file = small
            change(&file)
            cases.append((complaint, file))
        }
        damage("version 5") { $0.version = 5 }
        damage("promises 4294967295 variables") { $0.variableCount = .max }
        damage("promises 4294967295 aliases") { $0.aliasCount = .max }
        damage("leads to no variable") { $0.aliases = [("a", "absent")] }
        damage("leads to no variable") { $0.aliases = [("a", "b"), ("b", "a")] }
        damage("has the name of another tensor") { $0.aliases = [("bias", "weight")] }
        damage("occurs twice") { $0.variables.append($0.variables[2]) }
        damage("unknown element type 9") {
            $0.variables.append(CTranslate2Bytes.variable("x", shape: [1], type: 9, bytes: [0, 0]))
        }
        damage("tensor \"x\": 3 bytes are given") {
            $0.variables.append(CTranslate2Bytes.variable("x", shape: [1], type: 0, bytes: [0, 0, 0]))
        }
        damage("impossible") {
            $0.variables.append(CTranslate2Bytes.variable("x", shape: [.max, .max, .max], type: 0, bytes: []))
        }
        damage("tensor \"x\": the file ends too early") {
            $0.variables.append(CTranslate2Bytes.variable("x", shape: [1000], type: 1, size: 1000, bytes: []))
        }
        return cases
    }()

    @Test(arguments: damages.indices) func damageIsRefused(index: Int) throws {
        let (complaint, file) = Self.damages[index]
        _ = try folder.write(file.bytes, to: "model.bin")
        #expect { try Checkpoint.open(folder.url.path) } throws: { error in
            "\(error)".contains(complaint) && "\(error)".contains("model.bin")
        }
    }

    @Test func everyTruncationIsRefused() throws {
        let bytes = Self.small.bytes
        for length in 0..<bytes.count {
            let path = try folder.write(bytes.prefix(length), to: "model.bin")
            #expect(throws: CheckpointError.self, "\(length) bytes") { try Checkpoint.open(path) }
        }
    }

    @Test func trailingBytesAreRefused() throws {
        let path = try folder.write(Self.small.bytes + [0], to: "model.bin")
        #expect { try Checkpoint.open(path) } throws: { "\($0)".contains("1 bytes follow") }
    }

    @Test(.enabled(if: Fixtures.realModel("whisper-tiny.en") != nil)) func realWhisperTiny() throws {
        let url = try #require(Fixtures.realModel("whisper-tiny.en"))
        let checkpoint = try Checkpoint.open(url.path)
        #expect(checkpoint.format == .cTranslate2)
        #expect(checkpoint.names.count == 148)
        let embeddings = try checkpoint.entry("decoder/embeddings/weight", shape: [51864, 384])
        #expect(embeddings.format == .f16)
        #expect(try checkpoint.entry("decoder/projection/weight") == embeddings)
        #expect(try checkpoint.integers("encoder/num_heads") == [6])
        let gamma = try checkpoint.floats("encoder/layer_norm/gamma")
        #expect(gamma.count == 384)
        #expect(gamma.allSatisfy { $0.isFinite })
    }
}
