import Regex

/// # Tokenization
///
/// Text to token ids and back, exactly as the model's training code did it. A tokenizer is a pipeline
/// (normalizer → words → model → special tokens, and a decoder back) read from the file the checkpoint came with:
/// tokenizer.json, a SentencePiece `.model`, `vocab.json` with `merges.txt`, `vocab.txt`, or the metadata of a GGUF file.
///
/// - `Normalizers`, `PreTokenizers`, `Models`, `PostProcessors`, `Decoders`: the steps, each with a registry by its JSON "type".
/// - `SentencePiece`, `GGUF`, `Marian`: the other file formats.
/// - `Whisper`: what a speech model's special tokens mean, and words out of tokens.
package final class Tokenizer: Sendable {
    let normalizer: (any Normalizer)?
    let preTokenizer: (any PreTokenizer)?
    let model: any TokenModel
    let postProcessor: (any PostProcessor)?
    let decoder: [any DecoderStage]
    let addedTokens: AddedTokens
    /// Whether a byte-level decoder leaves added tokens as they are spelt. tokenizer.json's reads even those in the byte
    /// alphabet, so that a token `ü` of DeepSeek decodes to half a character there.
    let addedTokensAreLiteral: Bool
    let leadingToken: LeadingToken?
    /// Whether pieces are spelt in the byte alphabet of GPT-2.
    let isByteLevel: Bool

    init(
        normalizer: (any Normalizer)? = nil, preTokenizer: (any PreTokenizer)? = nil, model: any TokenModel,
        postProcessor: (any PostProcessor)? = nil,
        decoder: [any DecoderStage], addedTokens: [AddedToken], addedTokensAreLiteral: Bool = false,
        leadingToken: LeadingToken? = nil
    ) {
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        self.model = model
        self.postProcessor = postProcessor
        self.decoder = decoder
        self.addedTokensAreLiteral = addedTokensAreLiteral
        self.leadingToken = leadingToken
        self.addedTokens = AddedTokens(addedTokens, normalizer: normalizer)
        isByteLevel = decoder.contains { $0 is ByteLevelStage }
    }

    // MARK: Vocabulary

    /// The spelling of a token in the vocabulary, as in `Ġthe` or `▁the`; nil when there is no such id.
    package func piece(_ id: Int) -> String? {
        pieceBytes(id).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The id of a token spelt as in the vocabulary.
    package func id(of piece: String) -> Int? {
        let bytes = Array(piece.utf8)
        return addedTokens.id(bytes) ?? model.vocabulary.id(bytes).map(Int.init)
    }

    /// Whether the token is one that decoding can leave out, such as the end of text.
    package func isSpecial(_ id: Int) -> Bool { addedTokens.token(id)?.isSpecial ?? false }

    func pieceBytes(_ id: Int) -> [UInt8]? {
        addedTokens.token(id)?.content ?? model.vocabulary.piece(id)
    }

    /// The piece as the decoder takes it.
    func decoderPiece(_ id: Int) -> [UInt8]? {
        guard let token = addedTokens.token(id) else { return model.vocabulary.piece(id) }
        return addedTokensAreLiteral && isByteLevel ? ByteAlphabet.spelling(of: token.content) : token.normalizedContent
    }

    // MARK: Encoding

    /// Token ids of a text. Added tokens that stand in the text become their ids.
    /// - Parameters:
    ///   - addSpecialTokens: whether the tokens every input has (begin or end of text, and the like) are put around.
    ///   - parseSpecialTokens: whether special tokens spelt out in the text become their ids. Pass false for text that may
    ///     come from anyone: `<|im_end|>` is then encoded as the characters it consists of.
    package func encode(_ text: String, addSpecialTokens: Bool = true, parseSpecialTokens: Bool = true) -> [Int] {
        var bytes = Array(text.utf8)
        var ids: [Int32] = []
        if let leadingToken, let (token, rest) = leadingToken.split(bytes) {
            ids.append(model.vocabulary.id(token) ?? Int32(leadingToken.unknown))
            bytes = rest
        }
        ids.reserveCapacity(bytes.count / 3)
        var workspace = TokenizerWorkspace()
        for segment in addedTokens.splitPlain(bytes, parsesSpecial: parseSpecialTokens) {
            switch segment {
            case .token(let id): ids.append(Int32(id))
            case .text(let range):
                encode(
                    stretch: range.count == bytes.count ? bytes : Array(bytes[range]),
                    beginsInput: range.lowerBound == 0,
                    parsesSpecial: parseSpecialTokens, into: &ids, &workspace)
            }
        }
        let plain = ids.map(Int.init)
        return addSpecialTokens ? postProcessor?.process(plain) ?? plain : plain
    }

    /// Token ids of a text in pieces, some of which are markup: special tokens are found in markup alone, never across
    /// its ends, and the text is otherwise encoded as if it were whole.
    ///
    /// - Parameter pieces: the text in order.
    package func encode(_ pieces: [(text: String, isMarkup: Bool)], addSpecialTokens: Bool = true) -> [Int] {
        var bytes: [UInt8] = []
        var markup: [Range<Int>] = []
        for piece in pieces {
            let start = bytes.count
            bytes += piece.text.utf8
            guard piece.isMarkup, bytes.count > start else { continue }
            if let last = markup.last, last.upperBound == start {
                markup[markup.count - 1] = last.lowerBound..<bytes.count
            } else {
                markup.append(start..<bytes.count)
            }
        }
        var ids: [Int32] = []
        var workspace = TokenizerWorkspace()
        for outer in addedTokens.splitSpecial(bytes, within: markup) {
            guard case .text(let stretch) = outer else {
                if case .token(let id) = outer { ids.append(Int32(id)) }
                continue
            }
            let text = Array(bytes[stretch])
            for segment in addedTokens.splitPlain(text, parsesSpecial: false) {
                switch segment {
                case .token(let id): ids.append(Int32(id))
                case .text(let range):
                    encode(
                        stretch: Array(text[range]), beginsInput: stretch.lowerBound + range.lowerBound == 0,
                        parsesSpecial: false, into: &ids,
                        &workspace)
                }
            }
        }
        let plain = ids.map(Int.init)
        return addSpecialTokens ? postProcessor?.process(plain) ?? plain : plain
    }

    /// A stretch without added tokens of the plain kind.
    private func encode(
        stretch: [UInt8], beginsInput: Bool, parsesSpecial: Bool, into ids: inout [Int32],
        _ workspace: inout TokenizerWorkspace
    ) {
        let text = normalizer?.normalize(stretch) ?? stretch
        for segment in addedTokens.splitNormalized(text, parsesSpecial: parsesSpecial) {
            switch segment {
            case .token(let id): ids.append(Int32(id))
            case .text(let range):
                var words = PreTokenizedText(
                    range.count == text.count ? text : Array(text[range]),
                    beginsInput: beginsInput && range.lowerBound == 0)
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
    package func decode(_ ids: some Sequence<Int>, skipSpecialTokens: Bool = true) -> String {
        var stream = StreamingDecoder(self, skipSpecialTokens: skipSpecialTokens)
        var text = ""
        for id in ids { text += stream.append(id) }
        return text + stream.finish()
    }

    /// The bytes a single token stands for, without what its neighbors would add or take away; nil when there is no such id.
    package func bytes(of id: Int) -> [UInt8]? {
        if let token = addedTokens.token(id) { return token.content }
        guard let piece = model.vocabulary.piece(id) else { return nil }
        if isByteLevel { return ByteAlphabet.bytes(of: piece) ?? piece }
        if let byte = ByteFallbackStage.byte(of: piece) { return [byte] }
        return UTF8Text.replacing(Array("▁".utf8), with: [0x20], in: piece)
    }
}
