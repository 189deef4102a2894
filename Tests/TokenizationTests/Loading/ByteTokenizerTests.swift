import Foundation
import TestSupport
import Testing

@testable import Tokenization

/// ByT5's bytes as tokens, against transformers' `ByT5Tokenizer`.
@Suite("Bytes as tokens", .needsLargeFixtures)
struct ByteTokenizerTests {
    struct Golden: Decodable {
        struct Case: Decodable {
            let text: String
            let ids_with_special: [Int]
            let decoded_skip_special: String
        }
        struct Decode: Decodable {
            let ids: [Int]
            let decoded_skip_special: String
        }
        let cases: [Case]
        let decode_only: [Decode]
    }

    private let folder = "bytes/byt5"

    @Test func encodesAndDecodes() throws {
        let golden = try Fixtures.json(Golden.self, "\(folder)/golden_tokens.json")
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model(folder))
        #expect(tokenizer.vocabularySize == 384)
        #expect(golden.cases.count >= 200)
        for test in golden.cases {
            #expect(tokenizer.encode(test.text) == test.ids_with_special, "\(Exact(test.text))")
            #expect(
                Exact(tokenizer.decode(test.ids_with_special, skipSpecialTokens: true))
                    == Exact(test.decoded_skip_special))
        }
        for test in golden.decode_only {
            #expect(
                Exact(tokenizer.decode(test.ids, skipSpecialTokens: true)) == Exact(test.decoded_skip_special),
                "\(test.ids)")
        }
    }

    @Test("a folder whose configuration names another class has no such tokenizer")
    func otherClass() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "byte-tokenizer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "tokenizer_config.json")
        try Data(#"{"tokenizer_class": "T5Tokenizer"}"#.utf8).write(to: file)
        #expect(throws: TokenizationError.self) { try Tokenizer(contentsOf: folder) }
        try Data(#"{"tokenizer_class": "ByT5Tokenizer", "extra_ids": -1}"#.utf8).write(to: file)
        #expect(throws: TokenizationError.self) { try Tokenizer(contentsOf: folder) }
    }
}
