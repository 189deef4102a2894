import Checkpoint
import Foundation
import Models
import JSON

/// A checkpoint's chat template, read for what it writes rather than run.
///
/// Templates are programs in Jinja. `expressions` is one in a normal form in which the same program always looks the
/// same, so that a format can be recognized by the expressions it consists of, and its particular strings read off:
/// Jinja's white-space rules applied (as transformers sets them: `trim_blocks`, `lstrip_blocks`), comments dropped, no
/// space inside of `{{ }}` and `{% %}`, `a.b` written `a[«b»]`, strings between « and » with their escapes resolved,
/// and neighboring strings joined. `{{ '<|user|>' + '\n' + message.content }}` is `{{«<|user|>⏎»+message[«content»]}}`.
struct ChatTemplate: Sendable {
    /// Where it was found.
    let file: String
    let expressions: String
    /// The tokens at the beginning and end of a text.
    let bos: String
    let eos: String

    init(_ source: String, file: String, bos: String, eos: String) {
        self.file = file
        self.bos = bos
        self.eos = eos
        // The longest that anybody publishes are a tenth of this; what is longer is no template to be searched.
        expressions = source.utf8.count > Self.mostBytes ? "" : TemplateLexer(source).normalForm()
    }

    private static let mostBytes = 256 << 10

    func has(_ text: String) -> Bool { expressions.contains(text) }
    func has(any texts: [String]) -> Bool { texts.contains(where: has) }

    /// What stands in for `*` in the first place where `before*after` occurs, if it holds neither « nor ».
    func capture(_ before: String, _ after: String) -> String? {
        var rest = expressions[...]
        while let start = rest.firstRange(of: before) {
            if let end = rest[start.upperBound...].firstRange(of: after) {
                let found = rest[start.upperBound..<end.lowerBound]
                if !found.contains(where: { $0 == "«" || $0 == "»" }) { return String(found) }
            }
            rest = rest[start.upperBound...]
        }
        return nil
    }

    /// Whether the template asks for the beginning of an answer at all.
    var asksForAnswer: Bool { has("add_generation_prompt") }
    /// The token before everything, where the template writes it first.
    var leadingBOS: String {
        expressions.trimmingPrefix(while: \.isNewline).hasPrefix("{{bos_token}}") || has("%}{{bos_token}}{%for")
            ? bos : ""
    }
    /// Templates that treat what a model thinks by itself are not any of the formats here.
    var isReasoning: Bool { has(any: ["<think>", "</think>", "enable_thinking", "reasoning_content"]) }
}

// MARK: - Files

extension ChatTemplate {
    /// The template that a checkpoint's files hold, or `nil` where they hold none.
    /// - Throws: `CheckpointError` for a file that is damaged.
    static func find(in files: ModelFiles) throws -> ChatTemplate? {
        if let gguf = files.checkpoint.gguf {
            guard let text = try gguf.stringIfPresent("tokenizer.chat_template") else { return nil }
            func token(_ name: String) throws -> String {
                guard let id = try gguf.intIfPresent("tokenizer.ggml.\(name)_token_id"),
                    gguf["tokenizer.ggml.tokens"] != nil
                else { return "" }
                let tokens = try gguf.strings("tokenizer.ggml.tokens")
                return tokens.indices.contains(id) ? tokens[id] : ""
            }
            return ChatTemplate(text, file: files.path, bos: try token("bos"), eos: try token("eos"))
        }
        let folder = URL(fileURLWithPath: files.path)
        func object(_ name: String) throws -> JSONReader? {
            let path = folder.appendingPathComponent(name).path
            return FileManager.default.fileExists(atPath: path) ? try JSONReader(contentsOf: path) : nil
        }
        let tokenizer = try object("tokenizer_config.json")
        let special = try object("special_tokens_map.json")
        func token(_ name: String) -> String {
            for file in [tokenizer, special] {
                // A string, or an added token's whole description.
                if let value = file?.value(name) { return value.stringValue ?? value["content"]?.stringValue ?? "" }
            }
            return ""
        }
        func template(_ text: String, _ name: String) -> ChatTemplate {
            ChatTemplate(
                text, file: folder.appendingPathComponent(name).path, bos: token("bos_token"), eos: token("eos_token"))
        }
        let plain = folder.appendingPathComponent("chat_template.jinja")
        if FileManager.default.fileExists(atPath: plain.path) {
            return template(String(decoding: try Data(contentsOf: plain), as: UTF8.self), "chat_template.jinja")
        }
        if let text = try object("chat_template.json")?.stringIfPresent("chat_template") {
            return template(text, "chat_template.json")
        }
        switch tokenizer?.value("chat_template") {
        case .string(let text): return template(text, "tokenizer_config.json")
        case .array(let named):
            // Several by name: tools, retrieval, and the one for talking.
            let chosen = named.first { $0["name"]?.stringValue == "default" } ?? named.first
            return chosen?["template"]?.stringValue.map { template($0, "tokenizer_config.json") }
        default: return nil
        }
    }
}
