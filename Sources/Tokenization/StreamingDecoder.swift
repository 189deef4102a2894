/// Incremental decoding of token ids. Every piece of text consists of whole characters, and the pieces together equal
/// `Tokenizer.decode` of the same ids.
package struct StreamingDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let skipSpecialTokens: Bool
    private var pipeline: DecoderPipeline

    package init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool = true) {
        self.tokenizer = tokenizer
        self.skipSpecialTokens = skipSpecialTokens
        pipeline = DecoderPipeline(tokenizer.decoder)
    }

    /// The text that this token completes; empty while a character is incomplete.
    /// - Parameter isText: true for a special token that is part of the text.
    package mutating func append(_ id: Int, isText: Bool = false) -> String {
        if skipSpecialTokens, !isText, tokenizer.isSpecial(id) { return "" }
        guard let piece = tokenizer.decoderPiece(id) else { return "" }
        return String(decoding: pipeline.accept(piece), as: UTF8.self)
    }

    /// The rest of the text, with U+FFFD for incomplete characters. Resets the decoder.
    package mutating func finish() -> String {
        let rest = String(decoding: pipeline.finish(), as: UTF8.self)
        pipeline = DecoderPipeline(tokenizer.decoder)
        return rest
    }
}
