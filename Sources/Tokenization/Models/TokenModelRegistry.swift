import JSON

/// Factories of models by the "type" in tokenizer.json; older files without it are recognized by their fields.
enum TokenModelRegistry {
    static func make(_ field: JSONReader) throws -> any TokenModel {
        let type = try field.stringIfPresent("type") ?? inferredType(field)
        guard let maker = makers[type] else {
            throw TokenizationError.unsupported(
                file: field.file, field: field.path, kind: type, known: makers.keys.sorted())
        }
        return try maker(field)
    }

    private static let makers: [String: @Sendable (JSONReader) throws -> any TokenModel] = [
        "BPE": makeBytePairEncoding, "Unigram": makeUnigram, "WordPiece": makeWordPiece, "WordLevel": makeWordLevel,
    ]

    private static func inferredType(_ field: JSONReader) throws -> String {
        if try field.memberIfPresent("merges") != nil { return "BPE" }
        if case .array = try field.member("vocab").value { return "Unigram" }
        return try field.memberIfPresent("continuing_subword_prefix") != nil ? "WordPiece" : "WordLevel"
    }

    /// `{"piece": id, …}`
    static func vocabulary(_ field: JSONReader) throws -> Vocabulary {
        let entries = try field.object().members.map { key, value in
            // The path of an entry is composed only for an error: there are hundreds of thousands of entries.
            guard let id = value.intValue, (0...Int(Int32.max)).contains(id) else {
                let place = "\(field.path)[\"\(key)\"]"
                return (piece: Array(key.utf8), id: try JSONReader(value, file: field.file, path: place).count())
            }
            return (piece: Array(key.utf8), id: id)
        }
        guard !entries.isEmpty else { throw field.wrongType(expected: "a vocabulary", actual: "empty") }
        return Vocabulary(entries)
    }

    @Sendable private static func makeBytePairEncoding(_ field: JSONReader) throws -> any TokenModel {
        let vocabulary = try vocabulary(field.member("vocab"))
        let prefix = try field.bytes("continuing_subword_prefix", default: "")
        let list = try field.member("merges")
        var merges = PairTable(minimumCapacity: 0)
        for (rank, element) in try list.elements().enumerated() {
            let (left, right) = try pair(element)
            try add(
                left, right, rank: rank, prefix: prefix.count, to: &merges, vocabulary, file: field.file,
                field: element.path)
        }
        var model = BytePairEncoding(vocabulary: vocabulary, merges: merges)
        if let unknown = try field.memberIfPresent("unk_token") { model.unknown = vocabulary.id(try unknown.bytes()) }
        model.fusesUnknown = try field.bool("fuse_unk", default: false)
        model.ignoresMerges = try field.bool("ignore_merges", default: false)
        model.continuingPrefix = prefix
        model.wordSuffix = try field.bytes("end_of_word_suffix", default: "")
        if try field.bool("byte_fallback", default: false) {
            model.byteTokens = BytePairEncoding.byteTokens(of: vocabulary)
        }
        return model
    }

    /// Adds a merge. The joined spelling must be a token.
    static func add(
        _ left: [UInt8], _ right: [UInt8], rank: Int, prefix: Int = 0, to merges: inout PairTable,
        _ vocabulary: Vocabulary, file: String, field: String
    ) throws {
        func id(_ piece: [UInt8]) throws -> Int32 {
            guard let id = vocabulary.id(piece) else {
                throw TokenizationError.missingToken(
                    file: file, field: field, token: String(decoding: piece, as: UTF8.self))
            }
            return id
        }
        let merged = try id(left + right.dropFirst(prefix))
        merges.set(PairTable.key(try id(left), try id(right)), .init(first: Int32(rank), second: merged))
    }

    /// `["a", "b"]` or the older `"a b"`.
    private static func pair(_ field: JSONReader) throws -> ([UInt8], [UInt8]) {
        if case .string(let text) = field.value {
            let parts = text.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw field.wrongType(expected: "two tokens with a space between", actual: "\(parts.count)")
            }
            return (Array(parts[0]), Array(parts[1]))
        }
        let parts = try field.elements()
        guard parts.count == 2 else {
            throw field.wrongType(expected: "two tokens", actual: "\(parts.count)")
        }
        return (try parts[0].bytes(), try parts[1].bytes())
    }

    @Sendable private static func makeUnigram(_ field: JSONReader) throws -> any TokenModel {
        var entries: [(piece: [UInt8], id: Int)] = []
        var scores: [Double] = []
        let vocabularyField = try field.member("vocab")
        for (id, element) in try vocabularyField.elements().enumerated() {
            let parts = try element.elements()
            guard parts.count == 2 else { throw element.wrongType(expected: "a token and its score") }
            entries.append((try parts[0].bytes(), id))
            scores.append(
                try parts[1].converted("a finite number") { $0.doubleValue.flatMap { $0.isFinite ? $0 : nil } })
        }
        guard !entries.isEmpty else {
            throw vocabularyField.wrongType(expected: "a vocabulary", actual: "empty")
        }
        let vocabulary = Vocabulary(entries)
        var unknown: Int32?
        if let unknownField = try field.memberIfPresent("unk_id") {
            let id = try unknownField.count()
            guard id < entries.count else {
                throw unknownField.wrongType(expected: "less than \(entries.count)", actual: "\(id)")
            }
            unknown = Int32(id)
        }
        let fallback =
            try field.bool("byte_fallback", default: false) ? BytePairEncoding.byteTokens(of: vocabulary) : nil
        return UnigramModel(
            vocabulary: vocabulary, scores: scores, unknown: unknown, byteTokens: fallback,
            lowestScore: scores.min() ?? 0, isInTrie: { _ in true })
    }

    @Sendable private static func makeWordPiece(_ field: JSONReader) throws -> any TokenModel {
        let vocabulary = try vocabulary(field.member("vocab"))
        return WordPiece(
            vocabulary: vocabulary,
            unknown: vocabulary.id(try field.bytes("unk_token", default: "[UNK]")),
            continuingPrefix: try field.bytes("continuing_subword_prefix", default: "##"),
            maximumCharacters: try field.count("max_input_chars_per_word", default: 100))
    }

    @Sendable private static func makeWordLevel(_ field: JSONReader) throws -> any TokenModel {
        let vocabulary = try vocabulary(field.member("vocab"))
        return WordLevel(
            vocabulary: vocabulary,
            unknown: vocabulary.id(try field.bytes("unk_token", default: "<unk>")))
    }
}
