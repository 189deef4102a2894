import Foundation
import TestSupport
import Testing

@testable import Tokenization

/// Every `golden_tokens.json` of the fixtures: ids and texts, by the reference implementation of tokenizer.json.
struct GoldenTokenTests {
    struct Golden: Decodable {
        struct Case: Decodable {
            let text: String
            let ids: [Int]
            let ids_with_special: [Int]
            let decoded: String
            let decoded_with_special: String
            let decoded_skip_special: String
        }
        struct Decode: Decodable {
            let ids: [Int]
            let decoded: String
            let decoded_skip_special: String
        }
        let vocab_size: Int
        let cases: [Case]
        let decode_only: [Decode]
    }

    static let folders = Fixtures.folders(with: "golden_tokens.json").filter {
        Fixtures.contains("\($0)/tokenizer.json")
    }

    @Test func goldensAreThere() {
        #expect(Self.folders.count >= (Fixtures.available ? 12 : 4))
    }

    @Test(arguments: folders)
    func encodes(_ folder: String) throws {
        let golden = try Fixtures.json(Golden.self, "\(folder)/golden_tokens.json")
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model(folder))
        #expect(tokenizer.vocabularySize == golden.vocab_size)
        #expect(golden.cases.count >= 180)
        for test in golden.cases {
            #expect(tokenizer.encode(test.text, addSpecialTokens: false) == test.ids, "\(Exact(test.text))")
            #expect(tokenizer.encode(test.text, addSpecialTokens: true) == test.ids_with_special, "\(Exact(test.text))")
        }
    }

    @Test(arguments: folders)
    func decodes(_ folder: String) throws {
        let golden = try Fixtures.json(Golden.self, "\(folder)/golden_tokens.json")
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model(folder))
        for test in golden.cases {
            #expect(Exact(tokenizer.decode(test.ids, skipSpecialTokens: false)) == Exact(test.decoded))
            #expect(
                Exact(tokenizer.decode(test.ids_with_special, skipSpecialTokens: false))
                    == Exact(test.decoded_with_special))
            #expect(
                Exact(tokenizer.decode(test.ids_with_special, skipSpecialTokens: true))
                    == Exact(test.decoded_skip_special))
        }
        for test in golden.decode_only {
            #expect(Exact(tokenizer.decode(test.ids, skipSpecialTokens: false)) == Exact(test.decoded))
            #expect(Exact(tokenizer.decode(test.ids, skipSpecialTokens: true)) == Exact(test.decoded_skip_special))
        }
    }

    @Test(arguments: folders)
    func streamsWholeCharacters(_ folder: String) throws {
        let golden = try Fixtures.json(Golden.self, "\(folder)/golden_tokens.json")
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model(folder))
        var held = 0
        for test in golden.decode_only.map({ ($0.ids, $0.decoded) }) + golden.cases.map({ ($0.ids, $0.decoded) }) {
            var stream = StreamingDecoder(tokenizer, skipSpecialTokens: false)
            var text = ""
            for id in test.0 {
                let piece = stream.append(id)
                if piece.isEmpty { held += 1 }
                text.unicodeScalars.append(contentsOf: piece.unicodeScalars)
            }
            text.unicodeScalars.append(contentsOf: stream.finish().unicodeScalars)
            #expect(Exact(text) == Exact(test.1))
        }
        // The test strings have characters of several tokens in every vocabulary of bytes.
        if tokenizer.isByteLevel { #expect(held > 0) }
    }

    @Test(arguments: folders)
    func piecesAndIDsAgree(_ folder: String) throws {
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model(folder))
        for id in 0..<tokenizer.vocabularySize {
            let piece = try #require(tokenizer.piece(id))
            #expect(tokenizer.id(of: piece) == id)
        }
        #expect(tokenizer.piece(tokenizer.vocabularySize + 5) == nil)
        #expect(tokenizer.piece(-1) == nil)
    }
}
