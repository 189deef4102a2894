import Foundation
import TestSupport
import Testing

@testable import Tokenization

/// SentencePiece `.model` files against the sentencepiece library, and Marian's pair of them.
@Suite(.needsLargeFixtures)
struct SentencePieceTests {
    struct Golden: Decodable {
        struct Case: Decodable {
            let text: String
            let ids: [Int]
            let sentencepiece_ids: [Int]
            let sentencepiece_decoded: String
        }
        let cases: [Case]
    }

    struct MarianGolden: Decodable {
        struct Case: Decodable {
            let text: String
            let ids_with_special: [Int]
            let target_ids_with_special: [Int]
            let target_decoded_skip_special: String
        }
        let cases: [Case]
    }

    @Test(arguments: [("tokenizers/bpe-llama2", "tokenizer.model"), ("tokenizers/unigram-t5", "spiece.model")])
    func modelFile(_ folder: String, _ file: String) throws {
        let golden = try Fixtures.json(Golden.self, "\(folder)/golden_tokens.json")
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model(folder).appendingPathComponent(file))
        for test in golden.cases {
            #expect(
                tokenizer.encode(test.text, addSpecialTokens: false) == test.sentencepiece_ids, "\(Exact(test.text))")
            #expect(
                Exact(tokenizer.decode(test.sentencepiece_ids, skipSpecialTokens: false))
                    == Exact(test.sentencepiece_decoded), "\(Exact(test.text))")
        }
    }

    @Test func modelFilesAddTheTokensTheirModelsExpect() throws {
        let llama = try Tokenizer(
            contentsOf: Fixtures.model("tokenizers/bpe-llama2").appendingPathComponent("tokenizer.model"))
        #expect(llama.encode("a").first == llama.id(of: "<s>"))
        let t5 = try Tokenizer(
            contentsOf: Fixtures.model("tokenizers/unigram-t5").appendingPathComponent("spiece.model"))
        #expect(t5.encode("a").last == t5.id(of: "</s>"))
    }

    @Test func marian() throws {
        let golden = try Fixtures.json(MarianGolden.self, "marian/golden_tokens.json")
        let pair = try MarianTokenizer(contentsOf: Fixtures.model("marian"))
        for test in golden.cases {
            #expect(pair.source.encode(test.text) == test.ids_with_special, "\(Exact(test.text))")
            #expect(pair.target.encode(test.text) == test.target_ids_with_special, "\(Exact(test.text))")
            #expect(
                Exact(pair.target.decode(test.target_ids_with_special)) == Exact(test.target_decoded_skip_special),
                "\(Exact(test.text))")
        }
        // The folder's own tokenizer is the source side.
        let folder = try Tokenizer(contentsOf: Fixtures.model("marian"))
        #expect(folder.encode("le chat") == pair.source.encode("le chat"))
    }
}
