import Foundation
import TestSupport
import Testing

@testable import Tokenization

/// Vocabularies of real models against the ids that the field's reference runner gives (`.inp`/`.out` files).
@Suite(.needsLargeFixtures)
struct GGUFVocabularyTests {
    static let names = ["falcon", "deepseek-coder", "gpt-2", "llama-spm", "phi-3", "bert-bge"]

    private func tokenizer(_ name: String) throws -> Tokenizer {
        let file = Fixtures.data.appending(path: "vocab").appendingPathComponent("ggml-vocab-\(name).gguf")
        return try Tokenizer(GGUFMetadata(contentsOf: file).vocabulary, file: file.lastPathComponent)
    }

    private func lines(_ name: String) throws -> [(text: String, ids: [Int])] {
        let file = Fixtures.data.appending(path: "vocab").appendingPathComponent("ggml-vocab-\(name).gguf").path
        let inputs = String(decoding: try Data(contentsOf: URL(fileURLWithPath: file + ".inp")), as: UTF8.self)
            .components(separatedBy: "\n__ggml_vocab_test__\n")
        let outputs = String(decoding: try Data(contentsOf: URL(fileURLWithPath: file + ".out")), as: UTF8.self)
            .components(separatedBy: "\n")
        return zip(inputs, outputs).map { ($0, $1.split(separator: " ").compactMap { Int($0) }) }
    }

    @Test(arguments: names)
    func encodes(_ name: String) throws {
        let tokenizer = try tokenizer(name)
        let lines = try lines(name)
        #expect(lines.count >= 40)
        for (text, ids) in lines {
            #expect(tokenizer.encode(text, addSpecialTokens: false) == ids, "\(Exact(text))")
        }
    }

    /// Byte-level and byte-fallback vocabularies lose nothing.
    @Test(arguments: ["falcon", "deepseek-coder", "gpt-2", "llama-spm", "phi-3"])
    func decodesBack(_ name: String) throws {
        let tokenizer = try tokenizer(name)
        for (text, ids) in try lines(name) { #expect(Exact(tokenizer.decode(ids)) == Exact(text)) }
    }

    @Test func specialTokensAreThoseOfTheFile() throws {
        #expect(
            try tokenizer("llama-spm").encode("Hello") == [1]
                + tokenizer("llama-spm").encode("Hello", addSpecialTokens: false))
        #expect(try tokenizer("bert-bge").encode("Hello") == [101, 7592, 102])
    }
}

/// The reference models' GGUF files hold the vocabularies of the tokenizer fixtures.
@Suite(.needsLargeFixtures)
struct GGUFFixtureTests {
    @Test(arguments: [("llama-f32", "tokenizers/bpe-llama2"), ("t5-f32", "tokenizers/unigram-t5")])
    func encodesLikeTheOriginals(_ file: String, _ folder: String) throws {
        let golden = try Fixtures.json(SentencePieceTests.Golden.self, "\(folder)/golden_tokens.json")
        let gguf = try GGUFMetadata(contentsOf: Fixtures.models.appendingPathComponent("gguf/\(file).gguf")).vocabulary
        let tokenizer = try Tokenizer(gguf, file: file)
        for test in golden.cases {
            // GGUF lists the sentinels of T5, which only tokenizer.json knows, as user-defined tokens.
            let expected = test.text.contains("<extra_id_") ? test.ids : test.sentencepiece_ids
            #expect(
                tokenizer.encode(test.text, addSpecialTokens: false, parseSpecialTokens: false) == expected,
                "\(Exact(test.text))")
        }
    }
}
