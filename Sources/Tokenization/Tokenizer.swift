/// # Tokenization
///
/// Text to token ids and back, exactly as the model's training code did it. A tokenizer is a pipeline
/// (normaliser → words → model → special tokens, and a decoder back) read from the file the checkpoint came with:
/// tokenizer.json, a SentencePiece `.model`, `vocab.json` with `merges.txt`, `vocab.txt`, or the metadata of a GGUF file.
///
/// - `Normalizers`, `PreTokenizers`, `Models`, `PostProcessors`, `Decoders`: the steps, each with a registry by its JSON "type".
/// - `Pattern`: regular expressions on UTF-8 with the meaning split patterns rely on.
/// - `SentencePiece`, `GGUF`, `Marian`: the other file formats.
/// - `Whisper`: what a speech model's special tokens mean, and words out of tokens.
public final class Tokenizer: Sendable {
    let normalizer: (any Normalizer)?
    let preTokenizer: (any PreTokenizer)?
    let model: any TokenModel
    let postProcessor: (any PostProcessor)?
    let decoder: [any DecoderStage]
    let addedTokens: AddedTokens
    /// Whether pieces are spelt in the byte alphabet of GPT-2.
    let isByteLevel: Bool

    init(
        normalizer: (any Normalizer)? = nil, preTokenizer: (any PreTokenizer)? = nil, model: any TokenModel, postProcessor: (any PostProcessor)? = nil,
        decoder: [any DecoderStage], addedTokens: [AddedToken]
    ) {
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        self.model = model
        self.postProcessor = postProcessor
        self.decoder = decoder
        self.addedTokens = AddedTokens(addedTokens, normalizer: normalizer)
        isByteLevel = decoder.contains { $0 is ByteLevelStage }
    }

    // MARK: Vocabulary

    /// Number of distinct token ids. Models may have more rows in their embedding than that.
    public var vocabularySize: Int {
        model.vocabulary.count + addedTokens.tokens.reduce(0) { $0 + (model.vocabulary.piece($1.id) == nil ? 1 : 0) }
    }

    /// The spelling of a token in the vocabulary, as in `Ġthe` or `▁the`; nil when there is no such id.
    public func piece(_ id: Int) -> String? {
        pieceBytes(id).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The id of a token spelt as in the vocabulary.
    public func id(of piece: String) -> Int? {
        let bytes = Array(piece.utf8)
        return addedTokens.id(bytes) ?? model.vocabulary.id(bytes).map(Int.init)
    }

    /// Whether the token is one that decoding can leave out, such as the end of text.
    public func isSpecial(_ id: Int) -> Bool { addedTokens.token(id)?.isSpecial ?? false }

    /// Ids of all special tokens, ascending.
    public var specialIDs: [Int] { addedTokens.tokens.filter(\.isSpecial).map(\.id).sorted() }

    func pieceBytes(_ id: Int) -> [UInt8]? {
        addedTokens.token(id)?.content ?? model.vocabulary.piece(id)
    }

    // MARK: Encoding

    /// Token ids of a text. Added tokens that stand in the text become their ids.
    /// - Parameter addSpecialTokens: whether the tokens every input has (begin or end of text, and the like) are put around.
    public func encode(_ text: String, addSpecialTokens: Bool = true) -> [Int] {
        let bytes = Array(text.utf8)
        var ids: [Int32] = []
        ids.reserveCapacity(bytes.count / 3)
        var workspace = TokenizerWorkspace()
        for segment in addedTokens.splitPlain(bytes) {
            switch segment {
            case .token(let id): ids.append(Int32(id))
            case .text(let range):
                encode(stretch: range.count == bytes.count ? bytes : Array(bytes[range]), beginsInput: range.lowerBound == 0, into: &ids, &workspace)
            }
        }
        let plain = ids.map(Int.init)
        return addSpecialTokens ? postProcessor?.process(plain) ?? plain : plain
    }

    /// A stretch without added tokens of the plain kind.
    private func encode(stretch: [UInt8], beginsInput: Bool, into ids: inout [Int32], _ workspace: inout TokenizerWorkspace) {
        let text = normalizer?.normalize(stretch) ?? stretch
        for segment in addedTokens.splitNormalized(text) {
            switch segment {
            case .token(let id): ids.append(Int32(id))
            case .text(let range):
                var words = PreTokenizedText(range.count == text.count ? text : Array(text[range]), beginsInput: beginsInput && range.lowerBound == 0)
                preTokenizer?.apply(to: &words)
                words.bytes.withUnsafeBufferPointer { buffer in
                    for word in words.words {
                        model.tokenize(UnsafeBufferPointer(rebasing: buffer[word]), into: &ids, workspace: &workspace)
                    }
                }
            }
        }
    }

    // MARK: Decoding

    /// The text of token ids. Ids outside the vocabulary are left out; bytes that are not UTF-8 become U+FFFD.
    public func decode(_ ids: some Sequence<Int>, skipSpecialTokens: Bool = true) -> String {
        var stream = StreamingDecoder(self, skipSpecialTokens: skipSpecialTokens)
        var text = ""
        for id in ids { text += stream.append(id) }
        return text + stream.finish()
    }

    /// The bytes a single token stands for, without what its neighbours would add or take away; nil when there is no such id.
    public func bytes(of id: Int) -> [UInt8]? {
        if let token = addedTokens.token(id) { return token.content }
        guard let piece = model.vocabulary.piece(id) else { return nil }
        if isByteLevel { return ByteAlphabet.bytes(of: piece) ?? piece }
        if let byte = ByteFallbackStage.byte(of: piece) { return [byte] }
        return UTF8Text.replacing(Array("▁".utf8), with: [0x20], in: piece)
    }
}
