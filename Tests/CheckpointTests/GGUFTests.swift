import Checkpoint
import Foundation
import NumberFormats
import TestSupport
import Testing

/// Builds GGUF files by hand.
struct GGUFBytes {
    var magic = "GGUF"
    var version: UInt32 = 3
    var tensorCount: UInt64?
    var pairCount: UInt64?
    var pairs: [[UInt8]] = []
    var tensors: [[UInt8]] = []
    var data: [UInt8] = []

    static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] { SafetensorsBytes.little(value) }
    static func string(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }
    static func pair(_ key: String, type: UInt32, _ value: [UInt8]) -> [UInt8] { string(key) + little(type) + value }
    static func list(type: UInt32, count: UInt64, _ elements: [UInt8]) -> [UInt8] {
        little(type) + little(count) + elements
    }
    static func tensor(_ name: String, innermostFirst: [UInt64], type: UInt32, offset: UInt64) -> [UInt8] {
        string(name) + little(UInt32(innermostFirst.count)) + innermostFirst.flatMap { little($0) } + little(type)
            + little(offset)
    }

    var bytes: [UInt8] {
        var result = Array(magic.utf8) + Self.little(version)
        result += Self.little(tensorCount ?? UInt64(tensors.count)) + Self.little(pairCount ?? UInt64(pairs.count))
        for part in pairs + tensors { result += part }
        while result.count % 32 != 0 { result.append(0) }
        return result + data
    }
}

