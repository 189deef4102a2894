import Foundation
import Testing

@testable import Tokenization

@Suite(.enabled(if: Fixtures.arePresent, "no fixtures; set FOVEA_SHARED"))
struct WhisperTests {
    @Test(arguments: [("whisper-80", 99), ("whisper-128", 100)])
    func specialTokens(_ folder: String, _ languages: Int) throws {
        let whisper = try WhisperTokens(Tokenizer(contentsOf: Fixtures.folder(folder)))
        #expect(whisper.languages.count == languages)
        #expect(whisper.languages.first == "en")
        #expect(whisper.languages.contains("yue") == (languages == 100))
        for (index, code) in whisper.languages.enumerated() {
            #expect(whisper.languageID(code) == whisper.startOfTranscript + 1 + index)
            #expect(whisper.language(whisper.startOfTranscript + 1 + index) == code)
        }
        #expect(whisper.languageID("xx") == nil)
        #expect(!whisper.isEnglishOnly)
        #expect(whisper.startOfTranscript == whisper.endOfText + 1)
        #expect(whisper.noSpeech == whisper.noTimestamps - 1)
        #expect(whisper.firstTimestamp == whisper.noTimestamps + 1)
        #expect(
            try whisper.startSequence(language: "fr", task: .translate, withTimestamps: false)
                == [
                    whisper.startOfTranscript, #require(whisper.languageID("fr")), whisper.translate,
                    whisper.noTimestamps,
                ])
    }

    @Test(arguments: ["whisper-80", "whisper-128"])
    func timestamps(_ folder: String) throws {
        let tokenizer = try Tokenizer(contentsOf: Fixtures.folder(folder))
        let whisper = try WhisperTokens(tokenizer)
        for step in 0..<WhisperTokens.timestampCount {
            let id = whisper.firstTimestamp + step
            let seconds = try #require(whisper.seconds(id))
            #expect(abs(seconds - Double(step) * 0.02) < 1e-9)
            #expect(whisper.timestamp(seconds) == id)
            // The vocabulary spells them.
            #expect(tokenizer.piece(id) == whisper.decodeWithTimestamps([id]))
        }
        #expect(whisper.seconds(whisper.firstTimestamp - 1) == nil)
        #expect(whisper.seconds(whisper.firstTimestamp + 1501) == nil)
        #expect(whisper.timestamp(-3) == whisper.firstTimestamp)
        #expect(whisper.timestamp(1e9) == whisper.firstTimestamp + 1500)
        #expect(whisper.timestamp(.nan) == whisper.firstTimestamp)
    }

    @Test func otherVocabulariesAreRefused() throws {
        let gpt2 = try Tokenizer(contentsOf: Fixtures.folder("tokenizers/bpe-gpt2"))
        #expect(throws: TokenizationError.self) { try WhisperTokens(gpt2) }
    }

    @Test func wordsAtSpaces() throws {
        let whisper = try WhisperTokens(Tokenizer(contentsOf: Fixtures.folder("whisper-80")))
        let ids =
            [whisper.firstTimestamp] + whisper.tokenizer.encode(" Hello, naïve wörld! (yes)", addSpecialTokens: false)
            + [whisper.firstTimestamp + 50]
        let words = whisper.words(ids, language: "en")
        #expect(
            words.map(\.text) == ["<|0.00|>", " Hello", ",", " naïve", " wörld", "!", " ", "(yes", ")", "<|1.00|>"])
        #expect(words.flatMap(\.tokens) == ids)
    }

    @Test func wordsAtCharacters() throws {
        let whisper = try WhisperTokens(Tokenizer(contentsOf: Fixtures.folder("whisper-80")))
        let ids = whisper.tokenizer.encode("日本語です", addSpecialTokens: false)
        #expect(ids.count > 5)
        let words = whisper.words(ids, language: "ja")
        #expect(words.map(\.text) == ["日", "本", "語", "で", "す"])
        #expect(words.flatMap(\.tokens) == ids)
        // Half a character at the end belongs to no word, as in the published code.
        #expect(whisper.words(Array(ids.dropLast()), language: "ja").map(\.text).prefix(4) == ["日", "本", "語", "で"])
        // Bytes that are no text are words of U+FFFD.
        let broken =
            Array(whisper.tokenizer.encode("日", addSpecialTokens: false).prefix(1))
            + whisper.tokenizer.encode("a", addSpecialTokens: false)
        #expect(whisper.words(broken, language: "ja").map(\.text) == ["\u{FFFD}", "a"])
    }

    struct WordGolden: Decodable {
        struct Case: Decodable {
            let text: String
            let encoded: [Int]
            let language: String
            let ids: [Int]
            let decoded: String
            let words: [String]
            let tokens: [[Int]]
        }
        let cases: [Case]
    }

    /// Random texts, cut short and with foreign tokens between, split as the published Python code splits them
    /// (`Golden/whisper_words.json`).
    @Test func wordsLikeThePublishedCode() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Golden/whisper_words.json")
        let golden = try JSONDecoder().decode(WordGolden.self, from: Data(contentsOf: file))
        let whisper = try WhisperTokens(Tokenizer(contentsOf: Fixtures.folder("whisper-80")))
        #expect(golden.cases.count >= 50)
        for test in golden.cases {
            #expect(whisper.tokenizer.encode(test.text) == test.encoded)
            #expect(Exact(whisper.decodeWithTimestamps(test.ids)) == Exact(test.decoded))
            let words = whisper.words(test.ids, language: test.language)
            #expect(words.map(\.tokens) == test.tokens)
            #expect(words.map { Exact($0.text) } == test.words.map(Exact.init))
        }
    }
}

