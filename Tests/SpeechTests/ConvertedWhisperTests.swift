import AttentionTypes
import Checkpoint
import Compute
import Foundation
import Generation
import ModelStore
import NumberFormats
import TestSupport
import Testing
import Tokenization

@testable import Media
@testable import Speech

/// The weights of whisper-tiny.en (CTranslate2) under OpenAI's names, as files of other programs.
private struct OpenAIWeights {
    private struct Tensor {
        let name: String
        let shape: [Int]
        let isHalf: Bool
        let bytes: [UInt8]
    }

    private let source: Checkpoint
    private let vocabulary: Int
    private let end: Int
    /// The bytes of the ordinary tokens, by id.
    private let tokens: [[UInt8]]
    private var tensors: [Tensor] = []

    init(of folder: String) throws {
        source = try Checkpoint.open(folder)
        vocabulary = try source.entry("decoder/embeddings/weight").shape[0]
        let tokenizer = try Tokenizer(contentsOf: URL(filePath: folder))
        let end = try #require(tokenizer.id(of: "<|endoftext|>"))
        self.end = end
        tokens = try (0..<end).map { try #require(tokenizer.bytes(of: $0)) }
        for side in ["encoder", "decoder"] { try addStack(side) }
        for name in ["conv1", "conv2"] {
            for leaf in ["weight", "bias"] { try add("encoder.\(name).\(leaf)", "encoder/\(name)/\(leaf)") }
        }
        try add("decoder.token_embedding.weight", "decoder/embeddings/weight")
    }

    // MARK: Files

    /// A file of whisper.cpp.
    var whisperCpp: [UInt8] {
        func little(_ numbers: [Int]) -> [UInt8] { numbers.flatMap { SafetensorsBytes.little(Int32($0)) } }
        var bytes = Array("lmgg".utf8) + little([vocabulary, 1500, 384, 6, 4, 448, 384, 6, 4, 80, 1])
        bytes += little([80, Self.filters[0].count])
        for value in Self.filters.joined() { bytes += SafetensorsBytes.little(value.bitPattern) }
        bytes += little([end])
        for token in tokens { bytes += little([token.count]) + token }
        for tensor in tensors {
            bytes += little([tensor.shape.count, tensor.name.utf8.count, tensor.isHalf ? 1 : 0])
            bytes += little(tensor.shape.reversed()) + Array(tensor.name.utf8) + tensor.bytes
        }
        return bytes
    }

    /// A file of OpenAI, as `torch.save` writes it.
    var torch: [UInt8] {
        var file = TorchBytes()
        file.nesting = ["model_state_dict"]
        let sizes = [
            ("n_mels", 80), ("n_vocab", vocabulary), ("n_audio_ctx", 1500), ("n_audio_state", 384),
            ("n_audio_head", 6), ("n_audio_layer", 4), ("n_text_ctx", 448), ("n_text_state", 384), ("n_text_head", 6),
            ("n_text_layer", 4),
        ]
        file.extra =
            TorchBytes.string("dims")
            + TorchBytes.dictionary(sizes.flatMap { TorchBytes.string($0.0) + TorchBytes.integer($0.1) })
        for tensor in tensors {
            let count = tensor.shape.reduce(1, *)
            let strides = tensor.shape.indices.map { tensor.shape[($0 + 1)...].reduce(1, *) }
            file.tensors.append(
                .init(name: tensor.name, storage: file.storages.count, shape: tensor.shape, strides: strides))
            file.storages.append(.init(tensor.isHalf ? "HalfStorage" : "FloatStorage", count: count, tensor.bytes))
        }
        return file.zip
    }

    /// The vocabulary as OpenAI's package has it beside its models.
    var tiktoken: [UInt8] {
        Array(tokens.enumerated().map { "\(Data($1).base64EncodedString()) \($0)\n" }.joined().utf8)
    }

    /// The mel filter bank `[80, bins]`, as the response to one bin at a time.
    private static let filters: [[Float]] = {
        let bank = MelFilterBank(melCount: 80, fftSize: 400, sampleRate: 16_000)
        var rows = [[Float]](repeating: [], count: 80)
        for bin in 0..<bank.binCount {
            var power = [Double](repeating: 0, count: bank.binCount), mels = [Double](repeating: 0, count: 80)
            power[bin] = 1
            bank.apply(power: &power, output: &mels)
            for mel in 0..<80 { rows[mel].append(Float(mels[mel])) }
        }
        return rows
    }()

    // MARK: Tensors

    /// Adds rows of a stored tensor, or all of it, in its own format.
    private mutating func add(_ name: String, _ stored: String, rows: Range<Int>? = nil) throws {
        let entry = try source.entry(stored)
        var shape = entry.shape
        var content = try source.withBytes(of: stored) { Array($0) }
        if let rows {
            let size = content.count / shape[0]
            content = Array(content[rows.lowerBound * size..<rows.upperBound * size])
            shape[0] = rows.count
        }
        tensors.append(Tensor(name: name, shape: shape, isHalf: entry.format == .f16, bytes: content))
    }

    private mutating func addStack(_ side: String) throws {
        try add("\(side).positional_embedding", "\(side)/position_encodings/encodings")
        try addNorm("\(side).\(side == "encoder" ? "ln_post" : "ln")", "\(side)/layer_norm")
        for layer in 0..<4 {
            let (own, stored) = ("\(side).blocks.\(layer)", "\(side)/layer_\(layer)")
            try addNorm("\(own).attn_ln", "\(stored)/self_attention/layer_norm")
            try addProjections(
                "\(own).attn", stored: "\(stored)/self_attention",
                [("query", "linear_0", 0), ("key", "linear_0", 1), ("value", "linear_0", 2), ("out", "linear_1", 0)])
            if side == "decoder" {
                try addNorm("\(own).cross_attn_ln", "\(stored)/attention/layer_norm")
                try addProjections(
                    "\(own).cross_attn", stored: "\(stored)/attention",
                    [
                        ("query", "linear_0", 0), ("key", "linear_1", 0), ("value", "linear_1", 1),
                        ("out", "linear_2", 0),
                    ])
            }
            try addNorm("\(own).mlp_ln", "\(stored)/ffn/layer_norm")
            for (name, linear) in [("mlp.0", "linear_0"), ("mlp.2", "linear_1")] {
                for leaf in ["weight", "bias"] { try add("\(own).\(name).\(leaf)", "\(stored)/ffn/\(linear)/\(leaf)") }
            }
        }
    }

    private mutating func addNorm(_ name: String, _ stored: String) throws {
        try add("\(name).weight", "\(stored)/gamma")
        try add("\(name).bias", "\(stored)/beta")
    }

    private mutating func addProjections(_ name: String, stored: String, _ parts: [(String, String, Int)]) throws {
        for (part, linear, place) in parts {
            for leaf in ["weight", "bias"] where !(part == "key" && leaf == "bias") {
                try add("\(name).\(part).\(leaf)", "\(stored)/\(linear)/\(leaf)", rows: place * 384..<(place + 1) * 384)
            }
        }
    }
}

/// A model's transcript does not depend on the file format.
@Suite("Whisper's real weights in other formats", .usesDevice, .needsLargeFixtures, .serialized)
struct ConvertedWhisperTests {
    private static let folder = try? ModelStore.standard().resolve("whisper-tiny.en").path

