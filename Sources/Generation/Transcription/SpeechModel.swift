import AttentionAnalysis
import NumberFormats
import Foundation

/// An encoder-decoder that turns sound into text: what transcription needs of Whisper.
package protocol SpeechModel: SequenceDecoder {
    /// Encodes one window of log-mel energies `[mels, frames]` and computes the cross-attention keys and values that the
    /// following `start` and `advance` read, until the next window.
    func encode(window: AudioWindow) throws
    /// Positions of the encoder's output: 1500 for 30 seconds.
    var audioPositions: Int { get }
    /// Decoder heads that follow the sound; where none are published, all heads of the later half of the decoder.
    var alignmentHeads: [LayerHead] { get }
    /// The most tokens a sequence may have, prompt included: 448.
    var maximumTokens: Int { get }

    /// One pass over given tokens, for word times.
    ///
    /// - Parameters:
    ///   - tokens: the whole sequence as if it had been generated.
    ///   - text: which of them are the text.
    ///   - vocabulary: probabilities are among the first so many ids only (the text tokens).
    /// - Note: The default goes through `start`, which must then give all prompt rows of the alignment layers; an engine
    ///   that computes rows on demand should do better.
    func alignment(tokens: [Int], text: Range<Int>, vocabulary: Int) throws -> SpeechAlignment
}

/// What a pass over a finished text tells about its times.
package struct SpeechAlignment: Sendable {
    /// `[alignment heads, tokens, audio positions]`.
    package let weights: AlignmentWeights
    /// Probability of each text token given the ones before it.
    package let probabilities: [Double]

    package init(weights: AlignmentWeights, probabilities: [Double]) {
        self.weights = weights
        self.probabilities = probabilities
    }
}

extension SpeechModel {
    package func alignment(tokens: [Int], text: Range<Int>, vocabulary: Int) throws -> SpeechAlignment {
        // The row before a token predicts it.
        let rows = text.map { $0 - 1 }
        let output = try start(prompt: tokens, hypotheses: 1, logitRows: rows)
        let logits = output.rows(rows, promptLength: tokens.count)
        let weights = try AlignmentWeights(collecting: alignmentHeads, from: [output.attention.first ?? []])
        guard weights.tokens == tokens.count else {
            throw GenerationError.decoderOutput(
                operation: "alignment pass", expected: "attention of all \(tokens.count) prompt rows",
                actual: "\(weights.tokens)")
        }
        let probabilities = try text.map { index -> Double in
            guard let row = logits[index - 1], row.count >= vocabulary, tokens[index] < vocabulary else {
                throw GenerationError.decoderOutput(
                    operation: "alignment pass", expected: "logits of prompt row \(index - 1)",
                    actual: "\(logits[index - 1]?.count ?? 0) values")
            }
            return Double(expf(row[tokens[index]] - LogProbabilities.logSumExp(row, in: 0..<vocabulary)))
        }
        return SpeechAlignment(weights: weights, probabilities: probabilities)
    }
}

/// What transcription needs of a tokenizer: text by bytes, and Whisper's special tokens by id.
package protocol SpeechTokenizer {
    /// Ids of plain text; nothing in it is read as a special token.
    func encode(_ text: String) throws -> [Int]
    /// The bytes a text token stands for, possibly a part of a character; empty for special tokens and unknown ids.
    func bytes(of token: Int) -> [UInt8]
    /// The token as the vocabulary spells it.
    func piece(_ token: Int) -> String
    /// Splits a text's tokens into words, each with its leading space; special tokens stand alone. The default follows the
    /// published Whisper.
    func words(_ tokens: [Int], language: String?) -> [WordTokens]

    /// `<|endoftext|>`: all text tokens have smaller ids, all special ones this or greater.
    var endOfText: Int { get }
    var startOfTranscript: Int { get }
    var transcribe: Int? { get }
    var translate: Int? { get }
    var startOfLM: Int? { get }
    var startOfPrevious: Int? { get }
    var noSpeech: Int? { get }
    var noTimestamps: Int? { get }
    /// `<|0.00|>`; later times follow in steps of 20 ms to the end of the vocabulary.
    var timestampBegin: Int { get }
    /// Codes such as "en" and their tokens.
    var languages: [(code: String, token: Int)] { get }
    /// English-only models are prompted without language and task.
    var isMultilingual: Bool { get }
}

extension SpeechTokenizer {
    package func words(_ tokens: [Int], language: String?) -> [WordTokens] {
        WordSplitter(tokenizer: self, language: language).words(tokens)
    }

    /// The text of text tokens, special ones left out; incomplete characters become U+FFFD.
    package func text(_ tokens: some Sequence<Int>) -> String {
        String(decoding: tokens.filter { $0 < endOfText }.flatMap(bytes(of:)), as: UTF8.self)
    }

    /// The symbols and annotations that the published Whisper never writes: speaker tags, notes, brackets, and a hyphen or
    /// quote at a word's beginning.
    package func nonSpeechTokens() throws -> [Int] {
        let marks = "\"#()*+/:;<=>@[\\]^_`{|}~「」『』".map(String.init)
        let runs = [
            "<<", ">>", "<<<", ">>>", "--", "---", "-(", "-[", "('", "(\"", "((", "))", "(((", ")))", "[[", "]]", "{{",
            "}}", "♪♪", "♪♪♪",
        ]
        // Where a note sign takes several tokens the first is shared by all of them, and by nothing that is spoken.
        let notes = ["♩", "♪", "♫", "♬", "♭", "♮", "♯"]
        var found = Set(try [" -", " '"].compactMap { try encode($0).first })
        for symbol in marks + runs + notes {
            for form in [symbol, " " + symbol] {
                let ids = try encode(form)
                if let first = ids.first, ids.count == 1 || notes.contains(symbol) { found.insert(first) }
            }
        }
        return found.sorted()
    }
}

/// Puts the bytes of successive tokens together and gives out whole characters only.
struct CharacterAssembler {
    private var pending: [UInt8] = []

    /// The text that `bytes` completes.
    mutating func add(_ bytes: [UInt8]) -> String {
        pending += bytes
        let held = CharacterAssembler.incompleteTail(of: pending)
        let text = String(decoding: pending.dropLast(held), as: UTF8.self)
        pending = Array(pending.suffix(held))
        return text
    }

    /// How many bytes at the end begin a character that is not there yet.
    private static func incompleteTail(of bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xc0 == 0x80 { continue }
            let length = byte >= 0xf0 && byte < 0xf5 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1
            return byte < 0xf5 && length > back ? back : 0
        }
        return 0
    }
}
