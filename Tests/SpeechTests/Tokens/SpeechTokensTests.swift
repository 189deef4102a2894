import Foundation
import Generation
import TestSupport
import Testing
import Tokenization

@testable import Speech

@Suite("Whisper's tokens", .enabled(if: Fixtures.available, "no fixtures; set FOVEA_SHARED"))
struct SpeechTokensTests {
    @Test(arguments: [("whisper-80", 99), ("whisper-128", 100)])
    func specialTokens(_ folder: String, _ languages: Int) throws {
        let tokens = try SpeechTokens(Tokenizer(contentsOf: Fixtures.model(folder)))
        #expect(tokens.languages.count == languages)
        #expect(tokens.languages.first?.code == "en")
        #expect(tokens.languages.contains { $0.code == "yue" } == (languages == 100))
        for (index, language) in tokens.languages.enumerated() {
            #expect(language.token == tokens.startOfTranscript + 1 + index)
        }
        #expect(tokens.isMultilingual)
        #expect(tokens.startOfTranscript == tokens.endOfText + 1)
        let none = try #require(tokens.noTimestamps)
        #expect(tokens.noSpeech == none - 1)
        #expect(tokens.timestampBegin == none + 1)
        let french = try #require(tokens.languages.first { $0.code == "fr" }?.token)
        #expect(
            try tokens.startSequence(language: "fr", task: .translate)
                == [tokens.startOfTranscript, french, try #require(tokens.translate)])
        #expect(throws: GenerationError.self) { try tokens.startSequence(language: "xx", task: .translate) }
    }

    @Test("timestamps are spelled as in the vocabulary", arguments: ["whisper-80", "whisper-128"])
    func timestamps(_ folder: String) throws {
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model(folder))
        let tokens = try SpeechTokens(tokenizer)
        for step in 0..<SpeechTokens.timestampCount {
            let id = tokens.timestampBegin + step
            #expect(tokenizer.piece(id) == tokens.piece(id))
        }
        #expect(tokens.piece(tokens.timestampBegin + 50) == "<|1.00|>")
        #expect(tokens.bytes(of: tokens.timestampBegin).isEmpty)
    }

    @Test func otherVocabulariesAreRefused() throws {
        let gpt2 = try Tokenizer(contentsOf: Fixtures.model("tokenizers/bpe-gpt2"))
        #expect(throws: TokenizationError.self) { try SpeechTokens(gpt2) }
    }

    private func words(_ tokens: SpeechTokens, _ ids: [Int], language: String) -> [WordTokens] {
        WordSplitter(tokenizer: tokens, language: language).words(ids)
    }

