import Foundation
import TestSupport
import Testing

@testable import Tokenization

/// Whatever file a checkpoint brings, the ids are the same.
@Suite(.needsLargeFixtures)
struct FolderTests {
    static let folders = Fixtures.folders(with: "tokenizer_config.json")

    @Test(arguments: folders)
    func everyFolderLoads(_ folder: String) throws {
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model(folder))
        let ids = tokenizer.encode("the train", addSpecialTokens: false)
        #expect(!ids.isEmpty)
        #expect(tokenizer.decode(ids) == "the train")
    }

    private func texts(_ folder: String) throws -> [String] {
        try Fixtures.json(GoldenTokenTests.Golden.self, "\(folder)/golden_tokens.json").cases.map(\.text)
    }

    @Test(arguments: [("tokenizers/bpe-gpt2", "vocab.json"), ("tokenizers/wordpiece", "vocab.txt")])
    func plainFilesAgree(_ folder: String, _ file: String) throws {
        let url = Fixtures.model(folder)
        let whole = try Tokenizer(contentsOf: url.appendingPathComponent("tokenizer.json"))
        let plain = try Tokenizer(contentsOf: url.appendingPathComponent(file))
        for text in try texts(folder) {
            let ids = whole.encode(text)
            #expect(plain.encode(text) == ids, "\(Exact(text))")
            #expect(Exact(plain.decode(ids)) == Exact(whole.decode(ids)))
        }
    }

    @Test func specialTokensInForeignTextStayText() throws {
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model("smolvlm"))
        let text = "a<|im_end|>b<image>"
        let end = try #require(tokenizer.id(of: "<|im_end|>"))
        #expect(tokenizer.encode(text).contains(end))
        let plain = tokenizer.encode(text, parseSpecialTokens: false)
        #expect(!plain.contains { tokenizer.isSpecial($0) })
        #expect(tokenizer.decode(plain) == text)
        #expect(tokenizer.isSpecial(end))
    }

    @Test func bytesOfATokenNeedNoNeighbors() throws {
        let gpt2 = try Tokenizer(contentsOf: Fixtures.model("tokenizers/bpe-gpt2"))
        let ids = gpt2.encode("é 日本", addSpecialTokens: false)
        let bytes: [UInt8] = ids.flatMap { gpt2.bytes(of: $0) ?? [] }
        #expect(bytes == Array("é 日本".utf8))
        let llama = try Tokenizer(contentsOf: Fixtures.model("tokenizers/bpe-llama2"))
        let spelt: [UInt8] = llama.encode("日 a", addSpecialTokens: false).flatMap { llama.bytes(of: $0) ?? [] }
        #expect(spelt == Array(" 日 a".utf8))
    }

    @Test func marianLanguageCodes() throws {
        let leading = LeadingToken(open: Array(">>".utf8), close: Array("<<".utf8), unknown: 1)
        let (token, rest) = try #require(leading.split(Array(">>fra<< le chat".utf8)))
        #expect(String(decoding: token, as: UTF8.self) == ">>fra<<")
        #expect(String(decoding: rest, as: UTF8.self) == " le chat")
        #expect(leading.split(Array("a >>fra<<".utf8)) == nil)
        #expect(leading.split(Array(">>fra".utf8)) == nil)
        #expect(leading.split(Array(">>a\n<<".utf8)) == nil)
    }
}

/// Long texts and words: nothing quadratic. (Release builds encode several MB/s; the bounds leave room for debug builds.)
@Suite(.needsLargeFixtures, .serialized)
struct SpeedTests {
    static let stretches = [
        "x": String(repeating: "x", count: 200_000), "abcdefgh": String(repeating: "abcdefgh", count: 25_000),
        "spaces": String(repeating: " ", count: 200_000), "spaces and x": String(repeating: " ", count: 200_000) + "x",
        "line ends": String(repeating: " \n", count: 100_000), "é": String(repeating: "é", count: 100_000),
    ]

    @Test(.timeLimit(.minutes(2)), arguments: ["bpe-gpt2", "bpe-llama3", "bpe-llama2", "unigram-t5", "wordpiece"])
    func longWordsDoNotHang(_ folder: String) throws {
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model("tokenizers/\(folder)"))
        for (name, text) in Self.stretches {
            let duration = ContinuousClock().measure {
                let ids = tokenizer.encode(text, addSpecialTokens: false)
                if folder.hasPrefix("bpe") { #expect(Exact(tokenizer.decode(ids)) == Exact(text)) }
            }
            #expect(duration < .seconds(30), "\(name) took \(duration)")
        }
    }

    @Test func encodesAMegabyteASecond() throws {
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model("tokenizers/bpe-gpt2"))
        let text = String(
            repeating:
                "The train leaves at 7:45, platform 3. Où est la gare la plus proche ? don't we'll — naïve café 日本語.\n",
            count: 8000)
        var count = 0
        let duration = ContinuousClock().measure { count = tokenizer.encode(text, addSpecialTokens: false).count }
        #expect(count > 100_000)
        #if !DEBUG
            let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
            #expect(Double(text.utf8.count) / 1e6 / seconds >= 1)
        #else
            #expect(duration < .seconds(60))
        #endif
    }
}
