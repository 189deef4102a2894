import Checkpoint
import Tokenization

extension GGUFVocabulary {
    /// The vocabulary in a GGUF file's metadata.
    /// - Throws: `CheckpointError` for keys that are absent or of another type.
    package init(_ gguf: GGUFMetadata) throws {
        func key(_ name: String) -> String { "tokenizer.ggml.\(name)" }
        func flag(_ name: String) throws -> Bool? {
            gguf[key(name)] == nil ? nil : try gguf.bool(key(name), default: false)
        }
        func integers(_ name: String) throws -> [Int] { gguf[key(name)] == nil ? [] : try gguf.ints(key(name)) }
        self.init(
            model: try gguf.string(key("model")), pre: try gguf.stringIfPresent(key("pre")),
            tokens: try gguf.strings(key("tokens")),
            scores: gguf[key("scores")] == nil ? [] : try gguf.floats(key("scores")),
            types: try integers("token_type").map { Int32(clamping: $0) },
            merges: gguf[key("merges")] == nil ? [] : try gguf.strings(key("merges")),
            bos: try gguf.intIfPresent(key("bos_token_id")),
            eos: try gguf.intIfPresent(key("eos_token_id")), unknown: try gguf.intIfPresent(key("unknown_token_id")),
            separator: try gguf.intIfPresent(key("seperator_token_id")),
            padding: try gguf.intIfPresent(key("padding_token_id")),
            classification: try gguf.intIfPresent(key("cls_token_id")), addsBOS: try flag("add_bos_token"),
            addsEOS: try flag("add_eos_token"),
            addsSpacePrefix: try flag("add_space_prefix"), removesExtraWhitespace: try flag("remove_extra_whitespaces"),
            charactersMap: try integers("precompiled_charsmap").map { UInt8(truncatingIfNeeded: $0) })
    }
}
