import Checkpoint
import Foundation
import NumberFormats
import TestSupport
import Testing

/// Builds files of whisper.cpp by hand.
struct WhisperCppBytes {
    var magic = "lmgg"
    /// n_vocab, n_audio_ctx, _state, _head, _layer, n_text_ctx, _state, _head, _layer, n_mels, ftype.
    var sizes: [Int32] = [3, 2, 4, 2, 1, 2, 4, 2, 1, 1, 0]
    var filters: (rows: Int32, columns: Int32) = (1, 201)
    var tokens: [[UInt8]] = [Array("a".utf8), [], [0xff, 0xfe]]
    var tokenCount: Int32?
    var tensors = (0..<50).map { tensor("t\($0)", innermostFirst: [2, 1], bytes: Array(0..<8)) }

    static func tensor(_ name: String, innermostFirst: [Int32], type: Int32 = 0, bytes: [UInt8]) -> [UInt8] {
        let numbers = [Int32(innermostFirst.count), Int32(name.utf8.count), type] + innermostFirst
        return numbers.flatMap { SafetensorsBytes.little($0) } + Array(name.utf8) + bytes
    }

    var bytes: [UInt8] {
        func little(_ numbers: [Int32]) -> [UInt8] { numbers.flatMap { SafetensorsBytes.little($0) } }
        var result = Array(magic.utf8) + little(sizes) + little([filters.rows, filters.columns])
        result += (0..<201).flatMap { SafetensorsBytes.little(Float($0).bitPattern) }
        result += little([tokenCount ?? Int32(tokens.count)])
        for token in tokens { result += little([Int32(token.count)]) + token }
        return result + tensors.joined()
    }
}

