import Foundation
import JSON
import Regex

/// ByT5's tokenizer (Xue et al. 2022, "ByT5: Towards a Token-Free Future with Pre-trained Byte-to-Byte Models"): a token for
/// each byte, after `<pad>`, `</s>` and `<unk>`; the bytes are followed by `<extra_id_0>` and so on. It has no vocabulary file:
/// `tokenizer_config.json` names its class. Reference: transformers' tokenization_byt5.
enum ByteTokenizer {
    static let file = "tokenizer_config.json"
    /// Ids before the first byte.
    private static let reserved = ["<pad>", "</s>", "<unk>"]
    private static let end = 1

    /// True for a folder whose `tokenizer_config.json` names this class.
    @Sendable static func isNamed(in folder: URL) throws -> Bool {
        try JSONReader(contentsOf: folder.appendingPathComponent(file).path, duplicateKeys: .lastCounts)
            .stringIfPresent("tokenizer_class") == "ByT5Tokenizer"
    }

    /// - Throws: `JSONError`, `TokenizationError`.
    @Sendable static func load(_ file: URL) throws -> Tokenizer {
        let settings = try JSONReader(contentsOf: file.path, duplicateKeys: .lastCounts)
        let extra = try settings.int("extra_ids", default: 125)
        guard (0...1_000_000).contains(extra) else {
            throw TokenizationError.field(
                file: file.path, field: "extra_ids", expected: "0 to 1000000", actual: "\(extra)")
        }
        let first = reserved.count
        let added =
            reserved.enumerated().map { id, name in
                AddedToken(id: id, content: Array(name.utf8), stripsLeft: true, stripsRight: true, isSpecial: true)
            }
            + (0..<extra).map {
                AddedToken(id: first + 256 + $0, content: Array("<extra_id_\($0)>".utf8), isSpecial: true)
            }
        return Tokenizer(
            model: ByteModel(
                vocabulary: Vocabulary((0..<256).map { (piece: [UInt8($0)], id: first + $0) }), first: Int32(first)),
            postProcessor: EndingPostProcessor(end: end), decoder: [ValidTextStage()], addedTokens: added)
    }
}

/// Bytes as tokens, numbered from `first`.
private struct ByteModel: TokenModel {
    let vocabulary: Vocabulary
    let first: Int32

    func tokenize(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int32], workspace: inout TokenizerWorkspace) {
        for byte in word { ids.append(first + Int32(byte)) }
    }
}

/// One token after the text, unless the text ends with it.
private struct EndingPostProcessor: PostProcessor {
    let end: Int
    func process(_ ids: [Int]) -> [Int] { ids.last == end ? ids : ids + [end] }
}

/// Bytes to text, without bytes that are not UTF-8. Emits whole characters only.
private struct ValidTextStage: DecoderStage {
    private var pending: [UInt8] = []

    mutating func accept(_ fragment: PieceFragment, emit: (PieceFragment) -> Void) {
        pending += fragment.bytes
        release(UTF8Text.wholeCharacters(pending), emit)
    }

    mutating func finish(emit: (PieceFragment) -> Void) { release(pending.count, emit) }

    private mutating func release(_ count: Int, _ emit: (PieceFragment) -> Void) {
        guard count > 0 else { return }
        var bytes = pending[..<count].makeIterator()
        var parser = Unicode.UTF8.ForwardParser()
        var text: [UInt8] = []
        parsing: while true {
            switch parser.parseScalar(from: &bytes) {
            case .valid(let scalar): text += scalar
            case .error: continue
            case .emptyInput: break parsing
            }
        }
        pending.removeFirst(count)
        emit(PieceFragment(bytes: text))
    }
}
