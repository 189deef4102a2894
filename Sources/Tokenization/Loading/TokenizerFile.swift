import Support
import Foundation

extension Tokenizer {
    /// Reads a tokenizer from its file, or from a folder with one of the usual files.
    ///
    /// In a folder, the first of these is read: `tokenizer.json`, `tokenizer.model`, `spiece.model`, `sentencepiece.bpe.model`
    /// (M2M100's with `vocab.json`), `source.spm` (with `vocab.json`; see `MarianTokenizer` for the target side), `vocab.json`
    /// with `merges.txt`, `vocab.txt`, `tokenizer_config.json` (of ByT5, which has no other file).
    /// - Throws: `TokenizationError`.
    package convenience init(contentsOf url: URL) throws {
        let url = url.standardizedFileURL
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) else {
            throw TokenizationError.unreadable(file: url.path, reason: "no such file or folder")
        }
        if isDirectory.boolValue {
            for format in TokenizerFormat.all {
                let file = url.appendingPathComponent(format.name)
                if FileManager.default.fileExists(atPath: file.path), try format.isComplete(url) {
                    self.init(copying: try format.load(file))
                    return
                }
            }
            throw TokenizationError.noTokenizer(folder: url.path, lookedFor: TokenizerFormat.all.map(\.name))
        }
        let named = TokenizerFormat.all.filter { $0.name == url.lastPathComponent }
        let byName = try named.first { try $0.isComplete(url.deletingLastPathComponent()) } ?? named.first
        let byExtension = TokenizerFormat.all.first {
            $0.name.split(separator: ".").last.map(String.init) == url.pathExtension.lowercased()
        }
        guard let format = byName ?? byExtension else {
            throw TokenizationError.unsupported(
                file: url.path, field: "the file name", kind: url.lastPathComponent,
                known: TokenizerFormat.all.map(\.name))
        }
        self.init(copying: try format.load(url))
    }

    convenience init(copying other: Tokenizer) {
        self.init(
            normalizer: other.normalizer, preTokenizer: other.preTokenizer, model: other.model,
            postProcessor: other.postProcessor,
            decoder: other.decoder, addedTokens: other.addedTokens.tokens,
            addedTokensAreLiteral: other.addedTokensAreLiteral,
            leadingToken: other.leadingToken)
    }
}

/// A file format of tokenizers.
struct TokenizerFormat: Sendable {
    let name: String
    /// True if the folder has the other files that the format needs.
    var isComplete: @Sendable (_ folder: URL) throws -> Bool = { _ in true }
    let load: @Sendable (_ file: URL) throws -> Tokenizer

    static let all: [TokenizerFormat] = [
        TokenizerFormat(name: "tokenizer.json") { try TokenizerJSON.load(read($0), file: $0.path) },
        TokenizerFormat(name: "tokenizer.model", load: PlainFormats.sentencePiece),
        TokenizerFormat(name: "spiece.model", load: PlainFormats.sentencePiece),
        TokenizerFormat(name: M2M100Tokenizer.file, isComplete: has("vocab.json"), load: M2M100Tokenizer.load),
        TokenizerFormat(name: "sentencepiece.bpe.model", load: PlainFormats.sentencePiece),
        TokenizerFormat(name: "source.spm", isComplete: has("vocab.json"), load: MarianTokenizer.load),
        TokenizerFormat(name: "vocab.json", isComplete: has("merges.txt"), load: PlainFormats.byteLevelBPE),
        TokenizerFormat(name: "vocab.txt", load: PlainFormats.wordPiece),
        TokenizerFormat(name: ByteTokenizer.file, isComplete: ByteTokenizer.isNamed, load: ByteTokenizer.load),
    ]

    static func has(_ name: String) -> @Sendable (URL) throws -> Bool {
        { FileManager.default.fileExists(atPath: $0.appendingPathComponent(name).path) }
    }

    /// Bound on the size of a file, in bytes.
    static let maximumSize = 1 << 30

    static func read(_ file: URL) throws -> [UInt8] {
        do {
            return try RegularFile(path: file.path).contents(limit: maximumSize)
        } catch {
            throw TokenizationError.unreadable(file: file.path, reason: error.description)
        }
    }
}