    @Test func wordsAtSpaces() throws {
        let tokens = try SpeechTokens(Tokenizer(contentsOf: Fixtures.model("whisper-80")))
        let ids =
            [tokens.timestampBegin] + (try tokens.encode(" Hello, naïve wörld! (yes)")) + [tokens.timestampBegin + 50]
        let words = words(tokens, ids, language: "en")
        #expect(
            words.map(\.text) == ["<|0.00|>", " Hello", ",", " naïve", " wörld", "!", " ", "(yes", ")", "<|1.00|>"])
        #expect(words.flatMap(\.tokens) == ids)
    }

    @Test func wordsAtCharacters() throws {
        let tokens = try SpeechTokens(Tokenizer(contentsOf: Fixtures.model("whisper-80")))
        let ids = try tokens.encode("日本語です")
        #expect(ids.count > 5)
        let whole = words(tokens, ids, language: "ja")
        #expect(whole.map(\.text) == ["日", "本", "語", "で", "す"])
        #expect(whole.flatMap(\.tokens) == ids)
        #expect(words(tokens, Array(ids.dropLast()), language: "ja").map(\.text).prefix(4) == ["日", "本", "語", "で"])
        // Bytes that are no text are words of U+FFFD.
        let broken = Array(try tokens.encode("日").prefix(1)) + (try tokens.encode("a"))
        #expect(words(tokens, broken, language: "ja").map(\.text) == ["\u{FFFD}", "a"])
    }

    private struct WordGolden: Decodable {
        struct Case: Decodable {
            let text: String
            let encoded: [Int]
            let language: String
            let ids: [Int]
            let words: [String]
            let tokens: [[Int]]
        }
        let cases: [Case]
    }

    /// Random texts, cut short and with foreign tokens between, split as the published Python code splits them
    /// (`Golden/whisper_words.json`). The published code drops the bytes of a character that never ends; here they belong
    /// to the last word.
    @Test func wordsLikeThePublishedCode() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Golden/whisper_words.json")
        let golden = try JSONDecoder().decode(WordGolden.self, from: Data(contentsOf: file))
        let tokens = try SpeechTokens(Tokenizer(contentsOf: Fixtures.model("whisper-80")))
        #expect(golden.cases.count >= 50)
        for test in golden.cases {
            #expect(tokens.tokenizer.encode(test.text) == test.encoded)
            let words = words(tokens, test.ids, language: test.language)
            #expect(words.flatMap(\.tokens) == test.ids)
            let isWhole = test.tokens.joined().count == test.ids.count
            if isWhole { #expect(words.count == test.words.count) }
            // The bytes of a character that never ends may have joined the last word.
            let compared = isWhole ? test.words.count : max(test.words.count - 1, 0)
            #expect(words.prefix(compared).map(\.tokens) == Array(test.tokens.prefix(compared)))
            for (word, expected) in zip(words.prefix(compared), test.words) {
                #expect(word.text.unicodeScalars.elementsEqual(expected.unicodeScalars), "\(word.text) \(expected)")
            }
        }
    }
}

/// The published vocabularies, where they are installed (`FOVEA_MODELS`).
@Suite struct PublishedWhisperTests {
    /// A folder with a published tokenizer.json; nil when it is not there.
    private static func published(_ name: String) -> URL? {
        guard let root = ProcessInfo.processInfo.environment["FOVEA_MODELS"] else { return nil }
        let folder = URL(filePath: root).appending(path: name)
        return FileManager.default.fileExists(atPath: folder.appending(path: "tokenizer.json").path) ? folder : nil
    }

    @Test(.enabled(if: published("whisper-base") != nil, "no published tokenizer; set FOVEA_MODELS"))
    func multilingual() throws {
        let tokenizer = try Tokenizer(contentsOf: #require(Self.published("whisper-base")))
        let tokens = try SpeechTokens(tokenizer)
        #expect(tokens.languages.count == 99 && tokens.isMultilingual)
        let control = [
            tokens.endOfText, tokens.startOfTranscript, tokens.translate, tokens.transcribe, tokens.startOfLM,
        ]
        #expect(control == [50257, 50258, 50358, 50359, 50360])
        let rest = [tokens.startOfPrevious, tokens.noSpeech, tokens.noTimestamps, tokens.timestampBegin]
        #expect(rest == [50361, 50362, 50363, 50364])
        #expect(tokens.languages.first { $0.code == "ja" }?.token == 50266)
        let text = " Ask not what your country can do for you — 日本語, naïve 😀"
        #expect(tokenizer.decode(tokenizer.encode(text)) == text)
    }

    @Test(.enabled(if: published("whisper-tiny.en") != nil, "no published tokenizer; set FOVEA_MODELS"))
    func englishOnly() throws {
        let tokens = try SpeechTokens(Tokenizer(contentsOf: #require(Self.published("whisper-tiny.en"))))
        #expect(!tokens.isMultilingual)
        let control = [
            tokens.endOfText, tokens.startOfTranscript, tokens.noSpeech, tokens.noTimestamps, tokens.timestampBegin,
        ]
        #expect(control == [50256, 50257, 50361, 50362, 50363])
        #expect(try tokens.startSequence(language: "en", task: .transcribe) == [50257])
        #expect(try tokens.encode(" Hello") == [18435])
    }
}