/// The published vocabularies, where they are installed (`FOVEA_MODELS`).
struct PublishedWhisperTests {
    @Test(.enabled(if: Fixtures.published("whisper-base") != nil, "no published tokenizer; set FOVEA_MODELS"))
    func multilingual() throws {
        let tokenizer = try Tokenizer(contentsOf: #require(Fixtures.published("whisper-base")))
        let whisper = try WhisperTokens(tokenizer)
        #expect(whisper.languages.count == 99 && !whisper.isEnglishOnly)
        let control: [Int] = [
            whisper.endOfText, whisper.startOfTranscript, whisper.translate, whisper.transcribe, whisper.startOfLM,
        ]
        #expect(control == [50257, 50258, 50358, 50359, 50360])
        let rest: [Int] = [whisper.startOfPrevious, whisper.noSpeech, whisper.noTimestamps, whisper.firstTimestamp]
        #expect(rest == [50361, 50362, 50363, 50364])
        #expect(whisper.languageID("ja") == 50266)
        let hello = tokenizer.encode(" Hello", addSpecialTokens: false)
        #expect(whisper.decodeWithTimestamps([50364] + hello + [50414] as [Int]) == "<|0.00|> Hello<|1.00|>")
        let text = " Ask not what your country can do for you — 日本語, naïve 😀"
        #expect(tokenizer.decode(tokenizer.encode(text)) == text)
    }

    @Test(.enabled(if: Fixtures.published("whisper-tiny.en") != nil, "no published tokenizer; set FOVEA_MODELS"))
    func englishOnly() throws {
        let whisper = try WhisperTokens(Tokenizer(contentsOf: #require(Fixtures.published("whisper-tiny.en"))))
        #expect(whisper.isEnglishOnly)
        let control: [Int] = [
            whisper.endOfText, whisper.startOfTranscript, whisper.noSpeech, whisper.noTimestamps,
            whisper.firstTimestamp,
        ]
        #expect(control == [50256, 50257, 50361, 50362, 50363])
        #expect(whisper.startSequence(language: "en", withTimestamps: false) == [50257, 50362])
        #expect(whisper.tokenizer.encode(" Hello", addSpecialTokens: false) == [18435])
    }
}