    private func run(_ path: String) throws -> (transcript: Transcript, tokens: [(id: Int, rows: [AttentionWeights])]) {
        let session = try SpeechSession(path: path, on: Device(validation: true))
        let recording = try AudioFile.load(path: Fixtures.data.appending(path: "jfk.wav").path)
        var options = TranscriptionOptions()
        options.words = true
        var tokens: [(id: Int, rows: [AttentionWeights])] = []
        let transcript = try session.transcribe(recording, options: options) { event in
            if case .token(let token) = event { tokens.append((token.id, token.attention)) }
        }
        return (transcript, tokens)
    }

    @Test(
        "same words, times and attention as from the CTranslate2 file",
        .enabled(if: folder != nil, "pull whisper-tiny.en first"),
        arguments: ["ggml-tiny.en.bin", "tiny.en.pt"])
    func convertedFiles(name: String) throws {
        let source = try #require(Self.folder), folder = try TemporaryFolder()
        let weights = try OpenAIWeights(of: source)
        let path = try folder.write(name.hasSuffix(".pt") ? weights.torch : weights.whisperCpp, to: name)
        if name.hasSuffix(".pt") { _ = try folder.write(weights.tiktoken, to: "gpt2.tiktoken") }
        let (expected, actual) = (try run(source), try run(path))
        #expect(actual.transcript.text == expected.transcript.text)
        #expect(actual.tokens.map(\.id) == expected.tokens.map(\.id))
        #expect(actual.tokens.count > 20)
        for (a, b) in zip(actual.tokens, expected.tokens) {
            #expect(a.rows.count == b.rows.count)
            for (rows, reference) in zip(a.rows, b.rows) {
                for head in 0..<rows.heads {
                    let difference = zip(rows.row(head: head, query: 0), reference.row(head: head, query: 0))
                        .reduce(0) { max($0, abs($1.0 - $1.1)) }
                    #expect(difference < 1e-4)
                }
            }
        }
        let words = [actual, expected].map { $0.transcript.segments.flatMap { $0.words ?? [] } }
        #expect(words[0].map(\.text) == words[1].map(\.text) && words[0].map(\.start) == words[1].map(\.start))
    }
}