/// The Whisper files of whisper.cpp.
@Suite struct WhisperCppTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Compares a file in OpenAI's layout with whisper-80, whose elements pass through `rounding`.
    static func expectWhisper80(_ checkpoint: Checkpoint, rounding: (Float) -> Float) throws {
        let reference = try Checkpoint.open(Fixtures.model("whisper-80").path)
        let names = reference.names.filter { $0.hasPrefix("model.") }
        #expect(checkpoint.names.count == names.count)
        for name in names {
            let own = openAIName(name)
            let shape = try reference.entry(name).shape
            #expect(try checkpoint.entry(own).shape.filter { $0 != 1 } == shape.filter { $0 != 1 }, "\(own)")
            #expect(try checkpoint.floats(own) == reference.floats(name).map(rounding), "\(own)")
        }
        let dimensions = try #require(checkpoint.whisper).dimensions
        #expect(dimensions.mels == 80)
        #expect(dimensions.vocabulary == 1929)
        #expect(dimensions.audioPositions == 1500)
        #expect(dimensions.textPositions == 448)
        #expect(dimensions.audioWidth == 36)
        #expect(dimensions.textWidth == 36)
    }

    /// The name of a transformers tensor in OpenAI's files.
    private static func openAIName(_ name: String) -> String {
        let pairs = [
            ("model.", ""), ("embed_positions.weight", "positional_embedding"), ("embed_tokens.", "token_embedding."),
            ("encoder.layer_norm.", "encoder.ln_post."), ("decoder.layer_norm.", "decoder.ln."),
            (".layers.", ".blocks."), (".self_attn_layer_norm.", ".attn_ln."),
            (".encoder_attn_layer_norm.", ".cross_attn_ln."), (".final_layer_norm.", ".mlp_ln."), (".fc1.", ".mlp.0."),
            (".fc2.", ".mlp.2."), (".self_attn.", ".attn."), (".encoder_attn.", ".cross_attn."), ("q_proj", "query"),
            ("k_proj", "key"), ("v_proj", "value"), ("out_proj", "out"),
        ]
        return pairs.reduce(name) { $0.replacing($1.0, with: $1.1) }
    }

    private static func reference(_ name: String) -> String {
        Fixtures.model("ggml-whisper").appending(path: name).path
    }

    @Test(.enabled(if: Fixtures.available)) func theReferenceFileIsRead() throws {
        let checkpoint = try Checkpoint.open(Self.reference("ggml-tiny-random.bin"))
        #expect(checkpoint.format == .whisperCpp)
        try Self.expectWhisper80(checkpoint) { $0 }
        let header = try #require(checkpoint.whisper)
        #expect(header.melFilters?.count == 80 * 201)
        #expect(header.tokens?.count == 321)
    }

    @Test(.enabled(if: Fixtures.available)) func quantizedFilesAreRead() throws {
        let fine = try Checkpoint.open(Self.reference("ggml-tiny32-q8_0.bin"))
        let coarse = try Checkpoint.open(Self.reference("ggml-tiny32-q5_0.bin"))
        #expect(fine.names == coarse.names)
        let query = "decoder.blocks.0.cross_attn.query.weight"
        #expect(try fine.entry(query).format == .q8_0)
        #expect(try coarse.entry(query).format == .q5_0)
        #expect(try coarse.entry("encoder.conv1.weight").format == .f16)
        #expect(try coarse.entry("encoder.positional_embedding").format == .f32)
        for name in fine.names {
            let (a, b) = (try fine.floats(name), try coarse.floats(name))
            // A step of q5_0 is a sixteenth of the largest element of its block.
            let largest = a.reduce(0) { max($0, abs($1)) }
            #expect(zip(a, b).allSatisfy { abs($0 - $1) <= largest / 16 }, "\(name)")
        }
    }

    @Test func smallFilesAreRead() throws {
        _ = try folder.write(WhisperCppBytes().bytes, to: "ggml-small.bin")
        let checkpoint = try Checkpoint.open(folder.url.path)
        #expect(checkpoint.names == (0..<50).map { "t\($0)" })
        #expect(try checkpoint.entry("t7").shape == [1, 2])
        #expect(try checkpoint.withBytes(of: "t7") { $0.elementsEqual(0..<8) })
        let header = try #require(checkpoint.whisper)
        #expect(header.tokens == WhisperCppBytes().tokens)
        #expect(header.melFilters == (0..<201).map(Float.init))
        #expect(header.dimensions.audioWidth == 4)
        #expect(header.dimensions.textLayers == 1)
    }

    @Test func sileroFilesAreRefusedByName() throws {
        let bytes = Array("lmgg".utf8) + SafetensorsBytes.little(UInt32(10)) + Array("silero-16k".utf8)
        let path = try folder.write(bytes + [UInt8](repeating: 0, count: 200), to: "ggml-silero-v5.1.2.bin")
        #expect { try Checkpoint.open(path) } throws: { "\($0)".contains("Silero") }
        #expect { try Checkpoint.open(folder.url.path) } throws: { $0 is CheckpointError }
    }

    static let damages: [(complaint: String, change: @Sendable (inout WhisperCppBytes) -> Void)] = [
        ("n_vocab is -1", { $0.sizes[0] = -1 }), ("n_vocab is 2147483647", { $0.sizes[0] = .max }),
        ("n_audio_layer is 0", { $0.sizes[4] = 0 }), ("n_mels is 5000", { $0.sizes[9] = 5000 }),
        ("mel filters of 2147483647 × 201", { $0.filters.rows = .max }), ("mel filters", { $0.filters.columns = -1 }),
        ("4 tokens in a vocabulary of 3", { $0.tokenCount = 4 }), ("-1 tokens", { $0.tokenCount = -1 }),
        ("the file ends too early", { $0.tensors[49] = Array($0.tensors[49].dropLast()) }),
        ("49 tensors, expected 50", { $0.tensors.removeLast() }), ("occurs twice", { $0.tensors[49] = $0.tensors[3] }),
        ("20 bytes follow", { $0.tensors.append([UInt8](repeating: 0, count: 20)) }),
        (
            "tensor \"x\": the file ends too early",
            { $0.tensors[49] = WhisperCppBytes.tensor("x", innermostFirst: [1 << 30, 1 << 10], bytes: []) }
        ),
        (
            "impossible",
            { $0.tensors[49] = WhisperCppBytes.tensor("x", innermostFirst: [.max, .max, .max], bytes: []) }
        ),
        ("impossible", { $0.tensors[49] = WhisperCppBytes.tensor("x", innermostFirst: [-4], bytes: []) }),
        ("ggml type 99", { $0.tensors[49] = WhisperCppBytes.tensor("x", innermostFirst: [1], type: 99, bytes: []) }),
        (
            "not a whole number of q8_0",
            { $0.tensors[49] = WhisperCppBytes.tensor("x", innermostFirst: [7], type: 8, bytes: []) }
        ),
        ("5 dimensions", { $0.tensors[49] = WhisperCppBytes.tensor("x", innermostFirst: [1, 1, 1, 1, 1], bytes: []) }),
        ("a name of 0 bytes", { $0.tensors[49] = WhisperCppBytes.tensor("", innermostFirst: [1], bytes: []) }),
    ]

    @Test(arguments: damages.indices) func damageIsRefused(index: Int) throws {
        var file = WhisperCppBytes()
        Self.damages[index].change(&file)
        let path = try folder.write(file.bytes, to: "ggml-x.bin")
        #expect { try Checkpoint.open(path) } throws: {
            guard "\($0)".contains(Self.damages[index].complaint) else {
                Issue.record("\($0)")
                return false
            }
            return $0 is CheckpointError
        }
    }

    @Test func everyTruncationIsRefused() throws {
        try folder.expectTruncationsRefused(WhisperCppBytes().bytes, name: "ggml-x.bin", step: 1)
    }

    @Test(.enabled(if: Fixtures.available)) func everyTruncationOfTheReferenceFileIsRefused() throws {
        let whole = try Data(contentsOf: URL(filePath: Self.reference("ggml-tiny32-q5_0.bin")))
        try folder.expectTruncationsRefused(whole, name: "ggml-x.bin", step: 1024)
    }
}
