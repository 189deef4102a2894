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

    @Test func tiktokenFilesAreRead() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "fovea-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "gpt2.tiktoken")
        let bytes = (0..<256).map { [UInt8($0)] } + [Array("ab".utf8), Array("abc".utf8)]
        func lines(_ ids: [Int]) -> Data {
            Data(zip(bytes, ids).map { "\(Data($0).base64EncodedString()) \($1)\n" }.joined().utf8)
        }
        try lines(Array(0..<258)).write(to: file)
        let tokenizer = try Tokenizer(WhisperVocabulary(tiktoken: file, count: 258 + 1510), file: file.path)
        #expect(tokenizer.encode("abcab", addSpecialTokens: false) == [257, 256])
        #expect(tokenizer.piece(258) == "<|endoftext|>")
        for damaged in [lines(Array(1..<259)), Data("!!! 0\n".utf8), Data("YQ==\n".utf8), Data("YQ== 0 1\n".utf8)] {
            try damaged.write(to: file)
            #expect(throws: TokenizationError.self) { try WhisperVocabulary(tiktoken: file, count: 1768) }
        }
    }

    @Test(arguments: [0, 1509, 1509 + 102]) func otherVocabulariesAreRefused(count: Int) {
        #expect(throws: TokenizationError.self) {
            try Tokenizer(WhisperVocabulary(tokens: [[0x61]], count: count), file: "ggml.bin")
        }
    }
}
