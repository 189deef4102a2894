import Generation
import GenerationTestSupport
import AttentionAnalysis
import AttentionTypes
import NumberFormats
import Foundation
import TestSupport

@testable import Speech

/// A tokenizer of a few words with Whisper's special tokens after them.
struct ToyTokenizer: SpeechTokenizer {
    static let words = [" hello", " world", " how", " are", " you", ".", ",", " \"", "\"", " ha", "ing", " "]
    /// Two tokens that make up one character, "é".
    static let halves: [[UInt8]] = [[0xc3], [0xa9]]
    var isMultilingual = true

    var endOfText: Int { ToyTokenizer.words.count + ToyTokenizer.halves.count }
    var startOfTranscript: Int { endOfText + 1 }
    var languages: [(code: String, token: Int)] { [("en", endOfText + 2), ("fr", endOfText + 3)] }
    var translate: Int? { endOfText + 4 }
    var transcribe: Int? { endOfText + 5 }
    var startOfLM: Int? { endOfText + 6 }
    var startOfPrevious: Int? { endOfText + 7 }
    var noSpeech: Int? { endOfText + 8 }
    var noTimestamps: Int? { endOfText + 9 }
    var timestampBegin: Int { endOfText + 10 }
    var count: Int { timestampBegin + 1501 }

    func encode(_ text: String) -> [Int] {
        var rest = Substring(text), ids: [Int] = []
        while !rest.isEmpty {
            guard
                let best = ToyTokenizer.words.indices.filter({ rest.hasPrefix(ToyTokenizer.words[$0]) }).max(by: {
                    ToyTokenizer.words[$0].count < ToyTokenizer.words[$1].count
                })
            else { rest = rest.dropFirst(); continue }
            ids.append(best)
            rest = rest.dropFirst(ToyTokenizer.words[best].count)
        }
        return ids
    }

    func bytes(of token: Int) -> [UInt8] {
        if token < ToyTokenizer.words.count { return Array(ToyTokenizer.words[token].utf8) }
        return token < endOfText ? ToyTokenizer.halves[token - ToyTokenizer.words.count] : []
    }

    func piece(_ token: Int) -> String {
        token < endOfText ? String(decoding: bytes(of: token), as: UTF8.self) : "<|\(token)|>"
    }

    /// Seconds to a timestamp token.
    func at(_ seconds: Double) -> Int { timestampBegin + Int((seconds * 50).rounded()) }
}

/// A speech model that says what a script tells it to, window by window and attempt by attempt.
final class ScriptedSpeech: SpeechModel {
    struct Attempt {
        var tokens: [Int]
        /// Logit of the scripted token over the others; small ones make an improbable text.
        var sharpness: Float = 20
        var noSpeech: Float = 0
        /// Encoder position that each text token's row attends to, for word times.
        var positions: [Int] = []
    }

    let tokenizer: ToyTokenizer
    let script: [[Attempt]]
    var maximumHypotheses = 5
    var maximumTokens = 448
    let audioPositions = 1500
    let alignmentHeads = [AttentionHead(kind: .cross, layer: 0, head: 1)]
    var vocabularySize: Int { tokenizer.count }

    private(set) var windows: [AudioWindow] = []
    private(set) var prompts: [[Int]] = []
    private var attempt = -1
    private var generated: [[Int]] = []

    init(_ script: [[Attempt]], tokenizer: ToyTokenizer = ToyTokenizer()) {
        self.script = script
        self.tokenizer = tokenizer
    }

    func encode(window: AudioWindow) {
        windows.append(window)
        attempt = -1
    }

    private var current: Attempt { script[windows.count - 1][min(attempt, script[windows.count - 1].count - 1)] }

    private func logits(after generated: [Int]) -> [Float] {
        var logits = [Float](repeating: 0, count: vocabularySize)
        let next = generated.count < current.tokens.count ? current.tokens[generated.count] : tokenizer.endOfText
        logits[next] = current.sharpness
        return logits
    }

    func start(prompt: [Int], hypotheses: Int, logitRows: [Int]) -> DecoderOutput {
        if prompt == [tokenizer.startOfTranscript], tokenizer.isMultilingual {
            var logits = [Float](repeating: 0, count: vocabularySize)
            logits[tokenizer.languages[1].token] = 3
            return DecoderOutput(logits: [logits])
        }
        prompts.append(prompt)
        if prompt.last == tokenizer.endOfText { return alignmentPass(prompt, logitRows) }
        attempt += 1
        generated = [[Int]](repeating: [], count: hypotheses)
        var atStart = [Float](repeating: 0, count: vocabularySize)
        // A softmax that gives <|nospeech|> the scripted probability.
        let p = current.noSpeech
        atStart[tokenizer.noSpeech!] = p > 0 ? logf(p / (1 - p) * Float(vocabularySize - 1)) : -100
        return DecoderOutput(
            logits: generated.map(logits(after:)),
            promptLogits: Dictionary(uniqueKeysWithValues: logitRows.map { ($0, atStart) }),
            attention: generated.map { _ in [row(7)] })
    }

    func advance(tokens: [Int], parents: [Int]) -> DecoderOutput {
        generated = zip(tokens, parents).map { generated[$1] + [$0] }
        return DecoderOutput(logits: generated.map(logits(after:)), attention: generated.map { [row($0.count)] })
    }

