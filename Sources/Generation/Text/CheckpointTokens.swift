import Checkpoint
import Foundation
import Models
import Tokenization

extension Tokenizer {
    /// The tokenizer that comes with a model: in its folder, or in the file of weights. Beside OpenAI's Whisper files, which
    /// hold none, that of any other copy of the model may lie.
    package convenience init(_ files: ModelFiles) throws {
        if let gguf = files.checkpoint.gguf, files.configuration == nil {
            try self.init(GGUFVocabulary(gguf), file: files.path)
        } else if let header = files.checkpoint.whisper {
            if let tokens = header.tokens {
                try self.init(
                    WhisperVocabulary(tokens: tokens, count: header.dimensions.vocabulary), file: files.path)
            } else {
                let folder = URL(fileURLWithPath: files.checkpoint.files[0]).deletingLastPathComponent()
                let count = header.dimensions.vocabulary
                // Vocabularies of English-only models are one token smaller, and have one language token less.
                let tiktoken = folder.appending(path: count > 51864 ? "multilingual.tiktoken" : "gpt2.tiktoken")
                func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }
                if exists(tiktoken), !exists(folder.appending(path: "tokenizer.json")) {
                    try self.init(WhisperVocabulary(tiktoken: tiktoken, count: count), file: tiktoken.path)
                } else {
                    try self.init(contentsOf: folder)
                }
            }
        } else {
            try self.init(contentsOf: URL(fileURLWithPath: files.configuration?.folder ?? files.path))
        }
    }
}

/// The tokenizers of a model's input and output: Marian has two, other models share one.
package struct TokenizerPair {
    package let source: Tokenizer
    package let target: Tokenizer

    package init(_ files: ModelFiles) throws {
        let folder = URL(fileURLWithPath: files.path)
        if FileManager.default.fileExists(atPath: folder.appending(path: "target.spm").path) {
            let pair = try MarianTokenizer(contentsOf: folder)
            (source, target) = (pair.source, pair.target)
        } else {
            target = try Tokenizer(files)
            source = target
        }
    }
}

/// End-of-sequence tokens that a checkpoint declares.
package enum EndTokens {
    package static func read(_ files: ModelFiles, _ tokenizer: Tokenizer) throws -> Set<Int> {
        var ids: Set<Int> = []
        if let gguf = files.checkpoint.gguf {
            if gguf["tokenizer.ggml.eos_token_ids"] != nil {
                ids.formUnion(try gguf.ints("tokenizer.ggml.eos_token_ids"))
            }
            for name in ["eos", "eot", "eom"] {
                ids.formUnion([try gguf.intIfPresent("tokenizer.ggml.\(name)_token_id")].compactMap { $0 })
            }
        }
        if let configuration = files.configuration {
            ids.formUnion(
                try configuration.generation.ints(
                    "eos_token_id", default: configuration.main.ints("eos_token_id", default: [])))
        }
        return ids.filter { tokenizer.piece($0) != nil }
    }
}
