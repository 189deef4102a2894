import Foundation
import JSON
import TestSupport
import Testing

@testable import Tokenization

/// Files of another kind, cut short or made to harm: a typed error that names file and field, never a crash.
struct DamagedFileTests {
    private func load(_ json: String) throws -> Tokenizer {
        try TokenizerJSON.load(Array(json.utf8), file: "tokenizer.json")
    }

    /// Forty steps that each double a text would take a terabyte for one letter.
    @Test(arguments: [
        ("normalizer", "normalizers", #"{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}"#),
        ("normalizer", "normalizers", #"{"type": "Replace", "pattern": {"Regex": "a"}, "content": "aa"}"#),
        ("normalizer", "normalizers", #"{"type": "ByteLevel"}"#),
        ("pre_tokenizer", "pretokenizers", #"{"type": "ByteLevel", "use_regex": false}"#),
        ("decoder", "decoders", #"{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}"#),
    ])
    func growth(component: String, list: String, step: String) throws {
        func file(_ count: Int) -> String {
            let steps = Array(repeating: step, count: count).joined(separator: ", ")
            return #"{\#(Self.model), "\#(component)": {"type": "Sequence", "\#(list)": [\#(steps)]}}"#
        }
        _ = try load(file(2))
        #expect {
            try load(file(40))
        } throws: {
            "\($0)".contains("\"\(component)\" should be steps that lengthen a text at most")
        }
    }

    private static let model = #""model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}"#

    @Test func smallestTokenizerLoads() throws {
        let tokenizer = try load("{\(Self.model)}")
        #expect(tokenizer.encode("abba") == [2, 1, 0])
        #expect(tokenizer.decode([2, 1, 0]) == "ab b a")
        #expect(tokenizer.vocabularySize == 3)
    }

    @Test(arguments: [
        ("", "tokenizer.json"), ("[]", "the document"), ("{}", "model"), ("nonsense", "byte 0"),
        (#"{"model": {"type": "Klingon"}}"#, "Klingon"),
        (#"{"model": 3}"#, "model"), (#"{"model": {"type": "BPE"}}"#, "model.vocab"),
        (#"{"model": {"type": "BPE", "vocab": {}, "merges": []}}"#, "model.vocab"),
        (#"{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}"#, #"model.vocab["a"]"#),
        (#"{"model": {"type": "BPE", "vocab": {"a": 1e300}, "merges": []}}"#, #"model.vocab["a"]"#),
        (#"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}"#, "model.merges[0]"),
        (#"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]}}"#, "model.merges[0]"),
        (#"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", 3]]}}"#, "model.merges[0][1]"),
        (#"{"model": {"type": "Unigram", "vocab": [["a"]]}}"#, "model.vocab[0]"),
        (#"{"model": {"type": "Unigram", "vocab": [["a", 0]], "unk_id": 7}}"#, "model.unk_id"),
        (#"{\#(model), "pre_tokenizer": {"type": "Warp"}}"#, "Warp"),
        (#"{\#(model), "pre_tokenizer": {"kind": 1}}"#, "pre_tokenizer.type"),
        (
            #"{\#(model), "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated"}]}}"#,
            "pre_tokenizer.pretokenizers[0].pattern.Regex"
        ),
        (
            #"{\#(model), "pre_tokenizer": {"type": "Split", "pattern": {"String": "a"}, "behavior": "Sometimes"}}"#,
            "Sometimes"
        ),
        (
            #"{\#(model), "normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}}"#,
            "normalizer.precompiled_charsmap"
        ),
        (#"{\#(model), "normalizer": {"type": "Replace", "pattern": {"String": "a"}}}"#, "normalizer.content"),
        (
            #"{\#(model), "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}], "special_tokens": {}}}"#,
            "<s>"
        ),
        (#"{\#(model), "post_processor": {"type": "TemplateProcessing", "single": []}}"#, "post_processor.single"),
        (#"{\#(model), "decoder": {"type": "Strip", "content": "ab"}}"#, "decoder.content"),
        (#"{\#(model), "added_tokens": [{"id": 99999999999, "content": "x"}]}"#, "added_tokens[0].id"),
        (#"{\#(model), "added_tokens": {"a": 1}}"#, "added_tokens"), (#"{"model": {"vocab": "\ud800"}}"#, "surrogate"),
        (#"{"a" 1}"#, "colon"),
    ])
    func complains(_ json: String, _ mention: String) {
        do {
            _ = try load(json)
            Issue.record("loaded \(json)")
        } catch {
            #expect(error is TokenizationError || error is JSONError)
            #expect("\(error)".contains("tokenizer.json") && "\(error)".contains(mention), "\(error)")
        }
    }

    @Test func deepNestingIsRefused() {
        #expect(throws: JSONError.self) { try load(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONError.self) { try load(String(repeating: #"{"a":"#, count: 100_000)) }
        let nested =
            String(repeating: #"{"type":"Sequence","normalizers":["#, count: 40) + String(repeating: "]}", count: 40)
        #expect(throws: JSONError.self) { try load("{\(Self.model), \"normalizer\": \(nested)}") }
    }

    @Test func sparseIDsCostNoMemory() throws {
        let tokenizer = try load(#"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 2147483647}, "merges": []}}"#)
        #expect(tokenizer.encode("ab") == [0, 2147483647])
        #expect(tokenizer.piece(2147483647) == "b")
        #expect(tokenizer.piece(5) == nil)
    }

    @Test func absentFiles() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tokenizer-\(UUID().uuidString)")
        #expect(throws: TokenizationError.self) { try Tokenizer(contentsOf: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        do {
            _ = try Tokenizer(contentsOf: folder)
            Issue.record("an empty folder made a tokenizer")
        } catch let error as TokenizationError {
            #expect(error.description.contains("tokenizer.json"))
        }
    }

    /// Every prefix of a real file and many single-byte changes: loads or throws, never crashes.
    @Test(
        .needsLargeFixtures,
        arguments: ["tokenizers/bpe-llama3", "tokenizers/unigram-t5", "tokenizers/wordpiece"])
    func mutilatedJSON(_ folder: String) throws {
        let whole = Array(try Data(contentsOf: Fixtures.model(folder).appendingPathComponent("tokenizer.json")))
        for count in stride(from: 0, to: whole.count - 1, by: max(1, whole.count / 60)) {
            #expect(throws: JSONError.self) { try TokenizerJSON.load(Array(whole[..<count]), file: "cut.json") }
        }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<60 {
            var bytes = whole
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if let tokenizer = try? TokenizerJSON.load(bytes, file: "changed.json") { exercise(tokenizer) }
        }
    }

    @Test(
        .needsLargeFixtures,
        arguments: [("tokenizers/bpe-llama2", "tokenizer.model"), ("tokenizers/unigram-t5", "spiece.model")])
    func mutilatedProtobuf(_ folder: String, _ file: String) throws {
        let whole = Array(try Data(contentsOf: Fixtures.model(folder).appendingPathComponent(file)))
        var generator = SystemRandomNumberGenerator()
        for round in 0..<300 {
            var bytes = whole
            if round % 3 == 0 {
                bytes.removeLast(Int.random(in: 1..<bytes.count, using: &generator))
            } else {
                for _ in 0..<4 {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
            }
            do {
                exercise(try SentencePieceModel(bytes, file: file).makeTokenizer(addsBOS: true, addsEOS: true))
            } catch {
                #expect(error is TokenizationError)
            }
        }
        #expect(throws: TokenizationError.self) { try SentencePieceModel([], file: file) }
        // A length of 2^63 announces more than the file has.
        #expect(throws: TokenizationError.self) {
            try SentencePieceModel([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], file: file)
        }
    }

    private func exercise(_ tokenizer: Tokenizer) {
        let ids = tokenizer.encode("Hello wörld, 日本語 </s> e\u{302}\u{303} 123 <0x41> 😀")
        _ = tokenizer.decode(ids, skipSpecialTokens: false)
        _ = tokenizer.decode([0, 1, 2, -5, 1 << 40, Int.max])
    }

    @Test func ggufMetadata() {
        let good = GGUFVocabulary(model: "gpt2", pre: "gpt-2", tokens: ["a", "b", "ab"], merges: ["a b"])
        func error(_ change: (inout GGUFVocabulary) -> Void) -> String {
            var vocabulary = good
            change(&vocabulary)
            do {
                _ = try Tokenizer(vocabulary, file: "model.gguf")
                return ""
            } catch { return "\(error)" }
        }
        #expect(error { _ in } == "")
        #expect(error { $0.model = "rwkv" }.contains("tokenizer.ggml.model"))
        #expect(error { $0.pre = "klingon" }.contains("klingon"))
        #expect(error { $0.tokens = [] }.contains("tokenizer.ggml.tokens"))
        #expect(error { $0.types = [1] }.contains("tokenizer.ggml.token_type"))
        #expect(error { $0.scores = [1] }.contains("tokenizer.ggml.scores"))
        #expect(error { $0.bos = 3 }.contains("tokenizer.ggml.bos_token_id"))
        #expect(error { $0.merges = ["ab"] }.contains("tokenizer.ggml.merges[0]"))
        #expect(error { $0.merges = ["a c"] }.contains("tokenizer.ggml.merges[0]"))
        #expect(error { $0.model = "llama" }.contains("tokenizer.ggml.scores"))
        #expect(error { $0.model = "bert" }.contains("[UNK]"))
        #expect(
            error {
                $0.model = "t5"; $0.scores = [0, 0, 0]; $0.charactersMap = [1, 2]
            }.contains("precompiled_charsmap"))
    }
}
