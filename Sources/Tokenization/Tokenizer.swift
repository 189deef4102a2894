import Regex

/// A tokenizer: a pipeline from text to token ids and back.
///
/// Encoding: added tokens, normalizer, pre-tokenizer, model, post-processor. Decoding: the stages of the decoder.
package final class Tokenizer: Sendable {
    let normalizer: (any Normalizer)?
    let preTokenizer: (any PreTokenizer)?
    let model: any TokenModel
    let postProcessor: (any PostProcessor)?
    let decoder: [any DecoderStage]
    let addedTokens: AddedTokens
    /// True if a byte-level decoder leaves the spelling of added tokens unchanged. With tokenizer.json it reads them in the
    /// byte alphabet too, so that the token `ü` of DeepSeek decodes to half a character.
    let addedTokensAreLiteral: Bool
    let leadingToken: LeadingToken?
    /// True if pieces are spelled in the byte alphabet of GPT-2.
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

    /// The spelling of a token in the vocabulary, such as `Ġthe` or `▁the`; nil for an unknown id.
    package func piece(_ id: Int) -> String? {
        pieceBytes(id).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The id of a token by its spelling in the vocabulary.
    package func id(of piece: String) -> Int? {
        let bytes = Array(piece.utf8)
        return addedTokens.id(bytes) ?? model.vocabulary.id(bytes).map(Int.init)
    }

    /// Tokens that are matched in the text before the model's tokenization, in the order of the file.
    package var addedPieces: [(id: Int, piece: String)] {
        addedTokens.tokens.map { ($0.id, String(decoding: $0.content, as: UTF8.self)) }
    }

    /// True for tokens that decoding can leave out, such as the end of text.
    package func isSpecial(_ id: Int) -> Bool { addedTokens.token(id)?.isSpecial ?? false }

    func pieceBytes(_ id: Int) -> [UInt8]? {
        addedTokens.token(id)?.content ?? model.vocabulary.piece(id)
    }

    /// The input of the decoder for a token.
    func decoderPiece(_ id: Int) -> [UInt8]? {
        guard let token = addedTokens.token(id) else { return model.vocabulary.piece(id) }
        return addedTokensAreLiteral && isByteLevel ? ByteAlphabet.spelling(of: token.content) : token.normalizedContent
    }

    // MARK: Encoding

    /// Token ids of a text. Added tokens in the text become their ids.
    /// - Parameters:
    ///   - addSpecialTokens: adds the tokens that surround every input, such as begin and end of text.
    ///   - parseSpecialTokens: encodes special tokens spelled out in the text as their ids. Pass false for untrusted text:
    ///     `<|im_end|>` is then encoded as its characters.
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

    /// Token ids of a text in pieces, some of which are markup. Special tokens are matched only inside markup; otherwise the
    /// text is encoded as a whole.
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

    /// A range without added tokens that are matched in the original text.
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

    /// The text of token ids. Unknown ids are left out; bytes that are not UTF-8 become U+FFFD.
    package func decode(_ ids: some Sequence<Int>, skipSpecialTokens: Bool = true) -> String {
        var stream = StreamingDecoder(self, skipSpecialTokens: skipSpecialTokens)
        var text = ""
        for id in ids { text += stream.append(id) }
        return text + stream.finish()
    }

    /// The bytes of a single token, without the influence of adjacent tokens; nil for an unknown id.
    package func bytes(of id: Int) -> [UInt8]? {
        if let token = addedTokens.token(id) { return token.content }
        guard let piece = model.vocabulary.piece(id) else { return nil }
        if isByteLevel { return ByteAlphabet.bytes(of: piece) ?? piece }
        if let byte = ByteFallbackStage.byte(of: piece) { return [byte] }
        return UTF8Text.replacing(Array("▁".utf8), with: [0x20], in: piece)
    }
}