    private func alignmentPass(_ prompt: [Int], _ rows: [Int]) -> DecoderOutput {
        let first = prompt.firstIndex(of: tokenizer.noTimestamps!)! + 1
        let peaks = prompt.indices.map { index -> Int in
            let text = index - first + 1
            return current.positions.indices.contains(text)
                ? current.positions[text] : text < 0 ? 0 : current.positions.last ?? 0
        }
        var wanted: [Int: [Float]] = [:]
        for row in rows {
            var logits = [Float](repeating: 0, count: vocabularySize)
            logits[prompt[row + 1]] = 5
            wanted[row] = logits
        }
        return DecoderOutput(
            logits: [[Float](repeating: 0, count: vocabularySize)], promptLogits: wanted,
            attention: [[AttentionWeights.stacking(peaks.map(row))]])
    }

    /// A ridge that falls off to both sides, so that every position tells the rows apart.
    private static let ridge = (-1500..<1500).map { expf(-abs(Float($0)) / 30) / 60 + 1e-6 }
    private static let even = [Float](repeating: 1 / 1500, count: 1500)

    /// One query, two heads: the first looks at everything, the second around a position.
    private func row(_ position: Int) -> AttentionWeights {
        AttentionWeights(
            kind: .cross, layer: 0, heads: 2, queries: 1, keys: audioPositions,
            values: ScriptedSpeech.even + ScriptedSpeech.ridge[1500 - position..<3000 - position])
    }
}

/// A Whisper fixture: recorded encoder output, real decoder.
final class ReferenceWhisper: SpeechModel {
    private let decoder: ReferenceDecoder
    let audioPositions = 1500
    let maximumTokens = 448
    let alignmentHeads: [AttentionHead]
    private(set) var windows: [AudioWindow] = []

    init(_ folder: String, heads: Int) throws {
        let pairs = try ReferenceTensors("\(folder)/golden.safetensors")["alignment_heads"].integers
        alignmentHeads = stride(from: 0, to: pairs.count, by: 2).map {
            AttentionHead(kind: .cross, layer: pairs[$0], head: pairs[$0 + 1])
        }
        decoder = try ReferenceDecoder(folder, family: .whisper, heads: heads)
    }

    var vocabularySize: Int { decoder.vocabularySize }
    var maximumHypotheses: Int { decoder.maximumHypotheses }
    func start(prompt: [Int], hypotheses: Int, logitRows: [Int]) throws -> DecoderOutput {
        try decoder.start(prompt: prompt, hypotheses: hypotheses, logitRows: logitRows)
    }
    func advance(tokens: [Int], parents: [Int]) throws -> DecoderOutput {
        try decoder.advance(tokens: tokens, parents: parents)
    }

    func encode(window: AudioWindow) { windows.append(window) }
}

/// The byte-level vocabulary of a Whisper fixture, for decoding and special ids.
struct FixtureTokenizer: SpeechTokenizer {
    private var pieces: [Int: String] = [:]
    private var ids: [String: Int] = [:]
    let languages: [(code: String, token: Int)]
    let isMultilingual = true
    private let bytesOfScalar: [Unicode.Scalar: UInt8]

    init(_ folder: String) throws {
        let file = try ReferenceTensors.json("\(folder)/tokenizer.json")
        let vocabulary = (file["model"] as? [String: Any])?["vocab"] as? [String: Int] ?? [:]
        ids = vocabulary
        for added in file["added_tokens"] as? [[String: Any]] ?? [] {
            if let content = added["content"] as? String, let id = added["id"] as? Int { ids[content] = id }
        }
        for (piece, id) in ids { pieces[id] = piece }
        let codes = try ReferenceTensors.json("\(folder)/generation_config.json")["lang_to_id"] as? [String: Int] ?? [:]
        languages = codes.map { (code: String($0.key.dropFirst(2).dropLast(2)), token: $0.value) }.sorted {
            $0.token < $1.token
        }
        // GPT-2's table: printable bytes stand for themselves, the others are moved past 255 in order.
        var table: [Unicode.Scalar: UInt8] = [:]
        var moved: UInt32 = 256
        for byte in UInt8.min...UInt8.max {
            let isPrintable = (33...126).contains(byte) || (161...172).contains(byte) || byte >= 174
            table[Unicode.Scalar(isPrintable ? UInt32(byte) : moved)!] = byte
            if !isPrintable { moved += 1 }
        }
        bytesOfScalar = table
    }

    var endOfText: Int { ids["<|endoftext|>"]! }
    var startOfTranscript: Int { ids["<|startoftranscript|>"]! }
    var transcribe: Int? { ids["<|transcribe|>"] }
    var translate: Int? { ids["<|translate|>"] }
    var startOfLM: Int? { ids["<|startoflm|>"] }
    var startOfPrevious: Int? { ids["<|startofprev|>"] }
    var noSpeech: Int? { ids["<|nospeech|>"] }
    var noTimestamps: Int? { ids["<|notimestamps|>"] }
    var timestampBegin: Int { ids["<|0.00|>"]! }

    func encode(_ text: String) -> [Int] {
        Array(text.utf8).map { byte in bytesOfScalar.first { $0.value == byte }.flatMap { ids[String($0.key)] } ?? 0 }
    }
    func bytes(of token: Int) -> [UInt8] {
        token < endOfText ? (pieces[token] ?? "").unicodeScalars.compactMap { bytesOfScalar[$0] } : []
    }
    func piece(_ token: Int) -> String { pieces[token] ?? "?" }
}
