import ChatTemplates
import Foundation
import JSON
import Regex
import Tokenization

/// Readers of JSON, tokenizers, regular expressions and chat templates.
extension FuzzParser {
    static var texts: [FuzzParser] {
        [
            json, tokenizer("tokenizer", file: "tokenizer.json", form: .json),
            tokenizer("sentencepiece", file: "spiece.model"),
            tokenizer("wordpiece", file: "vocab.txt", form: .framed(LineFraming())),
            bytePairs, tiktoken, regex, template,
        ]
    }

    /// A line with words, markup, other scripts, joined characters, control characters and spaces of several kinds.
    private static let line =
        "Hello, WORLD! it's <|im_end|></s> 3.14159 na\u{EF}ve e\u{301} \u{4F60}\u{597D}\u{3000}\u{1F469}\u{200D}\u{1F467}"
        + "  \t\r\n\u{0}\u{2028} \u{1E9E}\u{FB01} \u{5D0}\u{5B0} ##a " + String(repeating: "a", count: 64)

    private static let json = FuzzParser(name: "json", form: .json) { input in
        let value = try JSONReader(parsing: input, file: "input.json")
        _ = try? JSONParser.parse(input, duplicateKeys: .lastCounts)
        for key in value.value.objectValue?.keys.prefix(64) ?? [] {
            _ = try? value.int(key)
            _ = try? value.double(key)
            _ = try? value.string(key)
            _ = try? value.bool(key)
            _ = try? value.intLists(key)
            _ = try? value.member(key).strings()
            _ = try? value.member(key).doubles()
        }
    }

    /// Encodes the line, and decodes the tokens whole and one at a time.
    private static func exercise(_ tokenizer: Tokenizer) {
        let ids = tokenizer.encode(line)
        _ = tokenizer.encode([("<s>", true), (line, false)])
        _ = tokenizer.decode(ids)
        _ = tokenizer.decode(0..<32, skipSpecialTokens: false)
        for id in ids.prefix(32) {
            _ = tokenizer.piece(id).flatMap { tokenizer.id(of: $0) }
            _ = tokenizer.bytes(of: id)
        }
        _ = tokenizer.decode([-1, .max, .min])
    }

    private static func tokenizer(_ name: String, file: String, form: InputForm = .bytes) -> FuzzParser {
        let folder = ScratchFolder()
        return FuzzParser(name: name, form: form) { input in
            exercise(try Tokenizer(contentsOf: URL(filePath: folder.write(input, to: file))))
        }
    }

    /// `vocab.json` and `merges.txt`, with an empty line between them.
    private static var bytePairs: FuzzParser {
        let folder = ScratchFolder()
        return FuzzParser(name: "bpe", form: .framed(LineFraming())) { input in
            let end = input.indices.dropLast().first { input[$0] == 0x0A && input[$0 + 1] == 0x0A } ?? input.count
            _ = try folder.write(Array(input[..<end]), to: "vocab.json")
            _ = try folder.write(Array(input[min(input.count, end + 2)...]), to: "merges.txt")
            exercise(try Tokenizer(contentsOf: URL(filePath: folder.path)))
        }
    }

    private static var tiktoken: FuzzParser {
        let folder = ScratchFolder()
        return FuzzParser(name: "tiktoken", form: .framed(LineFraming())) { input in
            let file = try folder.write(input, to: "m.tiktoken")
            // The special tokens of a model of one language.
            let count = input.split(separator: 0x0A).count + 1510
            exercise(try Tokenizer(WhisperVocabulary(tiktoken: URL(filePath: file), count: count), file: file))
        }
    }

    /// A pattern in the first line, the text in the others.
    private static let regex = FuzzParser(name: "regex") { input in
        let end = input.firstIndex(of: 0x0A) ?? input.count
        let pattern = try Pattern(String(decoding: input[..<end], as: UTF8.self))
        let text = Array(String(decoding: input[min(input.count, end + 1)...], as: UTF8.self).utf8)
        text.withUnsafeBufferPointer { text in
            var last = 0
            for match in pattern.matches(in: text) {
                precondition(match.lowerBound >= last && match.upperBound <= text.count)
                last = match.upperBound
            }
        }
    }

    private static let template = FuzzParser(
        name: "template", otherSeeds: ["Tests/ChatTemplatesTests/Cases/constructs.json"]
    ) { input in
        // A rendering may take ten million steps, too many for a fuzzer.
        var limits = TemplateLimits()
        limits.steps = 100_000
        limits.storage = 1_000_000
        limits.output = 100_000
        let text = try Template(String(decoding: input, as: UTF8.self)).render(
            variables, date: TemplateDate(year: 2026, month: 1, day: 15, hour: 12), limits: limits)
        precondition(text.scalars.count <= limits.output)
    }

    private static var variables: [(String, TemplateValue)] {
        func message(_ role: String, _ text: String) -> TemplateValue {
            .mapping([("role", .string(role)), ("content", .string(text, isInput: true))])
        }
        let parts = TemplateValue.list([
            .mapping([("type", .string("image"))]),
            .mapping([("type", .string("text")), ("text", .string("Look.", isInput: true))]),
        ])
        let messages = TemplateValue.list([
            message("system", "Be brief."), message("user", "Hi {{ x }}"), message("assistant", "é\u{301}\n"),
        ])
        func counted(_ role: String, _ number: Int) -> TemplateValue {
            .mapping([
                ("role", .string(role)), ("content", .string("Hi", isInput: true)),
                ("n", .mapping([("k", .integer(number))])),
            ])
        }
        return [
            ("messages", messages), ("add_generation_prompt", .bool(true)), ("bos_token", .string("<s>")),
            ("eos_token", .string("</s>")), ("tools", .none), ("no", .none), ("t", .bool(true)), ("f", .float(2.5)),
            ("n", .integer(7)), ("m", .integer(-3)), ("z", .integer(0)), ("s", .string("  Hello, wörld \n")),
            ("e", .string("")), ("q", .string("it's \"so\"\\\n")), ("x", .string("a-b_c d")),
            ("u", .string("Éß \u{1C6} \u{3A3}\u{3B1}\u{3C2} \u{1F469}\u{200D}\u{1F467}")),
            ("html", .string("<a href='x'>&\"</a>")), ("lines", .string("one\n\ntwo\r\nthree four\n")),
            ("l", .list([.integer(3), .integer(1), .integer(2)])), ("el", .list([])), ("ed", .mapping([])),
            ("w", .list([.string("b"), .string("A"), .string("c"), .string("B")])),
            (
                "d",
                .mapping([
                    ("b", .integer(1)), ("A", .integer(2)), ("items", .integer(3)),
                    ("c", .list([.integer(1), .mapping([("x", .none)])])),
                ])
            ),
            ("msgs", .list([counted("user", 2), counted("assistant", 1)])), ("parts", parts),
        ]
    }
}
