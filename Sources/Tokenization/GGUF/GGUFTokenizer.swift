extension Tokenizer {
    /// Makes a tokenizer from GGUF metadata.
    /// - Parameter file: the file's name, for error messages.
    /// - Throws: `TokenizationError`.
    package convenience init(_ vocabulary: GGUFVocabulary, file: String) throws {
        guard let make = GGUFTokenizer.makers[vocabulary.model] else {
            throw TokenizationError.unsupported(
                file: file, field: "tokenizer.ggml.model", kind: vocabulary.model,
                known: GGUFTokenizer.makers.keys.sorted())
        }
        try vocabulary.validate(file: file)
        self.init(copying: try make(vocabulary, file))
    }
}

extension GGUFVocabulary {
    fileprivate func validate(file: String) throws {
        func check(_ condition: Bool, _ field: String, _ expected: String, _ actual: @autoclosure () -> String) throws {
            guard condition else {
                throw TokenizationError.field(
                    file: file, field: "tokenizer.ggml.\(field)", expected: expected, actual: actual())
            }
        }
        try check(!tokens.isEmpty && tokens.count < Int(Int32.max), "tokens", "a vocabulary", "\(tokens.count) tokens")
        try check(scores.isEmpty || scores.count == tokens.count, "scores", "\(tokens.count) scores", "\(scores.count)")
        try check(scores.allSatisfy { !$0.isNaN }, "scores", "numbers", "not a number")
        try check(types.isEmpty || types.count == tokens.count, "token_type", "\(tokens.count) types", "\(types.count)")
        let ids = [
            ("bos_token_id", bos), ("eos_token_id", eos), ("unknown_token_id", unknown),
            ("seperator_token_id", separator), ("padding_token_id", padding),
            ("cls_token_id", classification),
        ]
        for case let (name, id?) in ids {
            try check(tokens.indices.contains(id), name, "an id below \(tokens.count)", "\(id)")
        }
    }

    fileprivate func type(_ id: Int) -> SentencePieceModel.PieceType {
        types.isEmpty ? .normal : SentencePieceModel.PieceType(rawValue: Int(types[id])) ?? .normal
    }

    /// Control and user-defined tokens.
    fileprivate var addedTokens: [AddedToken] {
        tokens.enumerated().compactMap { id, piece in
            let type = type(id)
            guard !piece.isEmpty, type == .control || type == .userDefined || type == .unknown else { return nil }
            return AddedToken(id: id, content: Array(piece.utf8), isSpecial: type != .userDefined)
        }
    }
}

/// The pipelines by `tokenizer.ggml.model`.
enum GGUFTokenizer {
    static let makers: [String: @Sendable (GGUFVocabulary, _ file: String) throws -> Tokenizer] = [
        "gpt2": makeByteLevel, "llama": makeSentencePiece, "t5": makeUnigram, "bert": makeWordPiece,
    ]

    @Sendable private static func makeByteLevel(_ gguf: GGUFVocabulary, file: String) throws -> Tokenizer {
        let split = try GGUFPreTokenizer.named(gguf.pre ?? "default", file: file)
        let vocabulary = Vocabulary(gguf.tokens.enumerated().map { (Array($1.utf8), $0) })
        var merges = PairTable(minimumCapacity: min(gguf.merges.count, 1 << 20))
        for (rank, merge) in gguf.merges.enumerated() {
            // A token may itself begin with a space.
            let bytes = Array(merge.utf8)
            let field = "tokenizer.ggml.merges[\(rank)]"
            guard let space = bytes.dropFirst().firstIndex(of: 0x20), space + 1 < bytes.count else {
                throw TokenizationError.field(
                    file: file, field: field, expected: "two tokens with a space between", actual: "\"\(merge)\"")
            }
            try TokenModelRegistry.add(
                Array(bytes[..<space]), Array(bytes[(space + 1)...]), rank: rank, to: &merges, vocabulary, file: file,
                field: field)
        }
        var model = BytePairEncoding(vocabulary: vocabulary, merges: merges)
        model.ignoresMerges = split.ignoresMerges
        model.unknown = gguf.unknown.map(Int32.init)
        return Tokenizer(
            preTokenizer: try split.makePreTokenizer(file: file), model: model,
            postProcessor: SurroundingPostProcessor(
                before: gguf.addsBOS ?? split.addsBOS ? [gguf.bos].compactMap { $0 } : [],
                after: gguf.addsEOS ?? false ? [gguf.eos].compactMap { $0 } : []),
            decoder: [ByteLevelStage()], addedTokens: gguf.addedTokens, addedTokensAreLiteral: true)
    }

    private static func sentencePiece(_ gguf: GGUFVocabulary, _ algorithm: SentencePieceModel.Algorithm, file: String)
        throws -> SentencePieceModel
    {
        guard gguf.scores.count == gguf.tokens.count else {
            throw TokenizationError.field(
                file: file, field: "tokenizer.ggml.scores", expected: "\(gguf.tokens.count) scores", actual: "none")
        }
        var model = SentencePieceModel()
        model.algorithm = algorithm
        model.pieces = gguf.tokens.enumerated().map { id, text in
            .init(
                text: Array(text.utf8), score: gguf.scores[id],
                type: id == gguf.unknown && gguf.types.isEmpty ? .unknown : gguf.type(id))
        }
        model.bos = gguf.bos
        model.eos = gguf.eos
        model.addsDummyPrefix = gguf.addsSpacePrefix ?? true
        model.removesExtraWhitespace = gguf.removesExtraWhitespace ?? (algorithm == .unigram)
        if !gguf.charactersMap.isEmpty {
            guard let map = CharacterMap(gguf.charactersMap) else {
                throw TokenizationError.field(
                    file: file, field: "tokenizer.ggml.precompiled_charsmap", expected: "a character map",
                    actual: "something else")
            }
            model.characterMap = map
        }
        return model
    }

    @Sendable private static func makeSentencePiece(_ gguf: GGUFVocabulary, file: String) throws -> Tokenizer {
        try sentencePiece(gguf, .bytePair, file: file)
            .makeTokenizer(addsBOS: gguf.addsBOS ?? true, addsEOS: gguf.addsEOS ?? false, findsControls: true)
    }

    @Sendable private static func makeUnigram(_ gguf: GGUFVocabulary, file: String) throws -> Tokenizer {
        try sentencePiece(gguf, .unigram, file: file)
            .makeTokenizer(addsBOS: gguf.addsBOS ?? false, addsEOS: gguf.addsEOS ?? true, findsControls: true)
    }

    /// BERT's spelling of the pieces: GGUF marks those that begin a word (`▁the`), BERT those that do not (`##ing`).
    @Sendable private static func makeWordPiece(_ gguf: GGUFVocabulary, file: String) throws -> Tokenizer {
        let mark = "\u{2581}"
        let usesMarks = gguf.tokens.contains { $0.hasPrefix(mark) }
        let entries = gguf.tokens.enumerated().map { id, piece -> (piece: [UInt8], id: Int) in
            guard usesMarks, gguf.type(id) == .normal, !piece.isEmpty else { return (Array(piece.utf8), id) }
            return (Array((piece.hasPrefix(mark) ? String(piece.unicodeScalars.dropFirst()) : "##" + piece).utf8), id)
        }
        return try PlainFormats.bert(Vocabulary(entries), file: file, lowercases: true)
    }
}
