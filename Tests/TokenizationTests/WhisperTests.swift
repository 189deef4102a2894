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
        #expect(try whisper.startSequence(language: "fr", task: .translate, withTimestamps: false)
            == [whisper.startOfTranscript, #require(whisper.languageID("fr")), whisper.translate, whisper.noTimestamps])
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
        let ids = [whisper.firstTimestamp] + whisper.tokenizer.encode(" Hello, naïve wörld! (yes)", addSpecialTokens: false) + [whisper.firstTimestamp + 50]
        let words = whisper.words(ids, language: "en")
        #expect(words.map(\.text) == ["<|0.00|>", " Hello", ",", " naïve", " wörld", "!", " ", "(yes", ")", "<|1.00|>"])
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
        let broken = Array(whisper.tokenizer.encode("日", addSpecialTokens: false).prefix(1)) + whisper.tokenizer.encode("a", addSpecialTokens: false)
        #expect(whisper.words(broken, language: "ja").map(\.text) == ["\u{FFFD}", "a"])
    }
}
