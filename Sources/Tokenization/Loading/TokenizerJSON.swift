/// Reads a tokenizer.json. Truncation and padding, which such files may carry, are settings of a training run and not applied.
enum TokenizerJSON {
    static func load(_ data: [UInt8], file: String) throws -> Tokenizer {
        let root = JSONField(value: try JSONParser.parse(data, file: file), file: file, path: "")
        guard let modelField = try root.optional("model"), case .object = modelField.value else {
            throw TokenizationError.field(
                file: file, field: "model", expected: "an object, as in every tokenizer.json",
                actual: "nothing of the kind")
        }
        let model = try ModelRegistry.make(modelField)
        let normalizer = try root.optional("normalizer").map { try NormalizerRegistry.make($0) }
        return Tokenizer(
            normalizer: normalizer,
            preTokenizer: try root.optional("pre_tokenizer").map { try PreTokenizerRegistry.make($0) },
            model: model,
            postProcessor: try root.optional("post_processor").map { try PostProcessorRegistry.make($0) },
            decoder: try root.optional("decoder").map { try DecoderRegistry.make($0) } ?? DecoderRegistry.spaced,
            addedTokens: try addedTokens(root, vocabulary: model.vocabulary))
    }

    /// A token that the model's vocabulary also has keeps the id it has there.
    private static func addedTokens(_ root: JSONField, vocabulary: Vocabulary) throws -> [AddedToken] {
        guard let list = try root.optional("added_tokens") else { return [] }
        return try list.elements().compactMap { field in
            let content = try field.bytes("content")
            let id = try field.required("id", expected: "a whole number").count()
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