@Suite struct GGUFTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let small: GGUFBytes = {
        typealias B = GGUFBytes
        var file = GGUFBytes()
        file.pairs = [
            B.pair("general.architecture", type: 8, B.string("test")),
            B.pair("u8", type: 0, [200]), B.pair("i8", type: 1, [0xfe]),
            B.pair("u16", type: 2, B.little(UInt16(60000))), B.pair("i16", type: 3, B.little(Int16(-5))),
            B.pair("u32", type: 4, B.little(UInt32.max)), B.pair("i32", type: 5, B.little(Int32(-7))),
            B.pair("f32", type: 6, B.little(Float(1.5).bitPattern)), B.pair("bool", type: 7, [1]),
            B.pair("u64", type: 10, B.little(UInt64.max)), B.pair("i64", type: 11, B.little(Int64(-1) << 53)),
            B.pair("f64", type: 12, B.little(Double(0.1).bitPattern)),
            B.pair("ints", type: 9, B.list(type: 5, count: 2, B.little(Int32(1)) + B.little(Int32(-1)))),
            B.pair("floats", type: 9, B.list(type: 6, count: 1, B.little(Float(2).bitPattern))),
            B.pair("texts", type: 9, B.list(type: 8, count: 2, B.string("a") + B.string("é"))),
            B.pair("flags", type: 9, B.list(type: 7, count: 2, [0, 1])),
            B.pair("nested", type: 9, B.list(type: 9, count: 1, B.list(type: 0, count: 2, [3, 4]))),
            B.pair("broken text", type: 8, B.little(UInt64(1)) + [0xff]),
        ]
        file.tensors = [
            B.tensor("weight", innermostFirst: [3, 2], type: 0, offset: 0),
            B.tensor("quantized", innermostFirst: [32, 1], type: 8, offset: 32),
            B.tensor("exotic", innermostFirst: [256], type: 19, offset: 96),
        ]
        file.data = (0..<6).flatMap { B.little(Float($0).bitPattern) } + [UInt8](repeating: 0, count: 8)
        file.data += B.little(UInt16(0x3c00)) + (0..<32).map { UInt8($0) } + [UInt8](repeating: 0, count: 30 + 136)
        return file
    }()

    @Test func metadataOfEveryTypeAndTensors() throws {
        let path = try folder.write(Self.small.bytes, to: "model.gguf")
        let checkpoint = try Checkpoint.open(folder.url.path)
        #expect(checkpoint.format == .gguf)
        #expect(checkpoint.files == [path])
        let metadata = try #require(checkpoint.gguf)
        #expect(metadata.version == 3)
        #expect(try metadata.string("general.architecture") == "test")
        #expect(try metadata.int("u8") == 200 && metadata.int("i8") == -2)
        #expect(try metadata.int("u16") == 60000 && metadata.int("i16") == -5)
        #expect(try metadata.int("u32") == 4_294_967_295 && metadata.int("i32") == -7)
        #expect(metadata["u64"] == .large(.max))
        #expect(try metadata.int("i64") == -1 << 53)
        #expect(try metadata.double("f32") == 1.5 && metadata.double("f64") == 0.1)
        #expect(try metadata.bool("bool", default: false))
        #expect(try metadata.ints("ints") == [1, -1] && metadata.ints("u8") == [200])
        #expect(try metadata.floats("floats") == [2])
        #expect(try metadata.strings("texts") == ["a", "é"])
        #expect(metadata["flags"] == .bools([false, true]))
        #expect(metadata["nested"] == .nested([.integers([3, 4])]))
        #expect(try metadata.string("broken text") == "\u{FFFD}")
        #expect { try metadata.int("f32") } throws: {
            "\($0)".contains("\"f32\" should be an integer, but is a number")
        }
        #expect { try metadata.int("absent") } throws: { "\($0)".contains("\"absent\" is missing") }

        #expect(try checkpoint.entry("weight").shape == [2, 3], "outermost first")
        #expect(try checkpoint.floats("weight") == [0, 1, 2, 3, 4, 5])
        #expect(try checkpoint.floats("quantized") == (0..<32).map { Float($0) })
        #expect(checkpoint.unsupported == ["exotic": "iq1_s"])
    }

    static let damages: [(complaint: String, file: GGUFBytes)] = {
        typealias B = GGUFBytes
        var cases: [(String, GGUFBytes)] = []
        func damage(_ complaint: String, _ change: (inout GGUFBytes) -> Void) {
            var file = small
            change(&file)
            cases.append((complaint, file))
        }
        damage("no known format") { $0.magic = "GGML" }
        damage("version 1") { $0.version = 1 }
        damage("big-endian") { $0.version = 0x0300_0000 }
        damage("promises 18446744073709551615 tensors") { $0.tensorCount = .max }
        damage("promises 18446744073709551615 metadata pairs") { $0.pairCount = .max }
        damage("promises 1099511627776 elements of \"x\"") {
            $0.pairs.append(B.pair("x", type: 9, B.list(type: 8, count: 1 << 40, [])))
        }
        damage("promises 9223372036854775808 bytes in a string") {
            $0.pairs.append(B.pair("x", type: 8, B.little(UInt64(1) << 63)))
        }
        damage("unknown type 99") { $0.pairs.append(B.pair("x", type: 99, [])) }
        damage("list of the unknown type 99") { $0.pairs.append(B.pair("x", type: 9, B.list(type: 99, count: 0, []))) }
        damage("nested more than") {
            $0.pairs.append(
                B.pair("x", type: 9, [UInt8]((0..<100).map { _ in B.list(type: 9, count: 1, []) }.joined())))
        }
        damage("occurs twice") { $0.pairs.append($0.pairs[0]) }
        damage("general.alignment is 3") { $0.pairs.append(B.pair("general.alignment", type: 4, B.little(UInt32(3)))) }
        damage("general.alignment is 0") { $0.pairs.append(B.pair("general.alignment", type: 4, B.little(UInt32(0)))) }
        damage("\"general.alignment\" should be an integer") {
            $0.pairs.append(B.pair("general.alignment", type: 8, B.string("x")))
        }
        damage("occurs twice") { $0.tensors.append($0.tensors[0]) }
        damage("5 dimensions") {
            $0.tensors.append(B.tensor("x", innermostFirst: [1, 1, 1, 1, 1], type: 0, offset: 0))
        }
        damage("impossible") { $0.tensors.append(B.tensor("x", innermostFirst: [1 << 62, 4], type: 0, offset: 0)) }
        damage("a dimension of 18446744073709551615") {
            $0.tensors.append(B.tensor("x", innermostFirst: [.max], type: 0, offset: 0))
        }
        damage("whole number of q8_0 blocks") {
            $0.tensors.append(B.tensor("x", innermostFirst: [16, 2], type: 8, offset: 0))
        }
        damage("multiple of the alignment") {
            $0.tensors.append(B.tensor("x", innermostFirst: [1], type: 0, offset: 4))
        }
        damage("lies over the bytes") { $0.tensors.append(B.tensor("x", innermostFirst: [1], type: 0, offset: 0)) }
        damage("tensor \"x\": the file ends too early") {
            $0.tensors.append(B.tensor("x", innermostFirst: [1], type: 0, offset: 1 << 20))
        }
        damage("tensor \"x\": the file ends too early") {
            $0.tensors.append(B.tensor("x", innermostFirst: [1], type: 0, offset: UInt64(Int.max) / 32 * 32))
        }
        return cases
    }()

    @Test(arguments: damages.indices) func damageIsRefused(index: Int) throws {
        let (complaint, file) = Self.damages[index]
        let path = try folder.write(file.bytes, to: "model.gguf")
        #expect { try Checkpoint.open(path) } throws: { error in
            error is CheckpointError && "\(error)".contains(complaint) && "\(error)".contains("model.gguf")
        }
    }

    @Test func severalFilesInAFolderAreAmbiguous() throws {
        _ = try folder.write(Self.small.bytes, to: "a.gguf")
        _ = try folder.write(Self.small.bytes, to: "b.gguf")
        #expect { try Checkpoint.open(folder.url.path) } throws: { "\($0)".contains("several GGUF files") }
    }

    /// The dequantized weights of the `llama` files are those of the safetensors model, as far as the format allows.
    @Test(
        .enabled(if: Fixtures.available),
        arguments: [
            ("llama-f32", Float(0)), ("llama-f16", 1e-3), ("llama-q8_0", 0.02), ("llama-q5_1", 0.08),
            ("llama-q5_0", 0.1),
            ("llama-q4_1", 0.15), ("llama-q4_0", 0.2),
        ])
    func fixturesHoldTheModel(name: String, bound: Float) throws {
        let original = try Checkpoint.open(Fixtures.model("llama").path)
        let converted = try Checkpoint.open(Fixtures.models.appending(path: "gguf/\(name).gguf").path)
        #expect(try converted.gguf?.string("general.architecture") == "llama")
        let pairs = [
            ("token_embd.weight", "model.embed_tokens.weight"),
            ("blk.0.ffn_down.weight", "model.layers.0.mlp.down_proj.weight"),
            ("blk.1.attn_v.weight", "model.layers.1.self_attn.v_proj.weight"),
            ("output_norm.weight", "model.norm.weight"),
        ]
        for (theirs, ours) in pairs {
            #expect(try converted.entry(theirs).shape == original.entry(ours).shape)
            let (a, b) = (try converted.floats(theirs), try original.floats(ours))
            let largest = b.reduce(0) { max($0, abs($1)) }
            let difference = zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
            #expect(difference <= bound * largest, "\(name) \(theirs): \(difference) of \(largest)")
        }
    }

    @Test(.enabled(if: Fixtures.available)) func everyFixtureOpens() throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Fixtures.models.appending(path: "gguf"), includingPropertiesForKeys: nil
        )
        .filter { $0.pathExtension == "gguf" }
        #expect(files.count >= 14)
        for file in files {
            let checkpoint = try Checkpoint.open(file.path)
            #expect(checkpoint.unsupported.isEmpty)
            for name in checkpoint.names {
                #expect(try checkpoint.floats(name).allSatisfy { $0.isFinite }, "\(file.lastPathComponent) \(name)")
            }
        }
    }

    @Test(.enabled(if: Fixtures.realModel("smollm2-135m-instruct") != nil)) func realSmolLM() throws {
        let url = try #require(Fixtures.realModel("smollm2-135m-instruct"))
        let checkpoint = try Checkpoint.open(url.path)
        #expect(checkpoint.unsupported.isEmpty)
        let metadata = try #require(checkpoint.gguf)
        #expect(try metadata.string("general.architecture") == "llama")
        #expect(try metadata.int("llama.block_count") == 30)
        #expect(try metadata.strings("tokenizer.ggml.tokens").count == 49152)
        #expect(try checkpoint.floats("blk.0.attn_q.weight").allSatisfy { $0.isFinite })
    }
}
