import Foundation
import TestSupport
import Testing

@testable import Tokenization

/// Whisper's tokenizer from a list of text tokens, against the tokenizer.json of the same model.
@Suite struct WhisperVocabularyTests {
    @Test(
        .needsLargeFixtures,
        arguments: [("whisper-80", 1929), ("whisper-128", 1930)])
    func theTokenizerIsTheSame(folder: String, count: Int) throws {
        let reference = try Tokenizer(contentsOf: Fixtures.model(folder))
        let texts = try #require(reference.id(of: "<|endoftext|>"))
        let tokens = try (0..<texts).map { try #require(reference.bytes(of: $0)) }
        let tokenizer = try Tokenizer(WhisperVocabulary(tokens: tokens, count: count), file: "ggml.bin")
        for id in 0..<count {
            #expect(tokenizer.piece(id) == reference.piece(id))
            #expect(tokenizer.isSpecial(id) == reference.isSpecial(id))
        }
        #expect(tokenizer.vocabularySize == count)
        let golden = try JSONSerialization.jsonObject(
            with: Data(contentsOf: Fixtures.model(folder).appending(path: "golden_tokens.json")))
        let cases = try #require((golden as? [String: Any])?["cases"] as? [[String: Any]])
        #expect(cases.count >= 100)
        for item in cases {
            let text = try #require(item["text"] as? String)
            #expect(tokenizer.encode(text, addSpecialTokens: false) == reference.encode(text, addSpecialTokens: false))
            let ids = reference.encode(text)
            #expect(tokenizer.encode(text) == ids)
            #expect(tokenizer.decode(ids, skipSpecialTokens: false) == reference.decode(ids, skipSpecialTokens: false))
        }
    }

    @Test(arguments: [0, 1509, 1509 + 102]) func otherVocabulariesAreRefused(count: Int) {
        #expect(throws: TokenizationError.self) {
            try Tokenizer(WhisperVocabulary(tokens: [[0x61]], count: count), file: "ggml.bin")
        }
    }
}
