import JSON
import Foundation
import TestSupport
import Testing

@testable import Tokenization

/// Components and whole pipelines over random texts, against the reference implementation of tokenizer.json
/// (`Golden/pipelines.json`, made with tokenizers 0.23.3).
struct PipelineTests {
    struct Golden: Decodable {
        struct Cut: Decodable {
            let json: String
            let cases: [Case]
            struct Case: Decodable {
                let text: String
                let pieces: [String]
                init(from decoder: any Decoder) throws {
                    var container = try decoder.unkeyedContainer()
                    text = try container.decode(String.self)
                    pieces = try container.decode([String].self)
                }
            }
        }
        struct Rewrite: Decodable {
            let json: String
            let cases: [[String]]
        }
        struct Decoding: Decodable {
            let json: String
            let cases: [Case]
            struct Case: Decodable {
                let pieces: [String]
                let text: String
                init(from decoder: any Decoder) throws {
                    var container = try decoder.unkeyedContainer()
                    pieces = try container.decode([String].self)
                    text = try container.decode(String.self)
                }
            }
        }
        struct Whole: Decodable {
            struct Case: Decodable {
                let text: String?
                let ids: [Int]
                let ids_with_special: [Int]
                let decoded: String
                let decoded_skip_special: String
            }
            let name: String
            let json: String
            let cases: [Case]
        }
        let pre_tokenizers: [Cut]
        let normalizers: [Rewrite]
        let decoders: [Decoding]
        let tokenizers: [Whole]
    }

    static let golden: Golden? = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Golden/pipelines.json")
        return try? JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }()

    private func field(_ json: String) throws -> JSONReader {
        try JSONReader(parsing: Array(json.utf8), file: "golden", duplicateKeys: .lastCounts)
    }

    @Test func goldenIsThere() throws {
        let golden = try #require(Self.golden)
        #expect(golden.pre_tokenizers.count > 50)
        #expect(golden.tokenizers.count >= 7)
    }

    @Test func preTokenizers() throws {
        for component in try #require(Self.golden).pre_tokenizers {
            let preTokenizer = try PreTokenizerRegistry.make(field(component.json))
            for test in component.cases {
                var text = PreTokenizedText(Array(test.text.utf8), beginsInput: true)
                preTokenizer.apply(to: &text)
                let pieces = text.words.map { Exact(String(decoding: text.bytes[$0], as: UTF8.self)) }
                #expect(pieces == test.pieces.map(Exact.init), "\(component.json) on \(Exact(test.text))")
            }
        }
    }

    @Test func normalizers() throws {
        for component in try #require(Self.golden).normalizers {
            let normalizer = try NormalizerRegistry.make(field(component.json))
            for test in component.cases {
                let result = String(decoding: normalizer.normalize(Array(test[0].utf8)), as: UTF8.self)
                #expect(Exact(result) == Exact(test[1]), "\(component.json) on \(Exact(test[0]))")
            }
        }
    }

    @Test func decoders() throws {
        for component in try #require(Self.golden).decoders {
            let stages = try DecoderRegistry.make(field(component.json))
            for test in component.cases {
                var pipeline = DecoderPipeline(stages)
                var bytes: [UInt8] = []
                for piece in test.pieces { bytes += pipeline.accept(Array(piece.utf8)) }
                bytes += pipeline.finish()
                #expect(
                    Exact(String(decoding: bytes, as: UTF8.self)) == Exact(test.text),
                    "\(component.json) on \(test.pieces)")
            }
        }
    }

    @Test func wholeTokenizers() throws {
        for whole in try #require(Self.golden).tokenizers {
            let tokenizer = try TokenizerJSON.load(Array(whole.json.utf8), file: whole.name)
            for test in whole.cases {
                if let text = test.text {
                    #expect(
                        tokenizer.encode(text, addSpecialTokens: false) == test.ids, "\(whole.name): \(Exact(text))")
                    #expect(tokenizer.encode(text) == test.ids_with_special, "\(whole.name): \(Exact(text))")
                }
                #expect(
                    Exact(tokenizer.decode(test.ids_with_special, skipSpecialTokens: false)) == Exact(test.decoded),
                    "\(whole.name)")
                #expect(
                    Exact(tokenizer.decode(test.ids_with_special)) == Exact(test.decoded_skip_special), "\(whole.name)")
            }
        }
    }
}
