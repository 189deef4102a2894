import Foundation
import JSON

/// The pair of tokenizers of a Marian translation model: `source.spm` and `target.spm`, both numbered by `vocab.json`.
package struct MarianTokenizer: Sendable {
    /// For the text to translate.
    package let source: Tokenizer
    /// For the translation; decodes what the model generates.
    package let target: Tokenizer

    /// - Throws: `TokenizationError`.
    package init(contentsOf folder: URL) throws {
        source = try Self.load(folder.appendingPathComponent("source.spm"))
        target = try Self.load(folder.appendingPathComponent("target.spm"))
    }

    /// One side. Ids come from `vocab.json` beside the file; inputs end with `</s>`, and a leading `>>xx<<` names the target
    /// language of a model that has several.
    static func load(_ file: URL) throws -> Tokenizer {
        let pieces = try SentencePieceModel(TokenizerFormat.read(file), file: file.path)
        let vocabularyFile = file.deletingLastPathComponent().appendingPathComponent("vocab.json")
        let vocabulary = try TokenModelRegistry.vocabulary(
            JSONReader(contentsOf: vocabularyFile.path, duplicateKeys: .lastCounts))
        func id(_ piece: String) throws -> Int {
            guard let id = vocabulary.id(Array(piece.utf8)) else {
                throw TokenizationError.missingToken(file: vocabularyFile.path, field: "the vocabulary", token: piece)
            }
            return Int(id)
        }
        let unknown = try id("<unk>")
        let end = try id("</s>")
        let added = ["</s>", "<unk>", "<pad>"].compactMap { piece in
            vocabulary.id(Array(piece.utf8)).map {
                AddedToken(id: Int($0), content: Array(piece.utf8), isSpecial: true)
            }
        }
        return Tokenizer(
            normalizer: SentencePieceNormalizer(pieces),
            preTokenizer: nil,
            model: RenumberedModel(segmentation: pieces.makeModel(), vocabulary: vocabulary, unknown: Int32(unknown)),
            postProcessor: SurroundingPostProcessor(after: [end]),
            decoder: [SentencePieceStage(pieces), TrimStage()],
            addedTokens: added,
            leadingToken: LeadingToken(open: Array(">>".utf8), close: Array("<<".utf8), unknown: unknown))
    }
}

/// A token between two marks that is matched only at the beginning of a text.
struct LeadingToken: Sendable {
    let open: [UInt8]
    let close: [UInt8]
    let unknown: Int

    /// The token's bytes and what follows them; nil when the text does not begin with one. The last closing mark of the line counts.
    func split(_ text: [UInt8]) -> (token: [UInt8], rest: [UInt8])? {
        guard text.starts(with: open) else { return nil }
        let line = text.firstIndex(of: 0x0A) ?? text.count
        var end = line - close.count
        while end > open.count {
            if text[end...].starts(with: close) {
                return (Array(text[..<(end + close.count)]), Array(text[(end + close.count)...]))
            }
            end -= 1
        }
        return nil
    }
}
