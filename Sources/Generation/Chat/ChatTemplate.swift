import Checkpoint
import Foundation
import Models
import JSON

/// The source of a chat template, with the special tokens that it may write.
struct ChatTemplate: Sendable {
    /// File it was found in.
    let file: String
    let source: String
    /// Variables such as `bos_token`, for the tokens that the model has.
    let tokens: [String: String]

    /// Names of the tokens that transformers passes to templates.
    private static let tokenNames = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    /// The template that a checkpoint's files hold, or `nil` where they hold none.
    /// - Throws: `CheckpointError` for a file that is damaged.
    static func find(in files: ModelFiles) throws -> ChatTemplate? {
        if let gguf = files.checkpoint.gguf { return try find(in: gguf, file: files.path) }
        let folder = URL(fileURLWithPath: files.path)
        func object(_ name: String) throws -> JSONReader? {
            let path = folder.appendingPathComponent(name).path
            return FileManager.default.fileExists(atPath: path) ? try JSONReader(contentsOf: path) : nil
        }
        let tokenizer = try object("tokenizer_config.json")
        let special = try object("special_tokens_map.json")
        var tokens: [String: String] = [:]
        for name in tokenNames {
            // A string, or an added token's whole description.
            let value = tokenizer?.value(name) ?? special?.value(name)
            let text = value?.stringValue ?? value?["content"]?.stringValue
            if let text, !text.isEmpty { tokens[name] = text }
        }
        func template(_ text: String, _ name: String) -> ChatTemplate {
            ChatTemplate(file: folder.appendingPathComponent(name).path, source: text, tokens: tokens)
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

    private static func find(in gguf: GGUFMetadata, file: String) throws -> ChatTemplate? {
        guard let text = try gguf.stringIfPresent("tokenizer.chat_template") else {
            // Ollama keeps templates beside the file, in a language of its own. Models of this architecture have one format.
            guard try gguf.stringIfPresent("general.architecture") == "mllama",
                let format = NamedFormat.all.first(where: { $0.name == "mllama" })
            else { return nil }
            return ChatTemplate(
                file: file, source: format.template, tokens: ["bos_token": format.bos, "eos_token": format.eos])
        }
        var tokens: [String: String] = [:]
        if gguf["tokenizer.ggml.tokens"] != nil {
            let vocabulary = try gguf.strings("tokenizer.ggml.tokens")
            for (name, key) in [
                ("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"), ("pad_token", "padding"),
            ] {
                guard let id = try gguf.intIfPresent("tokenizer.ggml.\(key)_token_id"), vocabulary.indices.contains(id)
                else { continue }
                tokens[name] = vocabulary[id]
            }
        }
        return ChatTemplate(file: file, source: text, tokens: tokens)
    }
}
