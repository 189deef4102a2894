import Foundation
import JSON

/// M2M100's tokenizer: pieces of `sentencepiece.bpe.model` numbered by `vocab.json`, with a token for each of 100 languages
/// behind them. Reference: transformers' tokenization_m2m_100.
enum M2M100Tokenizer {
    /// Codes in the order of their tokens (fairseq's list for M2M100).
    private static let languages = """
        af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he hi hr ht hu hy id ig \
        ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl no ns oc or pa pl ps pt ro ru sd si sk sl \
        so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi yo zh zu
        """.split(separator: " ").map(String.init)

    static let file = "sentencepiece.bpe.model"

    /// - Parameter file: the SentencePiece model, with `vocab.json` beside it. `src_lang` of `tokenizer_config.json` is the
    ///   language that sources begin with, by default English.
    /// - Throws: `TokenizationError`.
    static func load(_ file: URL) throws -> Tokenizer {
        let folder = file.deletingLastPathComponent()
        let pieces = try SentencePieceModel(TokenizerFormat.read(file), file: file.path)
        let vocabularyFile = folder.appendingPathComponent("vocab.json")
        let vocabulary = try TokenModelRegistry.vocabulary(
            JSONReader(contentsOf: vocabularyFile.path, duplicateKeys: .lastCounts))
        func id(_ piece: String) throws -> Int {
            guard let id = vocabulary.id(Array(piece.utf8)) else {
                throw TokenizationError.missingToken(file: vocabularyFile.path, field: "the vocabulary", token: piece)
            }
            return Int(id)
        }
        let (unknown, end, count) = (try id("<unk>"), try id("</s>"), vocabulary.count)
        let special = try ["<s>", "<pad>", "</s>", "<unk>"].map {
            AddedToken(id: try id($0), content: Array($0.utf8), isSpecial: true)
        }
        let tokens = languages.enumerated().map { index, code in
            // Texts that spell one out are only texts.
            AddedToken(id: count + index, content: Array("__\(code)__".utf8), isSpecial: true, isSearched: false)
        }
        return Tokenizer(
            normalizer: SentencePieceNormalizer(pieces), preTokenizer: nil,
            model: RenumberedModel(segmentation: pieces.makeModel(), vocabulary: vocabulary, unknown: Int32(unknown)),
            postProcessor: SurroundingPostProcessor(before: [count + (try sourceLanguage(folder))], after: [end]),
            decoder: [SentencePieceStage(pieces), TrimStage()], addedTokens: special + tokens)
    }

    /// Number of the language that sources are in.
    private static func sourceLanguage(_ folder: URL) throws -> Int {
        let file = folder.appendingPathComponent("tokenizer_config.json")
        let code =
            FileManager.default.fileExists(atPath: file.path)
            ? try JSONReader(contentsOf: file.path).string("src_lang", default: "en") : "en"
        guard let index = languages.firstIndex(of: code) else {
            throw TokenizationError.unsupported(file: file.path, field: "src_lang", kind: code, known: languages)
        }
        return index
    }
}
