import Foundation
import TestSupport
import Testing

@testable import Tokenization

/// M2M100's own tokenizer against transformers'.
@Suite("M2M100's tokenizer", .needsLargeFixtures)
struct M2M100TokenizerTests {
    private struct Golden: Decodable {
        struct Case: Decodable {
            let text: String
            let ids_with_special: [Int]
            let decoded_skip_special: String
        }
        let languages: [String: Int]
        let cases: [Case]
    }

    @Test("ids, languages and texts", arguments: ["", "/sentencepiece.bpe.model"])
    func golden(_ file: String) throws {
        let golden = try Fixtures.json(Golden.self, "tokenizers/m2m100/golden_tokens.json")
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model("tokenizers/m2m100\(file)"))
        for (code, id) in golden.languages { #expect(tokenizer.id(of: "__\(code)__") == id) }
        #expect(golden.cases.count >= 100)
        for test in golden.cases {
            #expect(tokenizer.encode(test.text) == test.ids_with_special, "\(Exact(test.text))")
            #expect(
                Exact(tokenizer.decode(Array(test.ids_with_special.dropFirst()), skipSpecialTokens: true))
                    == Exact(test.decoded_skip_special))
        }
    }

    @Test("an unknown source language is an error") func unknownLanguage() throws {
        let folder = try TemporaryFolder()
        for name in ["vocab.json", "sentencepiece.bpe.model"] {
            try FileManager.default.copyItem(
                at: Fixtures.model("tokenizers/m2m100/\(name)"), to: folder.url.appending(path: name))
        }
        #expect(try Tokenizer(contentsOf: folder.url).id(of: "__zu__") == 496)
        try #"{"src_lang": "tlh"}"#.write(
            to: folder.url.appending(path: "tokenizer_config.json"), atomically: true, encoding: .utf8)
        #expect(throws: TokenizationError.self) { try Tokenizer(contentsOf: folder.url) }
    }
}
