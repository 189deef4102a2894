import JSON

/// A reader of tokenizer.json. Truncation and padding in such files are settings of a training run and are ignored.
enum TokenizerJSON {
    static func load(_ data: [UInt8], file: String) throws -> Tokenizer {
        let root = try JSONReader(parsing: data, file: file, duplicateKeys: .lastCounts)
        let model = try TokenModelRegistry.make(root.object("model"))
        let normalizer = try root.memberIfPresent("normalizer").map { try NormalizerRegistry.make($0) }
        let preTokenizer = try root.memberIfPresent("pre_tokenizer").map { try PreTokenizerRegistry.make($0) }
        let decoder = try root.memberIfPresent("decoder").map { try DecoderRegistry.make($0) }
        for component in ["normalizer", "pre_tokenizer", "decoder"] {
            if let field = try root.memberIfPresent(component) { try ComponentRegistry.checkGrowth(field) }
        }
        return Tokenizer(
            normalizer: normalizer,
            preTokenizer: preTokenizer,
            model: model,
            postProcessor: try root.memberIfPresent("post_processor").map { try PostProcessorRegistry.make($0) },
            decoder: decoder ?? DecoderRegistry.spaced,
            addedTokens: try addedTokens(root, vocabulary: model.vocabulary))
    }

    /// A token that the model's vocabulary has too keeps that id.
    private static func addedTokens(_ root: JSONReader, vocabulary: Vocabulary) throws -> [AddedToken] {
        guard let list = try root.memberIfPresent("added_tokens") else { return [] }
        return try list.elements().compactMap { field in
            let content = try field.bytes("content")
            let id = try field.count("id")
            guard !content.isEmpty else { return nil }
            let isSpecial = try field.bool("special", default: false)
            return AddedToken(
                id: vocabulary.id(content).map(Int.init) ?? id, content: content,
                singleWord: try field.bool("single_word", default: false),
                stripsLeft: try field.bool("lstrip", default: false),
                stripsRight: try field.bool("rstrip", default: false),
                isNormalized: try field.bool("normalized", default: !isSpecial),
                isSpecial: isSpecial)
        }
    }
}
