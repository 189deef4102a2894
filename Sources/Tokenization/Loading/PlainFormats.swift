import Foundation
import JSON

/// Formats that consist of a vocabulary; their settings come from `tokenizer_config.json` in the same folder.
enum PlainFormats {
    /// A SentencePiece `.model`. By default, inputs begin with the begin-of-text piece if there is one (Llama), else they end
    /// with the end-of-text piece (T5); the configuration overrides that.
    @Sendable static func sentencePiece(_ file: URL) throws -> Tokenizer {
        let model = try SentencePieceModel(TokenizerFormat.read(file), file: file.path)
        let configuration = try configuration(beside: file)
        return model.makeTokenizer(
            addsBOS: try configuration?.boolIfPresent("add_bos_token") ?? (model.bos != nil),
            addsEOS: try configuration?.boolIfPresent("add_eos_token") ?? (model.bos == nil))
    }

    /// GPT-2's `vocab.json` with `merges.txt`.
    @Sendable static func byteLevelBPE(_ file: URL) throws -> Tokenizer {
        let vocabulary = try TokenModelRegistry.vocabulary(
            JSONReader(contentsOf: file.path, duplicateKeys: .lastCounts))
        let mergesFile = file.deletingLastPathComponent().appendingPathComponent("merges.txt")
        var merges = PairTable()
        var rank = 0
        for (number, line) in try TokenizerFormat.read(mergesFile).split(
            separator: 0x0A, omittingEmptySubsequences: false
        ).enumerated() {
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.isEmpty || number == 0 && line.starts(with: Array("#version".utf8)) { continue }
            let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
            let field = "line \(number + 1)"
            guard parts.count == 2 else {
                throw TokenizationError.field(
                    file: mergesFile.path, field: field, expected: "two tokens with a space between",
                    actual: "\(parts.count)")
            }
            try TokenModelRegistry.add(
                Array(parts[0]), Array(parts[1]), rank: rank, to: &merges, vocabulary, file: mergesFile.path,
                field: field)
            rank += 1
        }
        var model = BytePairEncoding(vocabulary: vocabulary, merges: merges)
        let special = Array("<|endoftext|>".utf8)
        model.unknown = vocabulary.id(special)
        return Tokenizer(
            preTokenizer: try ByteLevelPreTokenizer(), model: model, decoder: [ByteLevelStage()],
            addedTokens: vocabulary.id(special).map { [AddedToken(id: Int($0), content: special, isSpecial: true)] }
                ?? [])
    }

    /// BERT's `vocab.txt`, one piece a line.
    @Sendable static func wordPiece(_ file: URL) throws -> Tokenizer {
        var lines = try TokenizerFormat.read(file).split(separator: 0x0A, omittingEmptySubsequences: false).map {
            $0.last == 0x0D ? $0.dropLast() : $0
        }
        if lines.last?.isEmpty == true { lines.removeLast() }
        guard !lines.isEmpty else {
            throw TokenizationError.field(
                file: file.path, field: "the vocabulary", expected: "one piece a line", actual: "nothing")
        }
        let configuration = try configuration(beside: file)
        return try bert(
            Vocabulary(lines.enumerated().map { (Array($1), $0) }), file: file.path,
            lowercases: try configuration?.boolIfPresent("do_lower_case") ?? true)
    }

    /// The pipeline of BERT, with a vocabulary that marks continuations by `##`.
    static func bert(_ vocabulary: Vocabulary, file: String, lowercases: Bool) throws -> Tokenizer {
        func id(_ piece: String) throws -> Int {
            guard let id = vocabulary.id(Array(piece.utf8)) else {
                throw TokenizationError.missingToken(file: file, field: "the vocabulary", token: piece)
            }
            return Int(id)
        }
        let added = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].compactMap { piece in
            vocabulary.id(Array(piece.utf8)).map {
                AddedToken(id: Int($0), content: Array(piece.utf8), isSpecial: true)
            }
        }
        return Tokenizer(
            normalizer: BertNormalizer(stripsAccents: lowercases, lowercases: lowercases),
            preTokenizer: SequencePreTokenizer.bert,
            model: WordPiece(
                vocabulary: vocabulary, unknown: Int32(try id("[UNK]")), continuingPrefix: Array("##".utf8),
                maximumCharacters: 100),
            postProcessor: SurroundingPostProcessor(before: [try id("[CLS]")], after: [try id("[SEP]")]),
            decoder: [DecoderRegistry.wordPiece(prefix: Array("##".utf8), cleansUp: true)], addedTokens: added)
    }

    private static func configuration(beside file: URL) throws -> JSONReader? {
        let url = file.deletingLastPathComponent().appendingPathComponent("tokenizer_config.json")
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        return try JSONReader(contentsOf: url.path, duplicateKeys: .lastCounts)
    }
}
